{{/* A service's settings that are no secrets, as ALLIANCE_* variables. */}}
{{- define "alliance.settings" -}}
{{- $root := .root }}{{ $v := $root.Values }}{{ $service := .service }}
{{- $database := printf "@%s:%d/%s" (include "alliance.database.host" $root) (int $v.database.port) $service }}
{{- $settings := dict
  "profile" $v.profile
  "log_level" $v.logLevel
  "database_url" (printf "postgresql://%s%s" $service $database)
  "migration_database_url" (printf "postgresql://%s_owner%s" $service $database)
  "kafka_bootstrap" (include "alliance.kafka.bootstrap" $root)
  "kafka_security" $v.kafka.security
  "grpc_listen" "0.0.0.0:50051"
  "probes_listen" "0.0.0.0:50052"
  "metrics_listen" "0.0.0.0:9090"
  "jwks_file" "/etc/alliance/jwks/jwks.json"
  "token_issuer" $v.tokens.issuer
  "token_audience" $v.tokens.audience
  "service_token_file" "/etc/alliance/token/token" }}
{{- if include "alliance.database.ca" $root }}{{ $_ := set $settings "database_ca_file" "/etc/alliance/database-ca/ca.crt" }}{{ end }}
{{- if hasPrefix "SASL" $v.kafka.security }}{{ $_ := set $settings "kafka_username" (include "alliance.kafka.user" .) }}{{ end }}
{{- if and (hasSuffix "SSL" $v.kafka.security) (include "alliance.kafka.ca" $root) }}
{{- $_ := set $settings "kafka_ca_file" "/etc/alliance/kafka-ca/ca.crt" }}
{{- end }}
{{- if $v.mtls.enabled }}
{{- range $setting, $file := dict "cert" "tls.crt" "key" "tls.key" "ca" "ca.crt" }}
{{- $_ := set $settings (printf "grpc_%s_file" $setting) (printf "/etc/alliance/tls/%s" $file) }}
{{- end }}
{{- $_ := set $settings "grpc_names" (include "alliance.called" . | fromYamlArray) }}
{{- end }}
{{- range .facts.peers }}
{{- $_ := set $settings (printf "%s_target" .) (include "alliance.target" (dict "root" $root "service" .)) }}
{{- end }}
{{- if hasKey .values "index" }}{{ $_ := set $settings "index_folder" "/var/lib/alliance/index" }}{{ end }}
{{- with .values.feedMappingsConfigMap }}{{ $_ := set $settings "feed_mappings" "/etc/alliance/feed-mappings" }}{{ end }}
{{- with $v.tokens.bootstrapAdmin }}{{ $_ := set $settings "bootstrap_admin_sub" . }}{{ end }}
{{- with $v.telemetry.otlpEndpoint }}{{ $_ := set $settings "otlp_endpoint" . }}{{ end }}
{{- $_ := set $settings "trace_ratio" $v.telemetry.ratio }}
{{- range $name, $value := merge $settings .values.settings }}
ALLIANCE_{{ upper $name }}: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }}
{{- end }}
{{- end }}
