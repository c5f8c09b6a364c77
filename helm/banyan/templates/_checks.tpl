{{/* Values that the schema cannot refuse, since several of them together are wrong. */}}
{{- define "banyan.checks" -}}
{{- if and .Values.valkey.enabled (or .Values.redis.url .Values.redis.existingSecret) -}}
{{- fail "redis: the bundled Valkey is enabled too; set valkey.enabled to false, or leave redis empty" -}}
{{- end -}}
{{- if not (or .Values.valkey.enabled .Values.redis.url .Values.redis.existingSecret) -}}
{{- fail "redis: there is no state store; set redis.existingSecret or redis.url, or valkey.enabled to true" -}}
{{- end -}}
{{- if and (hasPrefix "redis+cluster" .Values.redis.url) (not (or .Values.broker.url .Values.broker.existingSecret)) -}}
{{- fail "broker: the store is a cluster, and Celery's broker cannot be one; set broker.existingSecret or broker.url" -}}
{{- end -}}
{{- if hasPrefix "sentinel" .Values.redis.url -}}
{{- fail "redis.url: the state store does not ask Sentinel; set an address that follows the master here, and Sentinel's in broker.url" -}}
{{- end -}}
{{- if and (hasPrefix "sentinel" .Values.broker.url) (not .Values.settings.broker_master_name) -}}
{{- fail "broker.url: Sentinel has to be told which master is meant; set settings.broker_master_name" -}}
{{- end -}}
{{- if and .Values.workers.settings.result_cache_s (ne (.Values.workers.settings.coalesce | default "worker") "installation") -}}
{{- fail "workers.settings.result_cache_s: replies are kept where all workers share their calls; set workers.settings.coalesce to installation, or leave result_cache_s out" -}}
{{- end -}}
{{- include "banyan.checkDocuments" . -}}
{{- if and .Values.engine.urls (eq .Values.workers.mode "sidecar") -}}
{{- fail "engine.urls: workers with a vLLM in their own pod use that one; leave engine.urls empty, or set workers.mode to shared" -}}
{{- end -}}
{{- if and (not .Values.engine.urls) (ne .Values.engine.kind "vllm") -}}
{{- fail "engine.kind: pools are vLLM servers; set engine.urls to the servers of another kind" -}}
{{- end -}}
{{- if and (or .Values.workers.autoscaling.enabled (include "banyan.anyPoolScales" .)) (not .Values.prometheus.serverAddress) -}}
{{- fail "prometheus.serverAddress: autoscaling asks Prometheus; set it to its address, such as http://prometheus.monitoring.svc:9090" -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (or .Values.ingress.enabled .Values.gateway.enabled) (not .Values.networkPolicy.clients) -}}
{{- fail "networkPolicy.clients: nobody may call the service from outside of its namespace; name the namespace of the Ingress or Gateway controller" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.host: name the host under which the service is reached" -}}
{{- end -}}
{{- if and .Values.gateway.enabled (not .Values.gateway.parentRefs) -}}
{{- fail "gateway.parentRefs: name the Gateway that the route belongs to" -}}
{{- end -}}
{{- if and (eq .Values.data.existingClaim "") (has "ReadWriteOnce" .Values.data.accessModes) (gt (int .Values.service.replicas) 1) -}}
{{- fail "data.accessModes: ReadWriteOnce holds all pods on one node; use ReadWriteMany, or service.replicas 1" -}}
{{- end -}}
{{- range $name := keys .Values.engines | sortAlpha -}}
{{- include "banyan.checkPool" (dict "root" $ "pool" $name) -}}
{{- end -}}
{{- if or .Values.trainer.job.enabled .Values.trainer.cronJob.enabled -}}
{{- include "banyan.checkTrainer" . -}}
{{- end -}}
{{- with .Values.workers.settings.engine_patience_s -}}
{{- $start := include "banyan.startSeconds" $ -}}
{{- if and $start (lt (int .) (int $start)) -}}
{{- fail (printf "workers.settings.engine_patience_s: a pool that is scaled to zero takes up to %s s to start, and calls would give up after %d s; leave it out, or set it to at least that" $start (int .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "banyan.anyPoolScales" -}}
{{- range $name := keys .Values.engines -}}
{{- $pool := include "banyan.pool" (dict "root" $ "pool" $name) | fromYaml -}}
{{- if $pool.autoscaling.enabled -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* Pools that somebody calls. */}}
{{- define "banyan.poolsInUse" -}}
{{- $used := list .Values.trainer.evaluationPool -}}
{{- if not .Values.engine.urls -}}{{- $used = append $used .Values.engine.pool -}}{{- end -}}
{{- range $policy := values (.Values.policies.policies | default dict) -}}
{{- $used = append $used (($policy.engine | default dict).pool | default "") -}}
{{- end -}}
{{- $used | uniq | join "," -}}
{{- end -}}

{{- define "banyan.checkPool" -}}
{{- if not (has .pool (include "banyan.poolsInUse" .root | splitList ",")) -}}
{{- fail (printf "engines.%s: nobody calls this pool (engine.pool, policies, trainer.evaluationPool); set engines.%s to null, or name it" .pool .pool) -}}
{{- end -}}
{{- $pool := include "banyan.pool" . | fromYaml -}}
{{- $scales := $pool.autoscaling -}}
{{- if gt (int $scales.minReplicas) (int $scales.maxReplicas) -}}
{{- fail (printf "engines.%s.autoscaling: minReplicas is above maxReplicas" .pool) -}}
{{- end -}}
{{- if and (ne $pool.swap "none") $scales.enabled (ne (int $scales.minReplicas) (int $scales.maxReplicas)) -}}
{{- fail (printf "engines.%s: a version goes live when all servers have it, and those that are scaled away never would; set swap to none, or minReplicas and maxReplicas to the same" .pool) -}}
{{- end -}}
{{- if and (ne $pool.swap "none") (eq .root.Values.workers.mode "sidecar") (eq .pool .root.Values.engine.pool) -}}
{{- fail (printf "engines.%s: one worker swaps the weights of all servers, and does not reach those in other pods; set swap to none, or workers.mode to shared" .pool) -}}
{{- end -}}
{{- end -}}

{{- define "banyan.checkTrainer" -}}
{{- if not .Values.trainer.evaluationPool -}}
{{- fail "trainer.evaluationPool: name a pool of engines that serves nobody else; versions are measured on it" -}}
{{- end -}}
{{- if and (eq .Values.trainer.evaluationPool .Values.engine.pool) (not .Values.engine.urls) -}}
{{- fail "trainer.evaluationPool: it serves requests (engine.pool); name another pool" -}}
{{- end -}}
{{- $pool := include "banyan.pool" (dict "root" . "pool" .Values.trainer.evaluationPool) | fromYaml -}}
{{- if eq $pool.swap "none" -}}
{{- fail (printf "engines.%s.swap: versions are loaded into this pool to be measured; set it to adapters or full" .Values.trainer.evaluationPool) -}}
{{- end -}}
{{- if not .Values.trainer.model -}}
{{- fail "trainer.model: name the folder of the base model on trainer.modelVolume" -}}
{{- end -}}
{{- if not .Values.trainer.modelVolume.existingClaim -}}
{{- fail "trainer.modelVolume.existingClaim: name the claim that holds the base model" -}}
{{- end -}}
{{- if .Values.settings.trajectory_url -}}
{{- fail "settings.trajectory_url: the trainer reads the log's folder, and nothing would be in it; leave trajectory_url out, or turn the trainer off and train elsewhere on what banyan-train export makes of the bucket" -}}
{{- end -}}
{{- if not .Values.data.trajectories -}}
{{- fail "data.trajectories: the trainer learns from the log; set it to true" -}}
{{- end -}}
{{- if not .Values.apiKey.existingSecret -}}
{{- fail "apiKey.existingSecret: the trainer calls the service; name the Secret with its key (scopes solve, documents, policies)" -}}
{{- end -}}
{{- end -}}
