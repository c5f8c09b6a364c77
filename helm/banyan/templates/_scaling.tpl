{{/* Up at once, to the double every 15 s at most; down after five quiet minutes, by a tenth a minute.
     Takes autoscaling. Where Prometheus does not answer, what runs is left as it is. */}}
{{- define "banyan.scaling" -}}
minReplicaCount: {{ int .minReplicas }}
maxReplicaCount: {{ int .maxReplicas }}
pollingInterval: {{ int .pollingSeconds }}
cooldownPeriod: {{ int .cooldownSeconds }}
fallback: {failureThreshold: 4, replicas: {{ max 1 (int .minReplicas) }}, behavior: currentReplicasIfHigher}
advanced:
  horizontalPodAutoscalerConfig:
    behavior:
      scaleUp:
        stabilizationWindowSeconds: 0
        policies:
          - {type: Percent, value: 100, periodSeconds: 15}
          - {type: Pods, value: 4, periodSeconds: 15}
      scaleDown:
        stabilizationWindowSeconds: 300
        policies:
          - {type: Percent, value: 10, periodSeconds: 60}
          - {type: Pods, value: 1, periodSeconds: 60}
{{- end -}}
