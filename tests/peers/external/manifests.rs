//! The folder `istio/` as kustomize and Helm render it: what comes out is what `check` takes, Istio's definitions know, and the
//! other of the two writes.

mod chart;
mod guides;
pub(super) mod kustomize;
pub(super) mod rendered;
mod without_istio;
