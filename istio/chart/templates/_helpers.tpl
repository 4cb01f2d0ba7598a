{{/* What stands below metadata beside the name. */}}
{{- define "sidespan.metadata" -}}
namespace: {{ .Release.Namespace }}
{{- with .Values.revision }}
labels:
  istio.io/rev: {{ . | quote }}
{{- end }}
{{- end }}

{{/* The filter's configuration as JSON. A null takes a key out, as in values that Helm merges. */}}
{{- define "sidespan.configuration" -}}
{{- $otlp := dict "service" .Values.collector.service "port" (int .Values.collector.port) -}}
{{- $own := dict "export" (dict "otlp" $otlp) "sampling" (deepCopy .Values.sampling) -}}
{{- $merged := mustMergeOverwrite $own (deepCopy .Values.configuration) -}}
{{- include "sidespan.withoutNulls" $merged -}}
{{- $merged | toJson -}}
{{- end }}

{{/* Writes nothing: takes the keys whose value is null out of this map and of the maps in it. */}}
{{- define "sidespan.withoutNulls" -}}
{{- range $key, $value := . -}}
{{- if kindIs "invalid" $value -}}
{{- $_ := unset $ $key -}}
{{- else if kindIs "map" $value -}}
{{- include "sidespan.withoutNulls" $value -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Image, environment and configuration, as WasmPlugin and TrafficExtension have them; .configuration is a map. */}}
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
{{- with (.Values.vmConfig).env }}
vmConfig:
  env:
    {{- toYaml . | nindent 4 }}
{{- end }}
pluginConfig:
  {{- toYaml .configuration | nindent 2 }}
{{- end }}

{{/* A Wasm filter of Envoy's own, from the file in the pod; .configuration is JSON. */}}
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
      code: {local: {filename: {{ .Values.file }}}}
      {{- with include "sidespan.variables" (.Values.vmConfig).env | fromJson }}
      environment_variables:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    configuration:
      "@type": type.googleapis.com/google.protobuf.StringValue
      value: {{ .configuration | quote }}
{{- end }}

{{/* The list vmConfig.env as Envoy has it, as JSON: names of the proxy's own variables, and values by their names. */}}
{{- define "sidespan.variables" -}}
{{- $variables := dict -}}
{{- range . -}}
{{- if eq (default "INLINE" .valueFrom) "HOST" -}}
{{- $_ := set $variables "host_env_keys" (append (default list $variables.host_env_keys) .name) -}}
{{- else -}}
{{- $_ := set $variables "key_values" (set (default dict $variables.key_values) .name (default "" .value)) -}}
{{- end -}}
{{- end -}}
{{- $variables | toJson -}}
{{- end }}
