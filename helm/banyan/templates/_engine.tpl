{{/* The vLLM container. Takes a dict of root, pool (its name) and sidecar. */}}
{{- define "banyan.engineContainer" -}}
{{- $pool := include "banyan.pool" . | fromYaml -}}
- name: vllm
  {{- include "banyan.image" (dict "root" .root "image" $pool.image) | nindent 2 }}
  {{- if .sidecar }}
  restartPolicy: Always  # starts before the worker and ends after it
  {{- end }}
  {{- include "banyan.containerSecurity" (dict "user" $pool.user) | nindent 2 }}
  args:
    - {{ $pool.model | quote }}
    - --port=8000
    {{- if .sidecar }}
    - --host=127.0.0.1
    {{- end }}
    - --max-model-len={{ int $pool.window }}
    - --max-num-seqs={{ int $pool.maxNumSeqs }}
    - --dtype={{ $pool.dtype }}
    - --shutdown-timeout={{ int $pool.shutdownSeconds }}
    # Sampling is what the request says, not what the model's authors recommend.
    - --generation-config=vllm
    # Without this, small models fill their replies with the white space that JSON allows.
    - --structured-outputs-config={"backend":"guidance","disable_any_whitespace":true}
    - --enable-prompt-tokens-details
    - --enable-tokenizer-info-endpoint
    - --disable-uvicorn-access-log
    {{- with $pool.servedName }}
    - --served-model-name={{ . }}
    {{- end }}
    {{- if gt (int $pool.gpus) 1 }}
    - --tensor-parallel-size={{ int $pool.gpus }}
    {{- end }}
    {{- if eq $pool.swap "adapters" }}
    - --enable-lora
    - --max-loras={{ int $pool.maxLoras }}
    - --max-lora-rank={{ int $pool.maxLoraRank }}
    {{- end }}
    {{- range $pool.args }}
    - {{ . | quote }}
    {{- end }}
  env:
    - {name: VLLM_NO_USAGE_STATS, value: "1"}
    - {name: DO_NOT_TRACK, value: "1"}
    - {name: HOME, value: /tmp}
    - {name: USER, value: vllm}
    - {name: XDG_CACHE_HOME, value: /cache}
    - {name: XDG_CONFIG_HOME, value: /tmp/.config}
    - {name: HF_HOME, value: /cache/huggingface}
    - {name: VLLM_CACHE_ROOT, value: /cache/vllm}
    - {name: TORCHINDUCTOR_CACHE_DIR, value: /cache/inductor}
    - {name: TRITON_CACHE_DIR, value: /cache/triton}
    {{- if hasPrefix "/" $pool.model }}
    - {name: HF_HUB_OFFLINE, value: "1"}
    {{- end }}
    {{- if eq $pool.swap "adapters" }}
    - {name: VLLM_ALLOW_RUNTIME_LORA_UPDATING, value: "1"}
    {{- else if eq $pool.swap "full" }}
    - {name: VLLM_SERVER_DEV_MODE, value: "1"}
    {{- end }}
    {{- with $pool.apiKey }}
    {{- if .existingSecret }}
    - name: VLLM_API_KEY
      valueFrom:
        secretKeyRef: {name: {{ .existingSecret }}, key: {{ .key }}}
    {{- end }}
    {{- end }}
    {{- with $pool.hubToken }}
    {{- if .existingSecret }}
    - name: HF_TOKEN
      valueFrom:
        secretKeyRef: {name: {{ .existingSecret }}, key: {{ .key }}}
    {{- end }}
    {{- end }}
    {{- with $pool.env }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    - {name: vllm, containerPort: 8000}
  startupProbe:
    {{- include "banyan.engineProbe" . | nindent 4 }}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: {{ div (add (int $pool.startupSeconds) 9) 10 }}
  livenessProbe:
    {{- include "banyan.engineProbe" . | nindent 4 }}
    periodSeconds: 20
    timeoutSeconds: 10
    failureThreshold: 6
  readinessProbe:
    {{- include "banyan.engineProbe" . | nindent 4 }}
    periodSeconds: 5
    timeoutSeconds: 5
  resources:
    {{- include "banyan.gpuResources" $pool | nindent 4 }}
  volumeMounts:
    - {name: shm, mountPath: /dev/shm}
    - {name: engine-tmp, mountPath: /tmp}
    - {name: cache, mountPath: /cache}
    {{- if $pool.modelVolume.existingClaim }}
    - name: model
      mountPath: {{ $pool.modelVolume.mountPath }}
      readOnly: true
      {{- with $pool.modelVolume.subPath }}
      subPath: {{ . }}
      {{- end }}
    {{- end }}
    {{- if ne $pool.swap "none" }}
    - {name: data, mountPath: /var/lib/banyan/policies, subPath: policies, readOnly: true}
    {{- end }}
{{- end -}}

{{/* In a worker's pod vLLM listens on loopback, where the kubelet does not reach it. */}}
{{- define "banyan.engineProbe" -}}
{{- if .sidecar -}}
exec:
  command: [python3, -c, "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
{{- else -}}
httpGet: {path: /health, port: vllm}
{{- end -}}
{{- end -}}

{{/* Resources with GPUs, which have no requests of their own. Takes gpus, gpuResource, resources. */}}
{{- define "banyan.gpuResources" -}}
{{- $resources := deepCopy .resources -}}
{{- if gt (int .gpus) 0 -}}
{{- $limits := set ($resources.limits | default dict) .gpuResource (int .gpus) -}}
{{- $_ := set $resources "limits" $limits -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{/* Volumes but the cache. Takes a dict of root and pool. */}}
{{- define "banyan.engineVolumes" -}}
{{- $pool := include "banyan.pool" . | fromYaml -}}
- name: shm
  emptyDir: {medium: Memory, sizeLimit: {{ $pool.shmSize }}}
- name: engine-tmp
  emptyDir: {sizeLimit: 8Gi}
{{- with $pool.modelVolume.existingClaim }}
- name: model
  persistentVolumeClaim: {claimName: {{ . }}, readOnly: true}
{{- end }}
{{- if $pool.cache.existingClaim }}
- name: cache
  persistentVolumeClaim: {claimName: {{ $pool.cache.existingClaim }}}
{{- else if or .sidecar (not $pool.cache.enabled) }}
- name: cache
  emptyDir: {sizeLimit: {{ $pool.cache.size }}}
{{- end }}
{{- end -}}
