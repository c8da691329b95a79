{{/* Names and labels. */}}

{{- define "alliance.fullname" -}}
{{- $name := .Release.Name -}}
{{- if not (contains "alliance" $name) }}{{ $name = printf "%s-alliance" $name }}{{ end -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* What the chart knows of the platform: topics, rights, groups, peers. */}}
{{- define "alliance.platform" -}}
{{- .Files.Get "files/platform.yaml" -}}
{{- end }}

{{- define "alliance.labels" -}}
{{ include "alliance.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "alliance.selector" -}}
app.kubernetes.io/name: alliance
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Marks what an uninstallation leaves: data, and what is needed to read them. deploy/k8s/remove-data goes by the label. */}}
{{- define "alliance.kept.annotations" -}}
helm.sh/resource-policy: keep
{{- end }}
{{- define "alliance.kept.labels" -}}
alliance/data: "true"
{{- end }}

{{/* A service's address inside the cluster: all pods of a headless Service, so that callers spread over them. */}}
{{- define "alliance.target" -}}
{{- $name := printf "%s-%s-pods" (include "alliance.fullname" .root) .service -}}
dns:///{{ $name }}.{{ .root.Release.Namespace }}.svc.{{ .root.Values.clusterDomain }}:50051
{{- end }}

{{/* The names by which a service is called: by other services and `helm test`, by operators, and by a gateway. */}}
{{- define "alliance.called" -}}
{{- $name := printf "%s-%s" (include "alliance.fullname" .root) .service -}}
- {{ $name }}-pods.{{ .root.Release.Namespace }}.svc.{{ .root.Values.clusterDomain }}
- {{ $name }}
{{- if .root.Values.gateway.enabled }}
- {{ $name }}.{{ .root.Release.Namespace }}.svc
{{- end }}
{{- end }}

{{- define "alliance.image" -}}
{{- $image := .root.Values.image -}}
{{- $digest := get $image.digests .service -}}
{{- if $digest -}}
{{ $image.repository }}/{{ .service }}@{{ $digest }}
{{- else -}}
{{ $image.repository }}/{{ .service }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* Name of a service's database host, Kafka address and the Secrets with their CAs, whoever runs them. */}}
{{- define "alliance.database.host" -}}
{{- if eq .Values.database.source "cloudnativepg" -}}
{{ include "alliance.fullname" . }}-database-rw.{{ .Release.Namespace }}.svc
{{- else -}}
{{ .Values.database.host }}
{{- end }}
{{- end }}

{{- define "alliance.database.ca" -}}
{{- if eq .Values.database.source "cloudnativepg" -}}
{{ include "alliance.fullname" . }}-database-ca
{{- else -}}
{{ .Values.database.ca.secret }}
{{- end }}
{{- end }}

{{- define "alliance.kafka.bootstrap" -}}
{{- if eq .Values.kafka.source "strimzi" -}}
{{ .Values.kafka.cluster }}-kafka-bootstrap.{{ .Release.Namespace }}.svc:{{ index .Values.kafka.ports 0 }}
{{- else -}}
{{ .Values.kafka.bootstrap }}
{{- end }}
{{- end }}

{{- define "alliance.kafka.ca" -}}
{{- if eq .Values.kafka.source "strimzi" -}}
{{ .Values.kafka.cluster }}-cluster-ca-cert
{{- else -}}
{{ .Values.kafka.ca.secret }}
{{- end }}
{{- end }}

{{/* A service's Kafka user, and the Secret with its password: Strimzi names both like its KafkaUser. */}}
{{- define "alliance.kafka.user" -}}
{{- if eq .root.Values.kafka.source "strimzi" -}}
{{ include "alliance.fullname" .root }}-{{ .service }}
{{- else -}}
{{ .service }}
{{- end }}
{{- end }}

{{- define "alliance.kafka.secret" -}}
{{- $name := printf "%s-%s" (include "alliance.fullname" .root) .service -}}
{{ eq .root.Values.kafka.source "strimzi" | ternary $name (printf "%s-kafka" $name) }}
{{- end }}
