//! The filter under Istio: shipped manifests, applied to a control plane, as agents bring them to Envoys.

mod attempts;
mod changes;
mod clusters;
mod components;
mod images;
pub(super) mod path;
mod traces;
mod waypoints;
