//! The cost of a request in the filter itself, on the built-in host: instructions of the guest, and calls to the proxy.
//!
//! Both figures are the same on every machine and at every load, so a change shows to the last instruction.
//! `sidespan bench --envoy` measures the cost in a real proxy.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sidespan_host::{
    Action, EndOfStream, Ending, Fuel, Headers, Host, Module, StreamProperties, Value,
};

use super::request_kind::{CLUSTER, RequestKind, USUAL};

/// The cost of a request of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Instructions of the guest at the stream's start and its request headers.
    pub request: u64,
    /// Instructions of the guest at the response's headers and body.
    pub response: u64,
    /// Instructions of the guest at the stream's end: `on_done`, `on_log`, `on_delete`.
    pub end: u64,
    /// Entries into the module: callbacks, and allocations for what the proxy hands over.
    pub entries: u64,
    /// Calls to the proxy, by name.
    pub calls: BTreeMap<String, u64>,
}

impl Cost {
    /// Returns the number of all instructions.
    pub fn instructions(&self) -> u64 {
        self.request + self.response + self.end
    }

    /// Returns the number of all calls.
    pub fn all_calls(&self) -> u64 {
        self.calls.values().sum()
    }
}

/// Compiles a filter so that its instructions are counted.
///
/// # Errors
/// When the bytes are no module.
pub fn metered(filter: &[u8]) -> Result<Module> {
    let module = Module::builder().fuel(Fuel::Metered).compile(filter);
    module.context("the filter cannot be compiled")
}

/// Measures one kind of request: the median of each part over several hundred requests, because the cost of an
/// allocation depends on earlier ones, and the fewest entries and calls. All leave out the work of one request in many, such as
/// drawing randomness.
///
/// # Errors
/// When the filter refuses the configuration, stops the request or traps.
pub fn measure(module: &Module, kind: &RequestKind) -> Result<Cost> {
    let configuration = match &kind.configuration {
        // Of a filter whose configuration is no JSON.
        serde_json::Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    let mut host = Host::builder(module)
        .plugin_name("sidespan")
        .plugin_configuration(configuration)
        .cluster(CLUSTER)
        .start()
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut parts: [Vec<u64>; 3] = Default::default();
    let mut fewest: Option<BTreeMap<String, u64>> = None;
    let mut entries = u64::MAX;
    for _ in 0..REQUESTS {
        host.clear_transcript();
        for (all, part) in parts.iter_mut().zip(request(&mut host, kind)?) {
            all.push(part);
        }
        entries = entries.min(host.transcript().entries());
        let calls: BTreeMap<String, u64> = host
            .transcript()
            .calls()
            .into_iter()
            .map(|(name, count)| (name.to_owned(), count))
            .collect();
        let sum = |calls: &BTreeMap<_, u64>| calls.values().sum::<u64>();
        if fewest
            .as_ref()
            .is_none_or(|fewest| sum(&calls) < sum(fewest))
        {
            fewest = Some(calls);
        }
    }
    if let Some(trap) = host.trap() {
        bail!("{}: the filter trapped: {trap}", kind.name);
    }
    let [request, response, end] = parts.map(median);
    Ok(Cost {
        request,
        response,
        end,
        entries,
        calls: fewest.unwrap_or_default(),
    })
}

/// Sends one request through its whole life and returns the instructions of its three parts.
fn request(host: &mut Host, kind: &RequestKind) -> Result<[u64; 3]> {
    let count = |host: &Host| host.fuel_used().context("a module that is not metered");
    let is_inbound = kind.configuration["direction"] != "outbound";
    let properties = StreamProperties::new()
        .listener_direction(if is_inbound { 1 } else { 2 })
        .set("source.address", Value::from("10.0.0.9:4711"))
        .set("upstream.address", Value::from("10.0.0.7:8080"))
        .set(
            "xds.cluster_name",
            Value::from("outbound|80||cart.shop.svc.cluster.local"),
        )
        .set("upstream.request_attempt_count", Value::Uint(1));
    let own = kind.headers.iter();
    let headers: Headers = USUAL
        .into_iter()
        .chain(own.map(|(name, value)| (name.as_ref(), value.as_ref())))
        .collect();
    let begun = count(host)?;
    let stream = host.open_stream(properties);
    let asked = host.request_headers(stream, headers, EndOfStream::Yes);
    let asked_at = count(host)?;
    let answer = [
        (":status", kind.status),
        ("content-type", "application/json"),
        ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("server", "envoy"),
        ("x-envoy-upstream-service-time", "1"),
    ];
    let answered = host.response_headers(stream, answer, EndOfStream::No);
    let ended = host.response_body(stream, b"{}", EndOfStream::Yes);
    let answered_at = count(host)?;
    if [asked, answered, ended] != [Action::Continue; 3] {
        bail!("{}: the filter stopped the request", kind.name);
    }
    host.end(stream, Ending::Complete)
        .context("a stream ends once")?;
    let ended_at = count(host)?;
    Ok([
        asked_at - begun,
        answered_at - asked_at,
        ended_at - answered_at,
    ])
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Number of measured requests, fewer than a batch so that no span is sent meanwhile.
const REQUESTS: usize = 301;
