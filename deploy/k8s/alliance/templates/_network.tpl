{{/* Who may connect to a service, and where it may connect to; all else is closed by the policy for every pod. */}}
{{- define "alliance.network" -}}
{{- $root := .root }}{{ $v := $root.Values }}{{ $service := .service }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "alliance.fullname" $root }}-{{ $service }}
  labels: {{- include "alliance.component.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "alliance.selector" $root | nindent 6 }}
    matchExpressions: [{key: app.kubernetes.io/component, operator: In, values: [{{ $service }}, {{ $service }}-once]}]  # pods of `run_once.py`, too
  policyTypes: [Ingress, Egress]
  ingress:
    {{- $callers := list }}
    {{- range $name, $facts := (include "alliance.platform" $root | fromYaml).services }}
    {{- if has $service $facts.peers }}{{ $callers = append $callers $name }}{{ end }}
    {{- end }}
    {{- if $v.smoke.tokenSecret }}{{ $callers = append $callers "smoke" }}{{ end }}
    {{- if or $callers $v.networkPolicy.clients }}
    - from:
        {{- range $callers }}
        - podSelector: {matchLabels: {app.kubernetes.io/instance: {{ $root.Release.Name }}, app.kubernetes.io/component: {{ . }}}}
        {{- end }}
        {{- range $v.networkPolicy.clients }}
        - {{- include "alliance.network.peer" . | nindent 10 }}
        {{- end }}
      ports: [{port: 50051, protocol: TCP}]
    {{- end }}
    - from:
        - {{- include "alliance.network.peer" $v.networkPolicy.metrics | nindent 10 }}
      ports: [{port: 9090, protocol: TCP}]
  egress:
    - to:
        {{- include "alliance.network.database" $root | nindent 8 }}
      ports: [{port: {{ $v.database.port }}, protocol: TCP}]
    - to:
        {{- if eq $v.kafka.source "strimzi" }}
        - podSelector: {matchLabels: {strimzi.io/cluster: {{ $v.kafka.cluster }}, strimzi.io/kind: Kafka}}
        {{- else }}
        {{- range $v.kafka.cidrs }}
        - ipBlock: {cidr: {{ quote . }}}
        {{- end }}
        {{- end }}
      ports:
        {{- range $v.kafka.ports }}
        - {port: {{ . }}, protocol: TCP}
        {{- end }}
    {{- range .facts.peers }}
    - to:
        - podSelector: {matchLabels: {app.kubernetes.io/instance: {{ $root.Release.Name }}, app.kubernetes.io/component: {{ . }}}}
      ports: [{port: 50051, protocol: TCP}]
    {{- end }}
    {{- with $v.telemetry.otlpEndpoint }}
    - to:
        {{- range $v.telemetry.collector.cidrs }}
        - ipBlock: {cidr: {{ quote . }}}
        {{- else }}
        - {{- include "alliance.network.peer" $v.telemetry.collector | nindent 10 }}
        {{- end }}
      ports: [{port: {{ regexFind "[0-9]+$" . }}, protocol: TCP}]
    {{- end }}
    {{- include "alliance.network.egress" .values.egress | nindent 4 }}
{{- end }}

{{/* What values name: addresses, and their ports. */}}
{{- define "alliance.network.egress" -}}
{{- range . }}
{{- $rule := . }}
- to:
    {{- range .cidrs }}
    - ipBlock:
        cidr: {{ quote . }}
        {{- with $rule.except }}
        except: {{ toJson . }}
        {{- end }}
    {{- end }}
  ports:
    {{- range .ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- end }}

{{/* Questions of names. */}}
{{- define "alliance.network.names" -}}
- to:
    - {{- include "alliance.network.peer" .Values.networkPolicy.dns | nindent 6 }}
    {{- range .Values.networkPolicy.dnsCidrs }}
    - ipBlock: {cidr: {{ quote . }}}
    {{- end }}
  ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
{{- end }}

{{- define "alliance.network.database" -}}
{{- if eq .Values.database.source "cloudnativepg" -}}
- podSelector: {matchLabels: {cnpg.io/cluster: {{ include "alliance.fullname" . }}-database}}
{{- else -}}
{{- range .Values.database.cidrs }}
- ipBlock: {cidr: {{ quote . }}}
{{- end }}
{{- end }}
{{- end }}

{{- define "alliance.network.peer" -}}
namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ quote .namespace }}}}
{{- with .podLabels }}
podSelector: {matchLabels: {{ toJson . }}}
{{- end }}
{{- end }}
