{{/* A run has the name of its Job, so that a pod that follows another goes on with its run. */}}
{{- define "banyan.trainerJob" -}}
{{- $values := .Values.trainer -}}
{{- $of := dict "root" . "component" "trainer" "values" $values -}}
{{- $pool := $values.evaluationPool -}}
{{- $full := include "banyan.fullname" . -}}
backoffLimit: {{ $values.backoffLimit }}
activeDeadlineSeconds: {{ int $values.deadlineSeconds }}
ttlSecondsAfterFinished: {{ int $values.keepSeconds }}
template:
  metadata:
    {{- include "banyan.podMetadata" (merge (dict "container" "trainer") $of) | nindent 4 }}
  spec:
    restartPolicy: Never
    {{- include "banyan.podSpec" (merge (dict "priority" "training" "graceSeconds" 60) $of) | nindent 4 }}
    {{- with $values.runtimeClassName }}
    runtimeClassName: {{ . }}
    {{- end }}
    containers:
      - name: trainer
        {{- include "banyan.image" (dict "root" . "image" $values.image) | nindent 8 }}
        {{- include "banyan.containerSecurity" dict | nindent 8 }}
        command: [sh, -ec]
        args:
          - |
            run=/var/lib/banyan/runs/$JOB_NAME
            mkdir -p /var/lib/banyan/runs
            if [ -e "$run/state.json" ]; then set -- --resume "$@"; fi
            exec python -P -m training run --run "$run" "$@"
          - run
          - --url=http://{{ $full }}-service.{{ .Release.Namespace }}.svc:{{ .Values.service.port }}
          - --model={{ $values.modelVolume.mountPath }}/{{ $values.model }}
          - --eval-engine={{ include "banyan.poolUrls" (dict "root" . "pool" $pool) | splitList "," | first }}
          - --iterations={{ int $values.iterations }}
          {{- range $values.args }}
          - {{ . | quote }}
          {{- end }}
          {{- if $values.updateArgs }}
          - "--"
          {{- range $values.updateArgs }}
          - {{ . | quote }}
          {{- end }}
          {{- end }}
        envFrom:
          - configMapRef: {name: {{ $full }}-settings}
          - configMapRef: {name: {{ $full }}-worker-settings}
        env:
          - name: JOB_NAME
            valueFrom: {fieldRef: {fieldPath: "metadata.labels['batch.kubernetes.io/job-name']"}}
          - {name: HOME, value: /tmp}
          {{- include "banyan.apiKeyEnv" . | nindent 10 }}
          {{- include "banyan.engineKeyEnv" . | nindent 10 }}
          {{- include "banyan.policyKeysEnv" . | nindent 10 }}
          {{- with $values.extraEnv }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
        resources:
          {{- include "banyan.gpuResources" $values | nindent 10 }}
        volumeMounts:
          {{- include "banyan.dataMounts" . | nindent 10 }}
          - {name: shm, mountPath: /dev/shm}
          - name: model
            mountPath: {{ $values.modelVolume.mountPath }}
            readOnly: true
            {{- with $values.modelVolume.subPath }}
            subPath: {{ . }}
            {{- end }}
          {{- if .Values.policies }}
          - {name: files, mountPath: /etc/banyan, readOnly: true}
          {{- end }}
    volumes:
      {{- include "banyan.dataVolume" (dict "root" .) | nindent 6 }}
      - name: shm
        emptyDir: {medium: Memory, sizeLimit: {{ $values.shmSize }}}
      - name: model
        persistentVolumeClaim: {claimName: {{ $values.modelVolume.existingClaim }}, readOnly: true}
      {{- if .Values.policies }}
      - name: files
        configMap: {name: {{ $full }}-files}
      {{- end }}
{{- end -}}
