//! The two tiers of `istio/observability/collector`: real Collectors read their files, and take the mesh's spans to a backend.
//!
//! ```text
//! load ── gateway ── front ── …     five proxies on real Envoys (shop), or two (mesh)
//!            └─────────┬──┘
//!                    agent          base/config/agent.yaml
//!                   ┌──┴──┐         by the trace's id
//!              gateway   gateway    filter-decides or gateway-decides
//!                   └──┬──┘
//!                   Jaeger          or the sink
//! ```

mod backend;
mod certificates;
mod exemplars;
mod filter_decides;
mod gateway_decides;
mod installed;
mod killed;
mod mesh;
mod scene;
mod shop;
mod sizing;
mod tls;
mod validate;

pub(super) use scene::{agent, gateway};
