//! The sidecar with other programs: curl, and Envoy for what it has recorded.

mod curl;
mod record;
