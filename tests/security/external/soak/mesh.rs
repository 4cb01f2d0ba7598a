//! The mesh: six services, their sidecars, one collector, and what happens to them.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use sidespan_envoy::{
    Bootstrap, Cluster, Direction, Envoy, ExtensionFile, Listener, Node, Route, Verdict, wait_for,
};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::draw::Draw;
use sidespan_tests::envoy::{self, LIMIT, filter, filter_with};
use sidespan_tests::http::{Request, Server, send};
use sidespan_tests::under_fire::{Delivery, balance, memory_kib};

use super::service::{self, SERVICES, SPANS};
use crate::security::external::faults::collector::reply;
use crate::security::external::faults::configurations::{CLUSTERS, broken, good};

pub(super) struct Mesh {
    collector: Collector,
    sidecars: Vec<Sidecar>,
    _services: Vec<Server>,
    replies: usize,
    outages: u64,
    applied: u64,
    refused: u64,
}

struct Sidecar {
    envoy: Envoy,
    file: ExtensionFile,
    _folder: tempfile::TempDir,
}

impl Mesh {
    pub(super) fn start() -> Self {
        let collector = Collector::start();
        let mut sidecars: Vec<Sidecar> = Vec::new();
        let mut services = Vec::new();
        for service in SERVICES {
            let way_out = Arc::default();
            let server = service::start(service, &way_out);
            let ways: Vec<_> = service
                .callees
                .iter()
                .map(|callee| (*callee, address_of(&sidecars, callee)))
                .collect();
            let sidecar = Sidecar::start(service.name, server.address(), &ways, &collector);
            set(
                &way_out,
                sidecar.envoy.address("outbound").expect("a listener"),
            );
            sidecars.push(sidecar);
            services.push(server);
        }
        Self {
            collector,
            sidecars,
            _services: services,
            replies: 0,
            outages: 0,
            applied: 0,
            refused: 0,
        }
    }

    /// Returns where requests from outside come in.
    pub(super) fn way_in(&self) -> SocketAddr {
        address_of(&self.sidecars, "front")
    }

    /// Lets the collector fail, or gives a sidecar another configuration, and waits until that is so.
    pub(super) fn something_happens(&mut self, draw: &mut Draw) {
        match draw.below(4) {
            0 => {
                let replies: Vec<_> = (0..=draw.below(12)).map(|_| reply(draw)).collect();
                self.replies += replies.len();
                self.collector.sink().script(replies);
            }
            1 if draw.one_in(4) => {
                self.outages += 1;
                self.collector.pause();
                self.some_requests();
                self.collector.resume();
            }
            2 => {
                let at = draw.below(self.sidecars.len());
                let text = broken(draw, self.applied + self.refused + 1);
                self.sidecars[at].gets(&text, Verdict::Refused);
                self.refused += 1;
            }
            _ => {
                let at = draw.below(self.sidecars.len());
                let text = good(draw, self.applied + self.refused + 1).to_string();
                self.sidecars[at].gets(&text, Verdict::Applied);
                self.applied += 1;
            }
        }
        self.some_requests();
    }

    /// Waits until some more requests have come in.
    fn some_requests(&self) {
        let front = &self.sidecars.last().expect("a front").envoy;
        let requests = || front.stat("http.inbound.downstream_rq_total").ok()?;
        let seen = requests().unwrap_or(0);
        let more = wait_for(LIMIT, || (requests()? > seen + 20).then_some(()));
        assert!(more.is_some(), "requests go on");
    }

    /// Gives all the configuration that they began with.
    pub(super) fn calms_down(&mut self) {
        for sidecar in &self.sidecars {
            let mut configuration = calm();
            configuration["spans"] = json!({"conventions": "old"});
            sidecar.gets(&configuration.to_string(), Verdict::Applied);
        }
    }

    /// Balances each sidecar's spans with its requests, and those of all with what the collector has; returns the sum.
    pub(super) fn balance(&self) -> Delivery {
        let sidecars = self.sidecars.iter().map(|Sidecar { envoy, .. }| {
            let requests = ["inbound", "outbound"].map(|listener| {
                let name = format!("http.{listener}.downstream_rq_total");
                envoy.stat(&name).expect("a number").unwrap_or(0)
            });
            (envoy, requests.iter().sum())
        });
        let delivery = balance(&sidecars.collect::<Vec<_>>(), &self.collector);
        assert!(delivery.exported > delivery.given_up, "{delivery}");
        delivery
    }

    /// Sends a request without a fault, whose spans are one tree.
    pub(super) fn traces_a_request_whole(&self) {
        let caller = Caller::fresh();
        let request = Request::get("/front/none/fails").header("traceparent", caller.traceparent());
        assert_eq!(send(self.way_in(), &request).status, 200);
        let spans = self.collector.trace(&caller.trace_id, SPANS);
        let ids: BTreeSet<_> = spans.iter().map(|span| Some(&span.span_id)).collect();
        let parents = spans.iter().map(|span| span.parent_span_id.as_ref());
        let outside: Vec<_> = parents.filter(|parent| !ids.contains(parent)).collect();
        assert_eq!((spans.len(), outside), (SPANS, vec![Some(&caller.span_id)]));
    }

    pub(super) fn memory_kib(&self) -> Vec<u64> {
        let sidecars = self.sidecars.iter();
        sidecars.map(|sidecar| memory_kib(&sidecar.envoy)).collect()
    }

    pub(super) fn figures(&self) -> impl Display + use<> {
        format!(
            "{} answers of a collector in trouble, {} outages, {} configurations and {} broken ones",
            self.replies, self.outages, self.applied, self.refused
        )
    }
}

impl Sidecar {
    fn start(
        name: &str,
        app: SocketAddr,
        ways_out: &[(&str, SocketAddr)],
        collector: &Collector,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = ExtensionFile::create(&folder.path().join("filter.json"), &filter(&calm()))
            .expect("the first configuration");
        let [(_, grpc), (_, http)] = CLUSTERS;
        let inbound = Listener::new("inbound")
            .direction(Direction::Inbound)
            .with("delayed_close_timeout", json!("0.01s"))
            .route(Route::to("app"))
            .filter(file.filter());
        let mut outbound = Listener::new("outbound")
            .direction(Direction::Outbound)
            .with("delayed_close_timeout", json!("0.01s"))
            .filter(file.filter());
        let mut bootstrap =
            Bootstrap::new(Node::sidecar("shop", &format!("{name}-7d9c5b8f6-x2x4z")))
                .cluster(Cluster::new("app", app))
                .cluster(collector.grpc_cluster(grpc))
                .cluster(collector.http_cluster(http));
        for (callee, address) in ways_out {
            bootstrap = bootstrap.cluster(Cluster::new(callee, *address));
            let route = Route::to(callee).prefix(&format!("/{callee}/"));
            let limit = SERVICES.iter().find(|service| service.name == *callee);
            let limit = limit.expect("a service").limit;
            outbound = outbound.route(route.with("timeout", json!(limit)));
        }
        Self {
            envoy: envoy::start(&bootstrap.listener(inbound).listener(outbound)),
            file,
            _folder: folder,
        }
    }

    fn gets(&self, configuration: &str, expected: Verdict) {
        let verdict = self
            .file
            .replace(&filter_with(configuration), &self.envoy, LIMIT);
        assert_eq!(verdict.expect("a verdict"), expected, "{configuration}");
    }
}

/// The configuration without faults.
fn calm() -> Value {
    json!({
        "propagation": {"inject": ["tracecontext", "b3", "jaeger"]},
        "sampling": {"percentage": 100},
        "export": {"otlp": {"cluster": CLUSTERS[0].1}},
    })
}

fn address_of(sidecars: &[Sidecar], name: &str) -> SocketAddr {
    let at = SERVICES.iter().position(|service| service.name == name);
    let sidecar = &sidecars[at.expect("a service")];
    sidecar.envoy.address("inbound").expect("a listener")
}

fn set(place: &OnceLock<SocketAddr>, address: SocketAddr) {
    place.set(address).expect("set once");
}
