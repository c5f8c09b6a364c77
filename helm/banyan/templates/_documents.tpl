{{/* The service has to have room for the documents that it takes. Settings that are null are at their defaults. */}}
{{- define "banyan.checkDocuments" -}}
{{- $settings := .Values.service.settings -}}
{{- $readers := mul ($settings.extract_parallel | default 2) ($settings.extract_memory_bytes | default 1073741824) -}}
{{- $needed := add $readers 268435456 -}}
{{- with .Values.service.resources.limits.memory -}}
{{- if lt (include "banyan.bytes" . | int64) $needed -}}
{{- fail (printf "service.resources.limits.memory: extract_parallel processes of extract_memory_bytes each, and 256 MiB for the service, are %d bytes; raise the limit, or lower these" $needed) -}}
{{- end -}}
{{- end -}}
{{- $room := mul 3 ($settings.max_document_bytes | default 1073741824) -}}
{{- if lt (include "banyan.bytes" .Values.service.tmpSize | int64) $room -}}
{{- fail (printf "service.tmpSize: three times max_document_bytes are %d bytes, and documents wait there; raise it, or lower max_document_bytes" $room) -}}
{{- end -}}
{{- end -}}

{{/* Of a quantity, such as 1536Mi; numbers are bytes as they are. */}}
{{- define "banyan.bytes" -}}
{{- if kindIs "string" . -}}
{{- $thousands := dict "k" 1 "K" 1 "M" 2 "G" 3 "T" 4 "P" 5 "E" 6 -}}
{{- $unit := regexFind "[A-Za-z]+$" . -}}
{{- $base := ternary 1024 1000 (hasSuffix "i" $unit) -}}
{{- $bytes := regexFind "^[0-9.]+" . | float64 -}}
{{- range until (get $thousands (trimSuffix "i" $unit) | default 0 | int) -}}
{{- $bytes = mulf $bytes $base -}}
{{- end -}}
{{- $bytes | int64 -}}
{{- else -}}
{{- int64 . -}}
{{- end -}}
{{- end -}}
