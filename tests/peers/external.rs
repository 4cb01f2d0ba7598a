//! Real Collectors, a real Jaeger, a real Istio, a real RabbitMQ; kustomize and Helm.

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
mod messages;
mod metric_names;
mod parts;
mod prometheus;
mod tiers;
