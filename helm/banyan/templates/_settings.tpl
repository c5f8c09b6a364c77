{{/* Settings: the variables that the programs read, under their true names. */}}

{{/* A map of settings as the data of a ConfigMap. Numbers are written without an exponent. */}}
{{- define "banyan.settingsData" -}}
{{- range $name, $value := . }}
{{- if not (kindIs "invalid" $value) }}
{{- if and (kindIs "float64" $value) (eq (floor $value) $value) }}
BANYAN_{{ upper $name }}: {{ int64 $value | toString | quote }}
{{- else }}
BANYAN_{{ upper $name }}: {{ $value | toString | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Those that service, workers and trainer share. */}}
{{- define "banyan.sharedSettings" -}}
BANYAN_BLOB_DIR: /var/lib/banyan/blobs
BANYAN_POLICY_DIR: /var/lib/banyan/policies
{{- if .Values.data.trajectories }}
BANYAN_TRAJECTORY_DIR: /var/lib/banyan/trajectories
{{- end }}
BANYAN_LIVE_SETTINGS: /etc/banyan-live/settings.toml
BANYAN_METRICS_HOST: 0.0.0.0
BANYAN_METRICS_PORT: "9090"
BANYAN_ENGINE_KIND: {{ .Values.engine.kind }}
BANYAN_ENGINE_URLS: {{ include "banyan.engineUrls" . | quote }}
{{- with .Values.engine.model }}
BANYAN_ENGINE_MODEL: {{ . | quote }}
{{- end }}
{{- with include "banyan.engineWindow" . }}
BANYAN_ENGINE_WINDOW: {{ . | quote }}
{{- end }}
{{- if .Values.policies }}
BANYAN_POLICIES: /etc/banyan/policies.json
{{- end }}
{{- include "banyan.settingsData" .Values.settings }}
{{- end -}}

{{- define "banyan.serviceSettings" -}}
BANYAN_HOST: 0.0.0.0
BANYAN_PORT: "8080"
{{- if .Values.service.quotas }}
BANYAN_QUOTAS: /etc/banyan/quotas.toml
{{- end }}
{{- include "banyan.settingsData" .Values.service.settings }}
{{- end -}}

{{/* What a server that starts from nothing needs is waited for. */}}
{{- define "banyan.workerSettings" -}}
{{- $settings := deepCopy .Values.workers.settings }}
{{- if not (hasKey $settings "engine_patience_s") }}
{{- with include "banyan.startSeconds" . }}
{{- $_ := set $settings "engine_patience_s" (int .) }}
{{- end }}
{{- end }}
BANYAN_ALIVE_FILE: /tmp/alive
{{- if include "banyan.policiesOnEngines" . }}
BANYAN_ENGINE_POLICY_DIR: /var/lib/banyan/policies
{{- end }}
{{- include "banyan.settingsData" $settings }}
{{- end -}}

{{- define "banyan.engineUrls" -}}
{{- if .Values.engine.urls -}}
{{- join "," .Values.engine.urls -}}
{{- else if eq .Values.workers.mode "sidecar" -}}
http://127.0.0.1:8000
{{- else -}}
{{- include "banyan.poolUrls" (dict "root" . "pool" .Values.engine.pool) -}}
{{- end -}}
{{- end -}}

{{- define "banyan.engineWindow" -}}
{{- with .Values.engine.window }}{{ int . }}{{ end -}}
{{- end -}}

{{/* The pools that are scaled to zero make workers patient for as long as the slowest takes. */}}
{{- define "banyan.startSeconds" -}}
{{- $longest := 0 -}}
{{- range $name := keys .Values.engines -}}
{{- $pool := include "banyan.pool" (dict "root" $ "pool" $name) | fromYaml -}}
{{- if and $pool.autoscaling.enabled (eq (int $pool.autoscaling.minReplicas) 0) -}}
{{- $longest = max $longest (int $pool.startupSeconds) -}}
{{- end -}}
{{- end -}}
{{- if $longest }}{{ $longest }}{{ end -}}
{{- end -}}

{{/* Whether some pool can change its weights, and so sees the folder of policies. */}}
{{- define "banyan.policiesOnEngines" -}}
{{- range $name := keys .Values.engines -}}
{{- $pool := include "banyan.pool" (dict "root" $ "pool" $name) | fromYaml -}}
{{- if ne $pool.swap "none" -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* policies.json: pools become the addresses of their servers. */}}
{{- define "banyan.policiesFile" -}}
{{- $file := deepCopy .Values.policies -}}
{{- range $name, $policy := $file.policies -}}
{{- $engine := $policy.engine | default dict -}}
{{- if $engine.pool -}}
{{- $urls := include "banyan.poolUrls" (dict "root" $ "pool" $engine.pool) | splitList "," -}}
{{- $made := set (omit $engine "pool") "urls" $urls -}}
{{- $pool := include "banyan.pool" (dict "root" $ "pool" $engine.pool) | fromYaml -}}
{{- if and $pool.apiKey.existingSecret (not $engine.api_key_env) -}}
{{- $_ := set $made "api_key_env" (include "banyan.poolKeyName" $engine.pool) -}}
{{- end -}}
{{- $_ := set $policy "engine" $made -}}
{{- end -}}
{{- end -}}
{{- $file | toPrettyJson -}}
{{- end -}}

{{/* What is in Secrets. The store's address is never in a ConfigMap, since it may hold a password. */}}
{{- define "banyan.storeEnv" -}}
{{- if .Values.valkey.enabled }}
- name: VALKEY_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ include "banyan.valkeySecret" . }}, key: {{ .Values.valkey.key }}}
- name: BANYAN_REDIS_URL
  value: redis://:$(VALKEY_PASSWORD)@{{ include "banyan.fullname" . }}-valkey.{{ .Release.Namespace }}.svc:6379/0
{{- else if .Values.redis.existingSecret }}
- name: BANYAN_REDIS_URL
  valueFrom:
    secretKeyRef: {name: {{ .Values.redis.existingSecret }}, key: {{ .Values.redis.key }}}
{{- else }}
- name: BANYAN_REDIS_URL
  value: {{ .Values.redis.url | quote }}
{{- end }}
{{- if .Values.broker.existingSecret }}
- name: BANYAN_BROKER_URL
  valueFrom:
    secretKeyRef: {name: {{ .Values.broker.existingSecret }}, key: {{ .Values.broker.key }}}
{{- else if .Values.broker.url }}
- name: BANYAN_BROKER_URL
  value: {{ .Values.broker.url | quote }}
{{- end }}
{{- end -}}

{{- define "banyan.bucketEnv" -}}
{{- with .Values.s3 }}
{{- if .existingSecret }}
- name: BANYAN_S3_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef: {name: {{ .existingSecret }}, key: {{ .accessKeyIdKey }}}
- name: BANYAN_S3_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef: {name: {{ .existingSecret }}, key: {{ .secretAccessKeyKey }}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "banyan.engineKeyEnv" -}}
{{- $key := .Values.engine.apiKey -}}
{{- if and (not $key.existingSecret) (not .Values.engine.urls) -}}
{{- $pool := include "banyan.pool" (dict "root" . "pool" .Values.engine.pool) | fromYaml -}}
{{- $key = $pool.apiKey -}}
{{- end -}}
{{- if $key.existingSecret }}
- name: BANYAN_ENGINE_API_KEY
  valueFrom:
    secretKeyRef: {name: {{ $key.existingSecret }}, key: {{ $key.key }}}
{{- end }}
{{- end -}}

{{- define "banyan.poolKeyName" -}}
ENGINE_KEY_{{ . | upper | replace "-" "_" }}
{{- end -}}

{{/* Keys of the pools that policies are on. Service, workers and trainer read the file of policies. */}}
{{- define "banyan.policyKeysEnv" -}}
{{- $done := list -}}
{{- range $policy := values (.Values.policies.policies | default dict) -}}
{{- $engine := $policy.engine | default dict -}}
{{- if and $engine.pool (not $engine.api_key_env) (not (has $engine.pool $done)) -}}
{{- $done = append $done $engine.pool -}}
{{- $pool := include "banyan.pool" (dict "root" $ "pool" $engine.pool) | fromYaml -}}
{{- if $pool.apiKey.existingSecret }}
- name: {{ include "banyan.poolKeyName" $engine.pool }}
  valueFrom:
    secretKeyRef: {name: {{ $pool.apiKey.existingSecret }}, key: {{ $pool.apiKey.key }}}
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "banyan.apiKeyEnv" -}}
{{- with .Values.apiKey }}
{{- if .existingSecret }}
- name: BANYAN_API_KEY
  valueFrom:
    secretKeyRef: {name: {{ .existingSecret }}, key: {{ .key }}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "banyan.valkeySecret" -}}
{{- .Values.valkey.existingSecret | default (printf "%s-valkey" (include "banyan.fullname" .)) -}}
{{- end -}}

{{/* Rolls pods when what they read at their start has changed. */}}
{{- define "banyan.checksum" -}}
{{- $parts := list (include "banyan.sharedSettings" .) (include "banyan.serviceSettings" .) (include "banyan.workerSettings" .) (toJson .Values.policies) .Values.service.quotas -}}
{{- $parts | join "\n" | sha256sum -}}
{{- end -}}
