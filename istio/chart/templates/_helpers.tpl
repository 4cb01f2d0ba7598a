{{/* What stands below metadata beside the name. */}}
{{- define "sidespan.metadata" -}}
namespace: {{ .Release.Namespace }}
{{- with .Values.revision }}
labels:
  istio.io/rev: {{ . | quote }}
{{- end }}
{{- end }}

{{/* The filter's configuration. */}}
{{- define "sidespan.configuration" -}}
{{- $otlp := dict "service" .Values.collector.service "port" (int .Values.collector.port) -}}
{{- $own := dict "export" (dict "otlp" $otlp) "sampling" (deepCopy .Values.sampling) -}}
{{- mustMergeOverwrite $own (deepCopy .Values.configuration) | toJson -}}
{{- end }}

{{/* The image and how it is fetched, as WasmPlugin and TrafficExtension have it. */}}
{{- define "sidespan.module" -}}
url: oci://{{ required "image: the registry, repository and tag or digest of the filter's image, such as registry.example.com/mesh/sidespan-filter:0.1.0" .Values.image }}
{{- with .Values.imagePullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
{{- with .Values.imagePullSecret }}
imagePullSecret: {{ . }}
{{- end }}
pluginName: sidespan
failStrategy: {{ .Values.failStrategy }}
pluginConfig:
  {{- include "sidespan.configuration" . | fromJson | toYaml | nindent 2 }}
{{- end }}

{{/* A Wasm filter of Envoy's own, from the file in the pod. */}}
{{- define "sidespan.envoy" -}}
name: {{ .name }}
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
  config:
    name: {{ .name }}
    root_id: {{ .name }}
    # Not failure_policy, which istiod before 1.25 drops.
    fail_open: true
    vm_config:
      runtime: envoy.wasm.runtime.v8
      code: {local: {filename: {{ .file }}}}
    configuration:
      "@type": type.googleapis.com/google.protobuf.StringValue
      value: {{ .configuration | quote }}
{{- end }}
