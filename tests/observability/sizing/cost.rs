//! The formulas of the page.

use serde_json::Value;

use super::{Constants, number};
use crate::observability::files::yaml;

/// A mesh, and all that the page computes with.
pub(super) struct Mesh {
    pub(super) services: f64,
    pub(super) requests: f64,
    pub(super) calls: f64,
    constants: Constants,
    cpu: Value,
    assumed: Value,
    sizes: Value,
    /// Spans that an agent's queue has room for.
    queue: f64,
}

/// The cost of a number of spans in a second, at the proxies and behind them.
pub(super) struct Cost {
    /// Spans a second that leave the proxies.
    pub(super) spans: f64,
    /// Megabytes a second of them, as they are and with gzip.
    pub(super) megabytes: [f64; 2],
    pub(super) proxy_cores: f64,
    pub(super) agent_cores: f64,
    /// The seconds for which an agent holds what comes while no gateway answers.
    pub(super) queue_seconds: f64,
    pub(super) gateways: f64,
    pub(super) gateway_cores: f64,
    pub(super) gateway_gib: f64,
    /// Spans a second that the backend gets.
    pub(super) stored: f64,
    pub(super) jaeger_cores: f64,
    pub(super) jaeger_gigabytes_a_day: f64,
}

impl Mesh {
    pub(super) fn read(mesh: &Value, whole: &Value, sizes: &Value) -> Self {
        let agent = yaml("collector/base/config/agent.yaml");
        let balancer = &agent["exporters"]["load_balancing"];
        Self {
            services: number(&mesh["services"]),
            requests: number(&mesh["requests_per_second"]),
            calls: number(&mesh["calls"]),
            constants: Constants::read(),
            cpu: whole["measured"]["cpu"].clone(),
            assumed: whole["assumed"].clone(),
            sizes: sizes.clone(),
            queue: number(&balancer["sending_queue"]["queue_size"]),
        }
    }

    pub(super) fn spans_of_a_request(&self) -> f64 {
        self.constants.spans_of_a_request(self.calls)
    }

    /// Returns the spans a second of all requests.
    pub(super) fn all(&self) -> f64 {
        self.requests * self.spans_of_a_request()
    }

    pub(super) fn pods(&self) -> f64 {
        self.services * self.assumed("pods_of_a_service")
    }

    pub(super) fn nodes(&self) -> f64 {
        (self.pods() / self.assumed("pods_of_a_node")).ceil()
    }

    /// Returns the cost where sidecars sample a share of the requests, and keep those that fail, another share.
    pub(super) fn filter_decides(&self, sampled: f64, failing: f64) -> Cost {
        let kept = self.kept(sampled, failing);
        let (sampled, all) = (self.all() * sampled, self.all());
        let proxies = sampled * self.cpu("sampled")
            + kept * self.cpu("kept")
            + (all - sampled - kept) * self.cpu("unsampled");
        let spans = sampled + kept;
        let share = number(&self.sizes["filter-decides"]["spans_per_second"]);
        let gateways = 1.0 + (spans / share).ceil().max(1.0);
        let of = [self.cpu("filter_decides"), 1.0];
        self.cost(spans, spans, proxies, gateways, of)
    }

    /// Returns the cost where sidecars send all, and the tail sampler keeps failures and a share of the rest.
    pub(super) fn gateway_decides(&self, failing: f64) -> Cost {
        let spans = self.all();
        let size = &self.sizes["gateway-decides"];
        let traces = number(&size["traces_per_second"]);
        let share = traces * number(&size["spans_per_trace"]);
        let needed = (spans / share).max(self.requests / traces).ceil().max(1.0);
        let gateways = 1.0 + needed;
        let tenth = spans * (1.0 - failing) * self.assumed("tail_percentage") / 100.0;
        let stored = spans * failing + tenth.min(gateways * self.assumed("tail_spans_per_second"));
        let proxies = spans * self.cpu("sampled");
        let of = [self.cpu("gateway_decides"), 4.0];
        self.cost(spans, stored, proxies, gateways, of)
    }

    /// Returns the spans a second that are kept of requests that fail, by the limit that each worker has.
    fn kept(&self, sampled: f64, failing: f64) -> f64 {
        let limit = self.assumed("kept_spans_per_second") * self.workers();
        (self.all() * failing * (1.0 - sampled)).min(limit)
    }

    /// Returns the limit of each worker with which no more than these are kept.
    pub(super) fn limit(&self, kept: f64) -> f64 {
        (kept / self.workers()).floor().max(1.0)
    }

    fn workers(&self) -> f64 {
        self.pods() * self.assumed("workers_of_a_proxy")
    }

    fn cost(&self, spans: f64, stored: f64, proxies: f64, gateways: f64, of: [f64; 2]) -> Cost {
        const MICROSECONDS: f64 = 1e6;
        let [gateway, gib] = of;
        let Constants {
            bytes_per_span,
            gzip_bytes_per_span,
            jaeger_bytes_per_span,
            ..
        } = self.constants;
        Cost {
            spans,
            megabytes: [bytes_per_span, gzip_bytes_per_span].map(|bytes| spans * bytes / 1e6),
            proxy_cores: proxies / MICROSECONDS,
            agent_cores: spans * self.cpu("agent") / MICROSECONDS,
            queue_seconds: self.queue / (spans / self.nodes()),
            gateways,
            gateway_cores: spans * gateway / MICROSECONDS,
            gateway_gib: gateways * gib,
            stored,
            jaeger_cores: stored * self.cpu("jaeger") / MICROSECONDS,
            jaeger_gigabytes_a_day: stored * jaeger_bytes_per_span * 86_400.0 / 1e9,
        }
    }

    fn cpu(&self, name: &str) -> f64 {
        number(&self.cpu[name])
    }

    pub(super) fn assumed(&self, name: &str) -> f64 {
        number(&self.assumed[name])
    }
}
