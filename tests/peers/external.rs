//! Real Collectors, a real Jaeger, a real Istio; kustomize and Helm.

mod answers;
mod cluster;
mod corpus;
mod dashboards;
mod export;
mod file;
mod forward;
mod istio;
mod jaeger;
mod jaeger_answers;
mod jaeger_differences;
mod jaeger_pair;
mod jaeger_storage;
mod jaeger_worlds;
mod manifests;
mod metric_names;
mod parts;
mod prometheus;
mod tiers;
