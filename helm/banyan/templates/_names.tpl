{{/* Names, labels and images. */}}

{{- define "banyan.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "banyan.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "banyan.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "banyan.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What a selector matches: of one component. Takes a dict of root and component. */}}
{{- define "banyan.selector" -}}
app.kubernetes.io/name: {{ include "banyan.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "banyan.labels" -}}
{{ include "banyan.selector" . }}
app.kubernetes.io/part-of: banyan
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "banyan.metadata" -}}
name: {{ include "banyan.fullname" .root }}{{ with .suffix }}-{{ . }}{{ end }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "banyan.labels" . | nindent 2 }}
{{- end -}}

{{/* Takes a dict of root and image; a digest wins over a tag. */}}
{{- define "banyan.image" -}}
{{- $tag := .image.tag | default .root.Chart.AppVersion -}}
image: {{ if .image.digest }}{{ .image.repository }}@{{ .image.digest }}{{ else }}{{ .image.repository }}:{{ $tag }}{{ end }}
imagePullPolicy: {{ .image.pullPolicy }}
{{- end -}}

{{- define "banyan.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "banyan.fullname" .) -}}
{{- end -}}

{{/* A pool with what it does not say taken from engineDefaults, as YAML. Takes a dict of root and pool. */}}
{{- define "banyan.pool" -}}
{{- if not (hasKey .root.Values.engines .pool) -}}
{{- fail (printf "there is no pool %q in engines; it has: %s" .pool (keys .root.Values.engines | sortAlpha | join ", ")) -}}
{{- end -}}
{{- $own := get .root.Values.engines .pool -}}
{{- mergeOverwrite (deepCopy .root.Values.engineDefaults) (deepCopy $own) | toYaml -}}
{{- end -}}

{{/* How many servers a pool may have. Takes the pool's own YAML, read. */}}
{{- define "banyan.poolMax" -}}
{{- if .autoscaling.enabled }}{{ .autoscaling.maxReplicas }}{{ else }}{{ .replicas | default 1 }}{{ end -}}
{{- end -}}

{{/* The servers of a pool, each by its own address: calls go where their prefix is cached, and
     weights are swapped server by server. Those that are not there are passed over. */}}
{{- define "banyan.poolUrls" -}}
{{- $pool := include "banyan.pool" . | fromYaml -}}
{{- $name := printf "%s-engine-%s" (include "banyan.fullname" .root) .pool -}}
{{- $urls := list -}}
{{- range $i := until (int (include "banyan.poolMax" $pool)) -}}
{{- $urls = append $urls (printf "http://%s-%d.%s.%s.svc:8000" $name $i $name $.root.Release.Namespace) -}}
{{- end -}}
{{- join "," $urls -}}
{{- end -}}
