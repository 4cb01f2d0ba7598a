//! `/api/metrics/…`, which Jaeger's page asks for rates: answered as by a Jaeger without a store for metrics.

use http::{Response, StatusCode};
use tonic::body::Body;

use super::answer::error;
use super::form::Form;
use super::go::float;
use super::parameters::{MILLISECOND, flag, time, unparsed};

/// Returns true for a path below `/api/metrics/`; others of that name are Tempo's.
pub(super) fn is_known(name: &str) -> bool {
    matches!(name, "latencies" | "calls" | "errors" | "minstep")
}

/// Answers one of them.
pub(super) fn answer(name: &str, form: &Form) -> Response<Body> {
    match check(name, form) {
        Err(cause) => error(StatusCode::BAD_REQUEST, &cause),
        Ok(()) => {
            let cause = "metrics querying is currently disabled";
            error(StatusCode::NOT_IMPLEMENTED, cause)
        }
    }
}

fn check(name: &str, form: &Form) -> Result<(), String> {
    if name == "minstep" {
        return Ok(());
    }
    if name == "latencies" {
        float(form.first("quantile")).map_err(|cause| unparsed("quantile", &cause))?;
    }
    if !form.has("service") {
        let cause = "please provide at least one service name";
        return Err(unparsed("service", cause));
    }
    flag(form, "groupByOperation")?;
    for kind in form.all("spanKind") {
        if !KINDS.contains(&kind) {
            let cause = format!("unsupported span kind: '{kind}'");
            return Err(unparsed("spanKind", &cause));
        }
    }
    for name in ["endTs", "lookback", "step", "ratePer"] {
        time(form, name, MILLISECOND)?;
    }
    Ok(())
}

const KINDS: [&str; 6] = [
    "unspecified",
    "internal",
    "server",
    "client",
    "producer",
    "consumer",
];
