{{/*
One service, whichever: its ServiceAccount, settings, Deployment, Services, disruption budget, scaling and network policy.
Takes `root` (the chart's context), `service` (its name), `values` (its own), `facts` (of files/platform.yaml).
*/}}
{{- define "alliance.component" -}}
{{- $root := .root }}{{ $v := $root.Values }}{{ $service := .service }}{{ $facts := .facts }}
{{- $name := printf "%s-%s" (include "alliance.fullname" $root) $service }}
{{- $settings := include "alliance.settings" . }}
{{- $scales := and (ne $v.autoscaling.source "none") (hasKey .values "autoscaling") (not $v.maintenance) -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  labels: {{- include "alliance.component.labels" . | nindent 4 }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $name }}
  labels: {{- include "alliance.component.labels" . | nindent 4 }}
data: {{- $settings | nindent 2 }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels: {{- include "alliance.component.labels" . | nindent 4 }}
spec:
  {{- if not $scales }}
  replicas: {{ $v.maintenance | ternary 0 .values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  progressDeadlineSeconds: 600
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  selector:
    matchLabels: {{- include "alliance.component.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "alliance.component.labels" . | nindent 8 }}
      annotations:
        checksum/settings: {{ sha256sum $settings }}
    spec:
      serviceAccountName: {{ $name }}
      {{- include "alliance.pod.security" $root | nindent 6 }}
      {{- with include "alliance.pod.scheduling" (dict "root" $root "own" .values.scheduling) }}{{ . | trim | nindent 6 }}{{ end }}
      terminationGracePeriodSeconds: 45  # preStop 5, calls 10, a batch 10, leaving the groups and giving the lease back
      topologySpreadConstraints:
        {{- range $key, $strictness := dict "topology.kubernetes.io/zone" $v.spread.zones "kubernetes.io/hostname" $v.spread.nodes }}
        - topologyKey: {{ $key }}
          maxSkew: 1
          whenUnsatisfiable: {{ $strictness }}
          nodeTaintsPolicy: Honor  # a zone that is lost, or not for us, is no empty one; with minDomains it would stop what scales
          labelSelector:
            matchLabels: {{- include "alliance.component.selector" $ | nindent 14 }}
          matchLabelKeys: [pod-template-hash]
        {{- end }}
      initContainers:
        {{- if $v.kafka.topics.create }}
        - name: topics
          {{- include "alliance.container" (merge (dict "mounts" (list "kafka-ca" "kafka-admin")) .) | nindent 10 }}
          args:
            - topics
            - --profile={{ $v.kafka.topics.profile }}
            - --replicas={{ $v.kafka.topics.replicas }}
            {{- if $v.kafka.topics.acls }}
            - --acls
            {{- end }}
            {{- if $v.kafka.topics.adminSecret }}
            - --login=/etc/alliance/kafka-admin
            {{- end }}
        {{- end }}
        - name: migrate
          {{- include "alliance.container" (merge (dict "mounts" (list "database-ca")) .) | nindent 10 }}
          args: [migrate, --patience=120]
          env:
            {{- include "alliance.secret.variable" (dict "variable" "PGPASSWORD" "secret" (printf "%s-database-owner" $name) "key" "password") | nindent 12 }}
      containers:
        - name: {{ $service }}
          {{- include "alliance.container" . | nindent 10 }}
          args: [serve]
          env:
            - name: ALLIANCE_SLOT
              valueFrom: {fieldRef: {fieldPath: metadata.name}}
            {{- include "alliance.secret.variable" (dict "variable" "PGPASSWORD" "secret" (printf "%s-database" $name) "key" "password") | nindent 12 }}
            {{- if hasPrefix "SASL" $v.kafka.security }}
            {{- include "alliance.secret.variable" (dict "variable" "ALLIANCE_KAFKA_PASSWORD" "secret" (include "alliance.kafka.secret" .) "key" "password") | nindent 12 }}
            {{- end }}
            {{- range .values.secretEnvironment }}
            {{- include "alliance.secret.variable" . | nindent 12 }}
            {{- end }}
          ports:
            - {name: grpc, containerPort: 50051}
            - {name: probes, containerPort: 50052}
            - {name: metrics, containerPort: 9090}
          startupProbe:
            grpc: {port: 50052, service: startup}
            periodSeconds: 1
            timeoutSeconds: 3
            failureThreshold: 180  # on a node that has no CPU left: one that is started anew would only need more of it
          readinessProbe:
            grpc: {port: 50052, service: readiness}
            periodSeconds: 2
            timeoutSeconds: 3  # Kubernetes' own 1 s takes a busy pod for one that is not there, when it is needed most
            failureThreshold: 2
          livenessProbe:
            grpc: {port: 50052, service: liveness}
            periodSeconds: 10
            timeoutSeconds: 10
            failureThreshold: 12
          lifecycle:
            preStop: {sleep: {seconds: 5}}  # until nobody sends calls here any more
      volumes:
        {{- include "alliance.volume.tmp" $root | nindent 8 }}
        {{- with .values.index }}
        - name: index
          emptyDir: {sizeLimit: {{ .size }}}
        {{- end }}
        {{- range $volume, $source := include "alliance.volumes" . | fromYaml }}
        - name: {{ $volume }}
          {{- toYaml $source | nindent 10 }}
        {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  labels: {{- include "alliance.component.labels" . | nindent 4 }}
spec:
  selector: {{- include "alliance.component.selector" . | nindent 4 }}
  ports:
    - {name: grpc, port: 50051, targetPort: grpc{{ if not $v.mtls.enabled }}, appProtocol: kubernetes.io/h2c{{ end }}}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}-pods
  labels: {{- include "alliance.component.labels" . | nindent 4 }}
    alliance/pods: "true"
spec:
  clusterIP: None
  selector: {{- include "alliance.component.selector" . | nindent 4 }}
  ports:
    - {name: grpc, port: 50051, targetPort: grpc}
    - {name: metrics, port: 9090, targetPort: metrics}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  labels: {{- include "alliance.component.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "alliance.component.selector" . | nindent 6 }}
{{- if $scales }}
---
{{ include "alliance.scaling" . }}
{{- end }}
{{- if $v.networkPolicy.enabled }}
---
{{ include "alliance.network" . }}
{{- end }}
{{- end }}

{{- define "alliance.component.selector" -}}
{{ include "alliance.selector" .root }}
app.kubernetes.io/component: {{ .service }}
{{- end }}

{{- define "alliance.component.labels" -}}
{{ include "alliance.labels" .root }}
app.kubernetes.io/component: {{ .service }}
{{- end }}

{{/* What the service's containers have in common. `mounts`: the volumes that one needs; where it is not there, all but the admin's. */}}
{{- define "alliance.container" -}}
image: {{ include "alliance.image" . }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
{{ include "alliance.container.security" . }}
{{ include "alliance.container.resources" (merge (dict "index" .values.index) .values.resources) }}
envFrom:
  - configMapRef: {name: {{ include "alliance.fullname" .root }}-{{ .service }}}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- $mounts := .mounts | default list }}
  {{- if and (hasKey .values "index") (not $mounts) }}
  - {name: index, mountPath: /var/lib/alliance/index}
  {{- end }}
  {{- range $volume, $_ := include "alliance.volumes" . | fromYaml }}
  {{- if or (has $volume $mounts) (and (not $mounts) (ne $volume "kafka-admin")) }}
  - {name: {{ $volume }}, mountPath: /etc/alliance/{{ $volume }}, readOnly: true}
  {{- end }}
  {{- end }}
{{- end }}

{{/* Files that are read again when they change: public keys, the service's token, CAs, certificates. */}}
{{- define "alliance.volumes" -}}
{{- $v := .root.Values }}{{ $name := printf "%s-%s" (include "alliance.fullname" .root) .service -}}
jwks: {configMap: {name: {{ $v.tokens.jwksConfigMap | default (printf "%s-jwks" (include "alliance.fullname" .root)) }}}}
token: {secret: {secretName: {{ $name }}-token, items: [{key: token, path: token}], defaultMode: 288}}
{{- with include "alliance.database.ca" .root }}
database-ca: {secret: {secretName: {{ . }}, items: [{key: {{ $v.database.ca.key }}, path: ca.crt}]}}
{{- end }}
{{- if hasSuffix "SSL" $v.kafka.security }}
{{- with include "alliance.kafka.ca" .root }}
kafka-ca: {secret: {secretName: {{ . }}, items: [{key: {{ $v.kafka.ca.key }}, path: ca.crt}]}}
{{- end }}
{{- end }}
{{- with $v.kafka.topics.create | ternary $v.kafka.topics.adminSecret "" }}
kafka-admin: {secret: {secretName: {{ . }}, items: [{key: username, path: username}, {key: password, path: password}], defaultMode: 288}}
{{- end }}
{{- with .values.feedMappingsConfigMap }}
feed-mappings: {configMap: {name: {{ . }}}}
{{- end }}
{{- if $v.mtls.enabled }}
tls: {secret: {secretName: {{ $name }}-tls, defaultMode: 288}}
{{- end }}
{{- end }}
