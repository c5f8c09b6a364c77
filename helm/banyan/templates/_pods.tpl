{{/* What every pod and every container has. */}}

{{/* Takes a dict of root, component, values (of the component), graceSeconds, priority, user, group. */}}
{{- define "banyan.podSpec" -}}
serviceAccountName: {{ include "banyan.serviceAccount" .root }}
automountServiceAccountToken: false
# Kubernetes would set BANYAN_PORT for a Service of that name, and Banyan would take it for a setting.
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user | default 10001 }}
  runAsGroup: {{ .group | default 0 }}
  fsGroup: {{ .group | default 0 }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
terminationGracePeriodSeconds: {{ .graceSeconds }}
{{- $class := .values.priorityClassName }}
{{- if and (not $class) .root.Values.priorityClasses.create }}
{{- $class = printf "%s-%s" (include "banyan.priorityClass" .root) .priority }}
{{- end }}
{{- with $class }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
{{- with .values.topologySpreadConstraints }}
  {{- toYaml . | nindent 2 }}
{{- else }}
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "banyan.selector" $ | nindent 8 }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "banyan.podMetadata" -}}
labels:
  {{- include "banyan.labels" . | nindent 2 }}
  {{- with .values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  kubectl.kubernetes.io/default-container: {{ .container }}
  {{- with .checksum }}
  checksum/settings: {{ . }}
  {{- end }}
  {{- with .values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Takes a dict that may have user, where it is another one than the pod's. */}}
{{- define "banyan.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  {{- with .user }}
  runAsUser: {{ . }}
  {{- end }}
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{/* The claim of documents, weights, log and runs. */}}
{{- define "banyan.dataClaim" -}}
{{- .Values.data.existingClaim | default (printf "%s-data" (include "banyan.fullname" .)) -}}
{{- end -}}

{{/* With what is passing through; on the node's disk, and not in memory. Takes a dict of root and tmpSize. */}}
{{- define "banyan.dataVolume" -}}
- name: data
  persistentVolumeClaim: {claimName: {{ include "banyan.dataClaim" .root }}}
- name: tmp
  emptyDir: {sizeLimit: {{ .tmpSize | default "1Gi" }}}
{{- end -}}

{{- define "banyan.dataMounts" -}}
- {name: data, mountPath: /var/lib/banyan}
- {name: tmp, mountPath: /tmp}
{{- end -}}

{{- define "banyan.files" -}}
{{- if or .Values.policies .Values.service.quotas -}}true{{- end -}}
{{- end -}}

{{/* The file is touched by the worker's event loop, every second. The store's absence stops nobody. */}}
{{- define "banyan.workerProbes" -}}
startupProbe:
  exec: {command: [sh, -c, "test $(($(date +%s) - $(stat -c %Y /tmp/alive))) -lt 60"]}
  periodSeconds: 2
  failureThreshold: 90
livenessProbe:
  exec: {command: [sh, -c, "test $(($(date +%s) - $(stat -c %Y /tmp/alive))) -lt 60"]}
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  exec: {command: [sh, -c, "test $(($(date +%s) - $(stat -c %Y /tmp/alive))) -lt 60"]}
  periodSeconds: 10
{{- end -}}

{{/* Priority classes belong to the cluster, so that the namespace is part of their names. */}}
{{- define "banyan.priorityClass" -}}
{{- printf "%s-%s" .Release.Namespace (include "banyan.fullname" .) -}}
{{- end -}}
