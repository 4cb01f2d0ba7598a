//! Two sidecars, and every journey of a request through them.
//!
//! ```text
//! caller ── A outbound ── B inbound ── app ── B outbound ── end
//! ```
//!
//! The caller writes one format; the app passes the headers of one format on, verbatim, before it answers, and nothing
//! else. Both sidecars have the same configuration.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use serde_json::json;
use sidespan_core::propagation::format::Format;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route};
use sidespan_sink::{SpanKind, StoredSpan};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::dialect::{self, Context, State};
use sidespan_tests::envoy::{self, filter};
use sidespan_tests::http::{Headers, Received, Reply, Request, Server, send};

use super::{losses, narrowed_for};

/// The two sidecars, and the result of every journey.
pub(super) struct Mesh {
    pub(super) caller: Envoy,
    pub(super) app: Envoy,
    pub(super) journeys: Vec<Journey>,
}

/// A journey: a call by a service of one format to a service of another, and from there to the end.
pub(super) struct Journey {
    /// The caller's format.
    pub(super) caller: Format,
    /// The format of the app between caller and end.
    pub(super) service: Format,
    /// The caller's context.
    pub(super) said: Context,
    app: Headers,
    end: Headers,
    spans: Vec<StoredSpan>,
}

impl Mesh {
    /// Starts the mesh and makes every journey.
    pub(super) fn travelled() -> Self {
        let collector = Collector::start();
        let end = Server::ok();
        let outbound: Arc<OnceLock<SocketAddr>> = Arc::default();
        let way_out = Arc::clone(&outbound);
        let app = Server::start(move |request| {
            hand_on(
                request,
                *way_out.get().expect("requests come after the start"),
            );
            Reply::status(200)
        });
        let start = |workload: &str, listeners: [(&str, Direction, SocketAddr); 2]| {
            let node = Node::sidecar("payments", &format!("{workload}-7d9c5b8f6-x2x4z"));
            let mut bootstrap = Bootstrap::new(node).cluster(collector.grpc_cluster("collector"));
            for (name, direction, target) in listeners {
                let listener = Listener::new(name)
                    .direction(direction)
                    .route(Route::to(name));
                bootstrap = bootstrap
                    .cluster(Cluster::new(name, target))
                    .listener(listener.filter(filter(&configuration()).filter()));
            }
            envoy::start(&bootstrap)
        };
        let served = start(
            "app",
            [
                ("inbound", Direction::Inbound, app.address()),
                ("outbound", Direction::Outbound, end.address()),
            ],
        );
        let address = |envoy: &Envoy, listener| envoy.address(listener).expect("a listener");
        outbound
            .set(address(&served, "outbound"))
            .expect("set once");
        let calling = start(
            "caller",
            [
                // No service calls the caller.
                ("inbound", Direction::Inbound, end.address()),
                ("outbound", Direction::Outbound, address(&served, "inbound")),
            ],
        );
        let way_in = address(&calling, "outbound");
        let mut journeys: Vec<Journey> = itineraries()
            .enumerate()
            .map(|(number, (caller, service, said))| {
                let path = format!("/{}/{number}", service.name());
                let lines = losses::enriched(caller, said.state, dialect::write(caller, &said));
                let request = lines
                    .iter()
                    .fold(Request::get(&path), |request, (name, value)| {
                        request.header(name, value)
                    });
                assert_eq!(send(way_in, &request).status, 200);
                Journey {
                    caller,
                    service,
                    said,
                    app: app.only(&path).headers,
                    end: end.only(&path).headers,
                    spans: Vec::new(),
                }
            })
            .collect();
        // Where no full batch waits, each sidecar's spans arrive in the order in which they ended, so all have arrived when
        // those of a last call have.
        let last = Caller::fresh();
        let request = Request::get("/tracecontext/last").header("traceparent", last.traceparent());
        assert_eq!(send(way_in, &request).status, 200);
        collector.trace(&last.trace_id, 3);
        for journey in &mut journeys {
            let mut traces = vec![journey.said.trace_id.clone()];
            if journey.trace_id_behind() != traces[0] {
                traces.push(journey.trace_id_behind().into());
            }
            let spans = traces
                .iter()
                .flat_map(|trace| collector.sink().trace(trace));
            journey.spans = spans.collect();
            journey.spans.sort_by_key(|span| {
                let is_onward = span.service() == "app" && span.kind == SpanKind::Client;
                (is_onward, span.kind == SpanKind::Server)
            });
        }
        Self {
            caller: calling,
            app: served,
            journeys,
        }
    }
}

/// Returns every pair with every context that the caller can express, and a sampled one with an id of 64 bits.
fn itineraries() -> impl Iterator<Item = (Format, Format, Context)> {
    let pairs = Format::ALL
        .into_iter()
        .flat_map(|caller| Format::ALL.map(|service| (caller, service)));
    pairs.flat_map(|(caller, service)| {
        let has_room = caller != Format::OtTrace;
        let wide = State::ALL
            .into_iter()
            .filter(move |state| dialect::can_say(caller, *state))
            .map(move |state| (caller, service, context(state, has_room)));
        let narrow = has_room.then(|| (caller, service, context(State::Sampled, false)));
        wide.chain(narrow)
    })
}

fn context(state: State, is_wide: bool) -> Context {
    let Caller { trace_id, span_id } = Caller::fresh();
    let narrow = narrowed_for(Format::OtTrace, &trace_id);
    Context {
        trace_id: if is_wide { trace_id } else { narrow },
        span_id,
        state,
    }
}

fn hand_on(request: &Received, outbound: SocketAddr) {
    let service = request.path.split('/').nth(1);
    let service = Format::ALL
        .into_iter()
        .find(|format| Some(format.name()) == service);
    let spoken = dialect::headers(service.expect("a format in the path"));
    let onward = request.headers.only(spoken);
    let lines = onward.lines().iter();
    let onward = lines.fold(Request::get(&request.path), |onward, (name, value)| {
        onward.header(name, value)
    });
    send(outbound, &onward);
}

fn configuration() -> serde_json::Value {
    json!({
        "propagation": {"inject": Format::ALL.map(Format::name), "mirror": true},
        "sampling": {"percentage": 0},
        "trust": {"jaegerDebug": true},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
    })
}

impl Journey {
    /// Returns the context that the app reads in its own format.
    pub(super) fn at_app(&self) -> Option<Context> {
        dialect::read(self.service, |name| self.app.one(name))
    }

    /// Returns the context that the end reads in a format.
    pub(super) fn at_end(&self, format: Format) -> Option<Context> {
        dialect::read(format, |name| self.end.one(name))
    }

    /// Returns the value of a header at the end; empty where the header is missing.
    pub(super) fn end_header(&self, name: &str) -> String {
        self.end.one(name).unwrap_or_default()
    }

    /// Returns the sidecars' spans, in the order of the journey.
    pub(super) fn spans(&self) -> &[StoredSpan] {
        &self.spans
    }

    /// Returns the state in which the request reaches the app: nothing is sampled that the caller has not sampled.
    pub(super) fn arriving_state(&self) -> State {
        match self.said.state {
            State::Deferred => State::Unsampled,
            state => state,
        }
    }

    /// Returns the caller's trace id as a reader of the format knows it.
    pub(super) fn trace_id_at(&self, format: Format) -> String {
        narrowed_for(format, &self.said.trace_id)
    }

    /// Returns the trace id behind the app, from W3C's header there.
    pub(super) fn trace_id_behind(&self) -> &str {
        let traceparent = self.end.all("traceparent");
        let [value] = traceparent[..] else {
            panic!("a traceparent: {self}");
        };
        std::str::from_utf8(&value[3..35]).expect("hex digits")
    }
}

impl fmt::Display for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (caller, service) = (self.caller.name(), self.service.name());
        writeln!(f, "{caller} calls {service}, saying {:?}", self.said)?;
        write!(f, "the app got\n{}the end got\n{}", self.app, self.end)
    }
}
