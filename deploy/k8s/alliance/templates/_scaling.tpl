{{/* More pods where they are busy: by CPU, and by the records that wait for each of the service's groups. */}}
{{- define "alliance.scaling" -}}
{{- $root := .root }}{{ $v := $root.Values }}{{ $service := .service }}
{{- $name := printf "%s-%s" (include "alliance.fullname" $root) $service }}
{{- if eq $v.autoscaling.source "cpu" -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ $name }}
  labels: {{- include "alliance.component.labels" . | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ $name }}}
  minReplicas: {{ .values.autoscaling.min }}
  maxReplicas: {{ .values.autoscaling.max }}
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: {{ $v.autoscaling.cpu }}}}
  behavior:
    scaleDown: {stabilizationWindowSeconds: 600}
{{- else -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ $name }}
  labels: {{- include "alliance.component.labels" . | nindent 4 }}
spec:
  scaleTargetRef: {name: {{ $name }}}
  minReplicaCount: {{ .values.autoscaling.min }}
  maxReplicaCount: {{ .values.autoscaling.max }}
  pollingInterval: 15
  cooldownPeriod: 600
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown: {stabilizationWindowSeconds: 600}
  triggers:
    - type: cpu
      metricType: Utilization
      metadata: {value: {{ $v.autoscaling.cpu | quote }}}
    {{- range .facts.groups }}
    - type: kafka
      metadata:
        bootstrapServers: {{ include "alliance.kafka.bootstrap" $root }}
        consumerGroup: {{ .group }}
        topic: {{ .topic }}
        lagThreshold: {{ $v.autoscaling.lag | quote }}
        offsetResetPolicy: earliest
        excludePersistentLag: "true"
        {{- if hasPrefix "SASL" $v.kafka.security }}
        sasl: scram_sha512
        {{- end }}
        tls: {{ hasSuffix "SSL" $v.kafka.security | ternary "enable" "disable" }}
      {{- if hasPrefix "SASL" $v.kafka.security }}
      authenticationRef: {name: {{ $name }}}
      {{- end }}
    {{- end }}
{{- if and .facts.groups (hasPrefix "SASL" $v.kafka.security) }}
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata:
  name: {{ $name }}
  labels: {{- include "alliance.component.labels" . | nindent 4 }}
spec:
  secretTargetRef:
    - {parameter: password, name: {{ include "alliance.kafka.secret" . }}, key: password}
    {{- if hasSuffix "SSL" $v.kafka.security }}
    {{- with include "alliance.kafka.ca" $root }}
    - {parameter: ca, name: {{ . }}, key: {{ $v.kafka.ca.key }}}
    {{- end }}
    {{- end }}
  configMapTargetRef:
    - {parameter: username, name: {{ $name }}, key: ALLIANCE_KAFKA_USERNAME}
{{- end }}
{{- end }}
{{- end }}
