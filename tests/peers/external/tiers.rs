//! The two tiers of `istio/observability/collector`: real Collectors read their files, and take the mesh's spans to a backend.
//!
//! ```text
//! load ── front ── stock        two sidecars on real Envoys
//!            └──┬──┘
//!             agent             base/config/agent.yaml
//!            ┌──┴──┐            by the trace's id
//!       gateway   gateway       filter-decides or gateway-decides
//!          │         │
//!        sink      sink         or one for both
//! ```

mod certificates;
mod exemplars;
mod filter_decides;
mod gateway_decides;
mod installed;
mod killed;
mod mesh;
mod scene;
mod tls;
mod validate;

pub(super) use scene::{agent, gateway};
