{{/* What every pod of ours has: no token of the API, no root, nothing to write to but volumes of its own. */}}

{{- define "alliance.pod.security" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Where pods may run: what values say for all of them, and what they say for these (`own`), which wins. */}}
{{- define "alliance.pod.scheduling" -}}
{{- $all := .root.Values.scheduling }}{{ $own := .own }}
{{- with merge (dict) $own.nodeSelector $all.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat $all.tolerations $own.tolerations | uniq }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.priorityClassName | default $all.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "alliance.container.security" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "alliance.resources" -}}
resources:
  requests: {cpu: {{ .cpu }}, memory: {{ .memory }}}
  limits: {memory: {{ .memoryLimit }}}
{{- end }}

{{/*
The same of a container, with the disk that its pod may take: the logs that the kubelet keeps, the index, and /tmp. Asked for is
what comes to be there, so all but /tmp.
*/}}
{{- define "alliance.container.resources" -}}
{{- $kept := 256 }}
{{- with .index }}{{ $kept = add $kept (include "alliance.mebibytes" .size) }}{{ end -}}
resources:
  requests: {cpu: {{ .cpu }}, memory: {{ .memory }}, ephemeral-storage: {{ $kept }}Mi}
  limits: {memory: {{ .memoryLimit }}, ephemeral-storage: {{ add $kept 1024 }}Mi}
{{- end }}

{{- define "alliance.mebibytes" -}}
{{ mulf (regexFind "^[0-9.]+" .) (get (dict "Mi" 1 "Gi" 1024 "Ti" 1048576) (regexFind "[A-Z]i$" .)) | ceil | int64 }}
{{- end }}

{{- define "alliance.volume.tmp" -}}
- name: tmp
  emptyDir: {sizeLimit: 1Gi}
{{- end }}

{{/* One variable out of a Secret. */}}
{{- define "alliance.secret.variable" -}}
- name: {{ .variable }}
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ .key }}}}
{{- end }}
