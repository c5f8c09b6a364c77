{{/* Where the store, the model servers, a bucket and a collector of traces are, as rules of egress. */}}

{{- define "banyan.storeEgress" -}}
{{- if .Values.valkey.enabled -}}
- to: [{podSelector: {matchLabels: {{ include "banyan.selector" (dict "root" . "component" "valkey") | fromYaml | toJson }}}}]
  ports: [{port: valkey}]
{{- else if .Values.networkPolicy.redis -}}
- to: {{ toJson .Values.networkPolicy.redis }}
{{- else -}}
# The address is in a Secret or anywhere: TCP on the usual ports, those of Sentinel and of a cluster's servers too.
- ports: [{port: 6379, endPort: 6390}, {port: 7000, endPort: 7010}, {port: 26379}{{ range include "banyan.redisPorts" . | splitList "," }}{{ if . }}, {port: {{ . }}}{{ end }}{{ end }}]
{{- end }}
{{- if and .Values.valkey.enabled (or .Values.broker.url .Values.broker.existingSecret) }}
{{- if .Values.networkPolicy.redis }}
- to: {{ toJson .Values.networkPolicy.redis }}
{{- else }}
- ports: [{port: 6379, endPort: 6390}, {port: 26379}]
{{- end }}
{{- end }}
{{- end -}}

{{/* Ports in the addresses that are no secrets. */}}
{{- define "banyan.redisPorts" -}}
{{- $ports := list -}}
{{- range list .Values.redis.url .Values.broker.url -}}
{{- range splitList ";" . -}}
{{- $host := (urlParse .).host | default "" -}}
{{- if contains ":" $host -}}{{- $ports = append $ports (splitList ":" $host | last) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- $ports | uniq | join "," -}}
{{- end -}}

{{- define "banyan.engineEgress" -}}
{{- range $name := keys .Values.engines | sortAlpha }}
{{- if not (and (eq $.Values.workers.mode "sidecar") (eq $name $.Values.engine.pool)) }}
- to: [{podSelector: {matchLabels: {{ include "banyan.selector" (dict "root" $ "component" (printf "engine-%s" $name)) | fromYaml | toJson }}}}]
  ports: [{port: vllm}]
{{- end }}
{{- end }}
{{- with include "banyan.outsidePorts" . }}
{{- if $.Values.networkPolicy.engines }}
- to: {{ toJson $.Values.networkPolicy.engines }}
{{- else }}
- ports: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Documents and the log in a bucket, and traces: what `settings` names of them. */}}
{{- define "banyan.settingsEgress" -}}
{{- $settings := .Values.settings -}}
{{- $net := .Values.networkPolicy -}}
{{- if or $settings.blob_url $settings.trajectory_url }}
{{- if $net.bucket }}
- to: {{ toJson $net.bucket }}
{{- else if $settings.s3_endpoint }}
- ports: [{port: {{ include "banyan.urlPort" $settings.s3_endpoint }}}]
{{- else }}
- to: {{ include "banyan.publicPeers" . }}
  ports: [{port: 443}]
{{- end }}
{{- end }}
{{- with $settings.traces_url }}
{{- if $net.traces }}
- to: {{ toJson $net.traces }}
{{- else }}
- ports: [{port: {{ include "banyan.urlPort" . }}}]
{{- end }}
{{- end }}
{{- end -}}

{{- define "banyan.publicPeers" -}}
{{- list (dict "ipBlock" (dict "cidr" "0.0.0.0/0" "except" .Values.networkPolicy.internet.blockedNetworks)) | toJson -}}
{{- end -}}

{{- define "banyan.urlPort" -}}
{{- $parts := urlParse . -}}
{{- if contains ":" $parts.host -}}
{{- splitList ":" $parts.host | last | int -}}
{{- else -}}
{{- ternary 443 80 (eq $parts.scheme "https") -}}
{{- end -}}
{{- end -}}

{{/* Ports of servers that run elsewhere: those of engine.urls and of policies' engines. */}}
{{- define "banyan.outsidePorts" -}}
{{- $urls := .Values.engine.urls -}}
{{- range $policy := values (.Values.policies.policies | default dict) -}}
{{- $urls = concat $urls (($policy.engine | default dict).urls | default list) -}}
{{- end -}}
{{- $ports := list -}}
{{- range $urls -}}
{{- $ports = append $ports (include "banyan.urlPort" . | int) -}}
{{- end -}}
{{- $rules := list -}}
{{- range $ports | uniq -}}{{- $rules = append $rules (dict "port" .) -}}{{- end -}}
{{- if $rules -}}{{ toJson $rules }}{{- end -}}
{{- end -}}
