//! Pods that each are an Envoy with a listener in and a listener out, an application between them, and what stands between
//! two pods.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use sidespan_envoy::{
    Bootstrap, Cluster, Direction, Envoy, HttpFilter, Listener, Node, Protocol, Route,
};
use sidespan_sink::StoredSpan;
use sidespan_sink::verify::{Cause, Verdict, by_trace, verify};
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, filter};
use sidespan_tests::http::{Received, Reply, Request, Server, send};

/// The headers of W3C, which a well-behaved application hands on.
pub(super) const W3C: &[&str] = &["traceparent", "tracestate"];
/// The headers of B3, which an old one hands on.
pub(super) const B3: &[&str] = &["x-b3-traceid", "x-b3-spanid", "x-b3-sampled"];

/// A pod: a service and its sidecar.
pub(super) struct Pod {
    name: &'static str,
    forwards: &'static [&'static str],
    inbound: Value,
    outbound: Value,
    answer: u16,
    calls: Vec<(&'static str, SocketAddr)>,
    route: fn(Route) -> Route,
    clusters: Vec<Cluster>,
    collector: Option<SocketAddr>,
}

/// Returns the filter's configuration: sections in place of those of a service that samples everything.
pub(super) fn configuration(sections: &Value) -> Value {
    let mut whole = json!({
        "sampling": {"percentage": 100},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
    });
    for (key, value) in sections.as_object().into_iter().flatten() {
        whole[key] = value.clone();
    }
    whole
}

impl Pod {
    /// Returns a pod whose application hands on W3C's headers and calls nobody.
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            forwards: W3C,
            inbound: configuration(&json!({})),
            outbound: configuration(&json!({})),
            answer: 200,
            calls: Vec::new(),
            route: |route| route,
            clusters: Vec::new(),
            collector: None,
        }
    }

    /// Sets the headers that the application hands on.
    pub(super) fn forwards(mut self, headers: &'static [&'static str]) -> Self {
        self.forwards = headers;
        self
    }

    /// Sets sections of the filter's configuration on both sides.
    pub(super) fn configured(self, sections: &Value) -> Self {
        self.inbound_configured(sections)
            .outbound_configured(sections)
    }

    /// Sets sections of the filter's configuration on the way in.
    pub(super) fn inbound_configured(mut self, sections: &Value) -> Self {
        self.inbound = configuration(sections);
        self
    }

    /// Sets sections of the filter's configuration on the way out.
    pub(super) fn outbound_configured(mut self, sections: &Value) -> Self {
        self.outbound = configuration(sections);
        self
    }

    /// Adds a call that every request causes.
    pub(super) fn calls(mut self, callee: &'static str, address: SocketAddr) -> Self {
        self.calls.push((callee, address));
        self
    }

    /// Sets the status with which the application answers.
    pub(super) fn answers(mut self, status: u16) -> Self {
        self.answer = status;
        self
    }

    /// Sets fields of the route of every call.
    pub(super) fn route(mut self, change: fn(Route) -> Route) -> Self {
        self.route = change;
        self
    }

    /// Adds a cluster.
    pub(super) fn cluster(mut self, cluster: Cluster) -> Self {
        self.clusters.push(cluster);
        self
    }

    /// Sends the spans elsewhere than to the mesh's collector.
    pub(super) fn exports_to(mut self, collector: SocketAddr) -> Self {
        self.collector = Some(collector);
        self
    }
}

/// A mesh, and where its spans go.
pub(super) struct Mesh {
    pub(super) collector: Collector,
    envoys: Vec<Envoy>,
    applications: Vec<Server>,
}

impl Mesh {
    pub(super) fn new() -> Self {
        Self {
            collector: Collector::start(),
            envoys: Vec::new(),
            applications: Vec::new(),
        }
    }

    /// Starts a pod, and returns the address of its way in.
    pub(super) fn pod(&mut self, pod: Pod) -> SocketAddr {
        let way_out = Arc::new(OnceLock::new());
        let application = {
            let (way_out, forwards) = (Arc::clone(&way_out), pod.forwards);
            let callees: Vec<&'static str> = pod.calls.iter().map(|(callee, _)| *callee).collect();
            let answer = pod.answer;
            Server::start(move |request| {
                for callee in &callees {
                    let address = *way_out.get().expect("requests come after the start");
                    call(request, forwards, callee, address);
                }
                Reply::status(answer)
            })
        };
        let listener = |name: &str, direction, configuration: &Value| {
            let listener = Listener::new(name).direction(direction);
            listener.filter(filter(configuration).filter())
        };
        let inbound = listener("inbound", Direction::Inbound, &pod.inbound);
        let mut outbound = listener("outbound", Direction::Outbound, &pod.outbound);
        let collector = pod
            .collector
            .unwrap_or_else(|| self.collector.sink().grpc_addr());
        let mut bootstrap = Bootstrap::new(Node::sidecar(
            "shop",
            &format!("{}-7d9c5b8f6-x2x4z", pod.name),
        ))
        .cluster(Cluster::new("collector", collector).protocol(Protocol::Http2))
        .cluster(Cluster::new("application", application.address()))
        .listener(inbound.route(Route::to("application")));
        for (callee, address) in &pod.calls {
            bootstrap = bootstrap.cluster(Cluster::new(callee, *address));
            outbound = outbound.route((pod.route)(Route::to(callee).authority(callee)));
        }
        for cluster in pod.clusters {
            bootstrap = bootstrap.cluster(cluster);
        }
        // A listener needs a route, also where nobody is called.
        outbound = outbound.route(Route::to("application").authority("nobody"));
        let envoy = envoy::start(&bootstrap.listener(outbound));
        let out = envoy.address("outbound").expect("a listener");
        way_out.set(out).expect("set once");
        let address = envoy.address("inbound").expect("a listener");
        self.envoys.push(envoy);
        self.applications.push(application);
        address
    }

    /// Starts an Envoy with one listener, called `listener`, and returns its address.
    pub(super) fn proxy(
        &mut self,
        name: &str,
        listener: Listener,
        clusters: Vec<Cluster>,
    ) -> SocketAddr {
        self.proxy_of(Node::plain(name, name), listener, clusters)
    }

    /// Starts an Envoy with this node and one listener, called `listener`, and returns its address.
    pub(super) fn proxy_of(
        &mut self,
        node: Node,
        listener: Listener,
        clusters: Vec<Cluster>,
    ) -> SocketAddr {
        let mut bootstrap = Bootstrap::new(node).listener(listener);
        for cluster in clusters {
            bootstrap = bootstrap.cluster(cluster);
        }
        let envoy = envoy::start(&bootstrap);
        let address = envoy.address("listener").expect("a listener");
        self.envoys.push(envoy);
        address
    }

    /// Starts a gateway in front of an address, whose listener is changed.
    pub(super) fn gateway(
        &mut self,
        to: SocketAddr,
        change: impl FnOnce(Listener) -> Listener,
    ) -> SocketAddr {
        let listener = change(Listener::new("listener").route(Route::to("upstream")));
        let dead = self.nowhere();
        let clusters = vec![
            Cluster::new("upstream", to),
            Cluster::new("nowhere", dead).protocol(Protocol::Http2),
        ];
        self.proxy("gateway", listener, clusters)
    }

    /// Keeps a server for as long as the mesh.
    pub(super) fn keep(&mut self, server: Server) -> SocketAddr {
        let address = server.address();
        self.applications.push(server);
        address
    }

    /// Returns an address that takes whatever comes and keeps nothing.
    pub(super) fn nowhere(&mut self) -> SocketAddr {
        self.keep(Server::ok())
    }

    /// Sends a request without any context.
    pub(super) fn request(&self, address: SocketAddr) {
        let answer = send(address, &Request::get("/"));
        assert!(answer.status >= 200, "an answer");
    }

    /// Waits until so many spans have come, and returns the verdicts on all of their traces.
    pub(super) fn verdicts(&self, spans: usize) -> Vec<Verdict> {
        verify(&by_trace(self.spans(spans)))
    }

    /// Waits until so many spans have come, and returns them.
    pub(super) fn spans(&self, spans: usize) -> Vec<StoredSpan> {
        self.collector.wait(|now| {
            (now.spans.len() >= spans)
                .then(|| now.spans.iter().map(|span| (**span).clone()).collect())
        })
    }
}

/// Returns a filter of Lua that sees each request.
pub(super) fn lua(code: &str) -> HttpFilter {
    HttpFilter::new(
        "envoy.filters.http.lua",
        json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": {"inline_string": format!("function envoy_on_request(handle)\n{code}\nend")},
        }),
    )
}

/// Returns each finding once, as `kind cause from->to`.
pub(super) fn found(verdicts: &[Verdict]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for finding in verdicts.iter().flat_map(|verdict| &verdict.findings) {
        let hop = finding.hop.as_ref();
        let hop = hop.map_or("-".into(), |hop| format!("{}->{}", hop.from, hop.to));
        let cause = finding.cause.map_or("-", Cause::name);
        let line = format!("{} {cause} {hop}", finding.kind.name());
        if !all.contains(&line) {
            all.push(line);
        }
    }
    all
}

fn call(request: &Received, forwards: &[&str], callee: &str, address: SocketAddr) {
    let mut call = Request::to("GET", callee, &format!("/{callee}"));
    for name in forwards {
        if let Some(value) = request.headers.one(name) {
            call = call.header(name, value);
        }
    }
    send(address, &call);
}
