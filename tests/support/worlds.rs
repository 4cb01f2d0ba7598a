//! One request in both worlds: through the filter as native code, and through the compiled guest on the host.
//!
//! The two draw different random ids, so ids that did not come in are named by the order in which they appear. What is
//! left must be equal to the last byte: headers, spans, counters.

mod digits;

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use sidespan_core::config::Config;
use sidespan_core::direction::Direction;
use sidespan_core::filter::{Filter, StreamState};
use sidespan_core::id_generator::SequentialBytes;
use sidespan_core::in_memory::header_list::HeaderList;
use sidespan_core::in_memory::proxy::InMemoryProxy;
use sidespan_core::in_memory::stream_record::Record;
use sidespan_core::node::Node;
use sidespan_core::otlp::span::encode;
use sidespan_core::time::Nanos;
use sidespan_host::{Action, EndOfStream, Ending, Headers, Host, Module, StreamProperties};

/// A header as a client may send it.
pub type Header = (&'static str, Vec<u8>);

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The plugin's configuration.
    pub configuration: String,
    /// Which way the listener faces.
    pub direction: Direction,
    /// The headers that the caller sends.
    pub headers: Vec<Header>,
    /// The status that the upstream answers with.
    pub status: u16,
}

/// The result of a request, with fresh ids under names of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The headers that went upstream, as text and in order.
    pub headers: Vec<(String, String)>,
    /// The spans, without their times.
    pub spans: Vec<Span>,
    /// The counters of contexts and decisions that moved.
    pub counters: BTreeMap<String, u64>,
}

impl Request {
    /// Through both worlds.
    ///
    /// # Panics
    /// When they differ.
    pub fn exchange(&self) -> Outcome {
        let native = self.natively();
        let guest = self.in_the_guest();
        assert_eq!(native, guest, "natively and in the guest: {self:?}");
        native
    }

    /// Through the filter as native code.
    ///
    /// # Panics
    /// When the configuration is bad.
    pub fn natively(&self) -> Outcome {
        let config = Config::parse(self.configuration.as_bytes()).expect("a good configuration");
        let node = Node {
            namespace: Some(NAMESPACE.into()),
            labels: vec![("app".into(), APP.into())],
            ..Node::default()
        };
        let proxy = InMemoryProxy::default();
        proxy.face(self.direction);
        proxy.now.set(Nanos(1));
        proxy.open(HeaderList::new(self.headers.iter().cloned()));
        let (ids, exporter) = (SequentialBytes(1), Some(Vec::new()));
        let mut filter = Filter::new(&config, &node, "", proxy, ids, exporter, None);
        let mut stream = StreamState::default();
        filter.on_request_headers(&mut stream);
        // What the host says of every stream.
        let record = Record::answered(self.status).property("request.protocol", "HTTP/1.1");
        filter.proxy.respond(record);
        filter.on_response_headers(&mut stream, true);
        filter.proxy.now.set(Nanos(2));
        filter.on_end(&mut stream);
        let spans = filter.exporter.iter().flatten();
        let spans = spans.map(|span| Span::decode(&encode(span)[..]).expect("a span"));
        let counters = filter
            .state
            .stats
            .take()
            .map(|(counter, count)| (counter.name().to_owned(), count))
            .collect();
        let headers = filter.proxy.request.borrow();
        self.named(
            headers.iter().map(lossy).collect(),
            spans.collect(),
            counters,
        )
    }

    /// Through the compiled guest.
    ///
    /// # Panics
    /// When the guest does not start, or traps.
    pub fn in_the_guest(&self) -> Outcome {
        let mut guest = Guest::start(&self.configuration);
        let headers = guest.request(self.direction, &self.headers, self.status);
        // Two seconds are more than any delay of a batch in these tests.
        guest.host.advance(Duration::from_secs(2));
        let spans = guest.exported();
        guest.host.advance(Duration::from_secs(2));
        let counters = guest.counters();
        self.named(headers, spans, counters)
    }

    fn named(
        &self,
        headers: Vec<(String, String)>,
        mut spans: Vec<Span>,
        counters: BTreeMap<String, u64>,
    ) -> Outcome {
        for span in &mut spans {
            assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
            span.start_time_unix_nano = 0;
            span.end_time_unix_nano = 0;
        }
        let mut names = Names::new(&self.headers);
        let headers: Vec<_> = headers
            .into_iter()
            .map(|(name, value)| names.in_digits(name, value))
            .collect();
        for (_, value) in &headers {
            names.meet(value);
        }
        for span in &spans {
            for id in [&span.trace_id, &span.parent_span_id, &span.span_id] {
                names.meet(&hex::encode(id));
            }
        }
        for span in &mut spans {
            for id in [
                &mut span.trace_id,
                &mut span.parent_span_id,
                &mut span.span_id,
            ] {
                *id = names.rename(&hex::encode(&id)).into_bytes();
            }
            span.trace_state = names.rename(&span.trace_state);
        }
        Outcome {
            headers: headers
                .into_iter()
                .map(|(name, value)| (name, names.rename(&value)))
                .collect(),
            spans,
            counters: counters
                .into_iter()
                .filter(|(name, _)| {
                    ["context.", "sampled.", "dropped."]
                        .iter()
                        .any(|prefix| name.starts_with(prefix))
                })
                .collect(),
        }
    }
}

/// The compiled filter, running on the host.
pub struct Guest {
    /// The host.
    pub host: Host,
}

impl Guest {
    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(configuration: &str) -> Self {
        let host = Host::builder(module())
            .plugin_name("sidespan")
            .root_id("sidespan")
            .plugin_configuration(configuration)
            .property(["xds", "node", "id"], "sidecar~10.0.0.1~cart.payments")
            .property(["xds", "node", "metadata", "NAMESPACE"], NAMESPACE)
            .property(["xds", "node", "metadata", "WORKLOAD_NAME"], "cart")
            .property(["xds", "node", "metadata", "LABELS", "app"], APP)
            .cluster("collector")
            .start();
        Self {
            host: host.unwrap_or_else(|error| panic!("{error}")),
        }
    }

    /// One whole request; returns the headers that went upstream.
    ///
    /// # Panics
    /// When the guest traps.
    pub fn request(
        &mut self,
        direction: Direction,
        headers: &[Header],
        status: u16,
    ) -> Vec<(String, String)> {
        let properties = StreamProperties::new().listener_direction(match direction {
            Direction::Inbound => 1,
            Direction::Outbound => 2,
            Direction::Edge => 0,
        });
        let stream = self.host.open_stream(properties);
        let headers: Headers = headers.iter().cloned().collect();
        let asked = self.host.request_headers(stream, headers, EndOfStream::Yes);
        let status = [(":status", status.to_string())];
        let present = self.host.response_headers(stream, status, EndOfStream::Yes);
        assert_eq!(
            [asked, present],
            [Action::Continue; 2],
            "it never stops a request"
        );
        let ended = self.host.end(stream, Ending::Complete).expect("one end");
        assert_eq!(self.host.trap(), None);
        ended
            .request()
            .headers()
            .map(|headers| headers.iter().map(lossy_bytes).collect())
            .unwrap_or_default()
    }

    /// Takes the spans of all requests to the collector that are due, and answers them.
    ///
    /// # Panics
    /// When a request is not OTLP.
    pub fn exported(&mut self) -> Vec<Span> {
        let mut spans = Vec::new();
        for call in self.host.calls() {
            let request = ExportTraceServiceRequest::decode(&call.body[..]).expect("OTLP");
            spans.extend(
                request
                    .resource_spans
                    .into_iter()
                    .flat_map(|resource| resource.scope_spans)
                    .flat_map(|scope| scope.spans),
            );
            self.host
                .reply(call.token, [(":status", "200")], b"", Headers::new())
                .expect("a call under way");
        }
        spans
    }

    /// The counters that moved, without the common prefix.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        self.host
            .shared()
            .counters()
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| (name.trim_start_matches("sidespan.").to_owned(), count))
            .collect()
    }
}

/// The filter, compiled once for all tests.
///
/// # Panics
/// When it is no module.
pub fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| Module::compile(sidespan::FILTER).expect("the filter is a module"))
}

/// Ids that nobody sent, by the order of their appearance.
struct Names {
    sent: String,
    names: Vec<String>,
}

impl Names {
    fn new(headers: &[Header]) -> Self {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, String::from_utf8_lossy(value)))
            .collect();
        let headers = headers.iter().map(|(name, value)| (*name, &**value));
        let mut sent = digits::of_headers(headers.clone());
        for (_, value) in headers {
            sent = sent + "\n" + value;
        }
        Self {
            // Upper case that came in leaves as lower case.
            sent: sent.to_lowercase(),
            names: Vec::new(),
        }
    }

    /// The header with its ids in digits, if one of them is to have a name.
    fn in_digits(&self, name: String, value: String) -> (String, String) {
        match digits::spelled(&name, &value) {
            Some(spelled) if self.unknown(&spelled).next().is_some() => (name, spelled),
            _ => (name, value),
        }
    }

    /// The ids in a text that nobody sent.
    fn unknown<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        text.split(|character: char| !matches!(character, '0'..='9' | 'a'..='f'))
            .filter(|run| run.len() == 32 || run.len() == 16)
            // A short id that came in may leave padded.
            .filter(|run| !self.sent.contains(run.trim_start_matches('0')))
    }

    fn meet(&mut self, text: &str) {
        let unknown: Vec<&str> = self.unknown(text).collect();
        for run in unknown {
            if !self.names.iter().any(|name| name == run) {
                self.names.push(run.into());
            }
        }
    }

    fn rename(&self, text: &str) -> String {
        let mut renamed = text.to_owned();
        for (number, id) in self.names.iter().enumerate() {
            renamed = renamed.replace(id, &format!("{{new {number}}}"));
        }
        renamed
    }
}

fn lossy((name, value): (&str, &[u8])) -> (String, String) {
    lossy_bytes((name.as_bytes(), value))
}

fn lossy_bytes((name, value): (&[u8], &[u8])) -> (String, String) {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (text(name), text(value))
}

const NAMESPACE: &str = "payments";
const APP: &str = "cart";
