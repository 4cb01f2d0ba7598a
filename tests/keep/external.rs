//! Spans kept late, on real Envoys.

mod kept_paths;
