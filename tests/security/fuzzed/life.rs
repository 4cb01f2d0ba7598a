//! The life of one VM: steps in any order that a proxy can take them in, with bytes from the inputs.

use std::ops::AddAssign;
use std::time::Duration;

use sidespan_core::config::Config;
use sidespan_host::{
    Action, EndOfStream, Ending, Headers, HttpCall, LocalReply, StreamId, StreamProperties,
};
use sidespan_tests::accounts::assert_accounted;
use sidespan_tests::draw::Draw;
use sidespan_tests::worlds::Guest;

use super::inputs::Inputs;

/// The numbers of what was tried.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tried {
    pub(super) streams: u64,
    pub(super) answers: u64,
    pub(super) applied: u64,
    pub(super) refused: u64,
    pub(super) spans: u64,
}

impl AddAssign for Tried {
    fn add_assign(&mut self, other: Self) {
        self.streams += other.streams;
        self.answers += other.answers;
        self.applied += other.applied;
        self.refused += other.refused;
        self.spans += other.spans;
    }
}

/// The progress of a stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Asked,
    Answered,
    Whole,
}

pub(super) struct Life<'i> {
    draw: Draw,
    inputs: &'i Inputs,
    guest: Guest,
    open: Vec<(StreamId, Stage)>,
    calls: Vec<HttpCall>,
    tried: Tried,
}

/// The limit of a VM's memory: two megabytes above that of a worker with a full queue.
const MAX_MEMORY: usize = 14 << 20;
const MAX_OPEN: usize = 6;
const HOUR: Duration = Duration::from_secs(3_600);

const CONFIGURATIONS: [&str; 5] = [
    r#"{"sampling": {"percentage": 100, "exclude": []}, "export": {"otlp": {"cluster": "collector"}}}"#,
    r#"{"sampling": {"percentage": 20, "keep": {"errors": true, "slowerThan": "1ms"}, "rateLimit": {"tracesPerSecond": 5}},
        "correlation": {"requestId": true}, "spans": {"conventions": "both", "accessLog": true, "routes": ["/a/{b}", "/{c}"],
        "redactQuery": ["k"], "attributes": [{"name": "a", "requestHeader": "x-a"}, {"name": "b", "responseHeader": "x-b"},
        {"name": "c", "property": "response.size"}, {"name": "f", "baggage": "k", "default": "z"}]},
        "export": {"otlp": {"cluster": "collector", "protocol": "http/protobuf", "compression": "gzip"}, "queue": {"maxSpans": 600},
        "retry": {"initial": "10ms", "max": "50ms", "attempts": 3}}}"#,
    r#"{"sampling": {"remote": {"cluster": "collector", "interval": "1s"}, "exclude": []}, "trust": {"jaegerDebug": true},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxSpans": 3, "maxDelay": "10ms"}}}"#,
    r#"{"propagation": {"inject": ["tracecontext", "b3", "b3multi", "jaeger", "xray", "datadog", "grpc-trace-bin", "ottrace", "gcp"],
        "keep64bit": true, "baggage": {"deny": ["s*"], "maxBytes": 200, "from": ["jaeger", "ottrace"]}},
        "trust": {"context": "restart", "decision": "ignore"}, "sampling": {"percentage": 50, "consistent": false}}"#,
    r#"{"role": "attempt", "export": {"otlp": {"cluster": "collector"}}}"#,
];

impl<'i> Life<'i> {
    pub(super) fn new(seed: u64, inputs: &'i Inputs) -> Self {
        let mut draw = Draw::of(seed, 0);
        let configuration = draw.one(&CONFIGURATIONS);
        Self {
            draw,
            inputs,
            guest: Guest::start(configuration),
            open: Vec::new(),
            calls: Vec::new(),
            tried: Tried::default(),
        }
    }

    /// Takes so many steps, and ends the VM.
    ///
    /// # Panics
    /// When the VM traps, stops a stream, loses a span or takes too much memory.
    pub(super) fn run(mut self, steps: u64) -> Tried {
        for _ in 0..steps {
            self.step();
            assert_eq!(self.guest.host.trap(), None);
            assert!(self.guest.host.end_of_envoy().is_none());
        }
        while let Some((stream, _)) = self.open.pop() {
            self.guest.host.end(stream, Ending::ClientAbort);
        }
        self.advance(2_000);
        let memory = self.guest.host.memory_bytes();
        assert!(memory <= MAX_MEMORY, "{memory} bytes");
        let replies = self.guest.host.transcript();
        assert_eq!(replies.count("proxy_send_local_response"), 0);
        self.guest.host.shutdown();
        self.advance(10_000);
        assert_eq!(self.guest.host.trap(), None);
        let finished = self.guest.host.counter("sidespan.spans.finished");
        self.tried.spans = finished.unwrap_or(0);
        self.tried
    }

    fn step(&mut self) {
        match self.draw.below(40) {
            0..14 if self.open.len() < MAX_OPEN => self.open(),
            0..32 if !self.open.is_empty() => self.goes_on(),
            32..35 => self.answer(),
            35 if self.draw.one_in(4) => self.reconfigure(),
            36 if self.draw.one_in(8) => {
                self.guest.host.step_clock_back(HOUR);
            }
            _ => {
                let time = self.draw.one(&[0, 1, 20, 300, 1_500, 70_000]);
                self.advance(time);
            }
        }
    }

    fn open(&mut self) {
        let direction = self.draw.one(&[0, 1, 1, 2, 2, 3, -1, i64::MAX]);
        let mut properties = StreamProperties::new().listener_direction(direction);
        if self.draw.one_in(3) {
            let name = self.draw.one(&PROPERTIES);
            let bytes = self.inputs.one(&mut self.draw, "spans");
            properties = properties.set(name, bytes);
        }
        let host = &mut self.guest.host;
        let stream = host.open_stream(properties);
        let mut headers = self.inputs.headers(&mut self.draw);
        for (name, value) in [
            (":method", "POST"),
            (":path", "/a/7?k=v"),
            (":authority", "a"),
        ] {
            if headers.get(name).is_none() && !self.draw.one_in(20) {
                headers.add(name, value);
            }
        }
        let end = self.end_of_stream();
        let action = self.guest.host.request_headers(stream, headers, end);
        self.tried.streams += 1;
        self.open.push((stream, passed(action, Stage::Asked)));
    }

    /// Takes one of the open streams a step further, or ends it.
    fn goes_on(&mut self) {
        let at = self.draw.below(self.open.len());
        let (stream, stage) = self.open[at];
        let host = &mut self.guest.host;
        let next = match (stage, self.draw.below(8)) {
            (Stage::Asked, 0) => {
                let reply = LocalReply::new(503, "no healthy upstream").body("none");
                assert_eq!(host.local_reply(stream, reply), Action::LocalReply);
                Stage::Whole
            }
            (Stage::Asked, 1..6) => {
                let mut headers = self.inputs.headers(&mut self.draw);
                if headers.get(":status").is_none() {
                    let statuses = ["200", "200", "404", "503", "99999999999", ""];
                    headers.add(":status", self.draw.one(&statuses));
                }
                let end = self.end_of_stream();
                let action = self.guest.host.response_headers(stream, headers, end);
                let next = match end {
                    EndOfStream::Yes => Stage::Whole,
                    EndOfStream::No => Stage::Answered,
                };
                passed(action, next)
            }
            (Stage::Answered, 0..4) => {
                let trailers = self.inputs.headers(&mut self.draw);
                let action = self.guest.host.response_trailers(stream, trailers);
                passed(action, Stage::Whole)
            }
            _ => {
                let ending = match stage {
                    Stage::Whole => Ending::Complete,
                    _ => self.draw.one(&ENDINGS),
                };
                self.guest.host.end(stream, ending).expect("one end");
                self.open.swap_remove(at);
                return;
            }
        };
        self.open[at].1 = next;
    }

    /// Answers a call that is under way, as a collector or a sampling server would never.
    fn answer(&mut self) {
        self.calls.extend(self.guest.host.calls());
        if self.calls.is_empty() {
            return;
        }
        let call = self.calls.swap_remove(self.draw.below(self.calls.len()));
        if self.draw.one_in(6) {
            // One that has timed out meanwhile is nobody's.
            let _ = self.guest.host.fail_call(call.token);
            return;
        }
        let input = match self.draw.one_in(3) {
            true => self.inputs.one(&mut self.draw, "configuration"),
            false => self.inputs.one(&mut self.draw, "otlp_reply"),
        };
        let mut lines = input.splitn(ANSWER.len() + 1, |byte| *byte == b'\n');
        let (mut headers, mut trailers) = (Headers::new(), Headers::new());
        for name in ANSWER {
            let line = lines.next().unwrap_or_default();
            match name.starts_with("grpc") && self.draw.one_in(2) {
                true => trailers.add(name, line),
                false => headers.add(name, line),
            }
        }
        if self.draw.one_in(3) {
            headers.replace(":status", "200");
        }
        let body = lines.next().unwrap_or_default();
        let host = &mut self.guest.host;
        if host.reply(call.token, headers, body, trailers).is_ok() {
            self.tried.answers += 1;
        }
    }

    /// Gives another configuration, good or not; the guest takes what the core takes.
    fn reconfigure(&mut self) {
        let text = match self.draw.below(3) {
            0 => self.draw.one(&CONFIGURATIONS).as_bytes().to_vec(),
            1 => self.inputs.one(&mut self.draw, "configuration"),
            _ => {
                let mut text = self.draw.one(&CONFIGURATIONS).as_bytes().to_vec();
                let at = self.draw.below(text.len());
                text[at] = self.draw.byte();
                text
            }
        };
        let is_good = Config::parse(&text).is_ok();
        let is_taken = self.guest.host.reconfigure(text.clone()).is_ok();
        assert_eq!(is_taken, is_good, "{}", text.escape_ascii());
        match is_good {
            true => self.tried.applied += 1,
            false => self.tried.refused += 1,
        }
    }

    fn advance(&mut self, milliseconds: u64) {
        self.guest.host.advance(Duration::from_millis(milliseconds));
        if milliseconds >= 1_500 {
            assert_accounted(self.guest.host.shared());
        }
    }

    fn end_of_stream(&mut self) -> EndOfStream {
        self.draw.one(&[EndOfStream::Yes, EndOfStream::No])
    }
}

/// Returns how far a stream has come that was to come this far: the proxy itself answers where a message cannot be sent on.
fn passed(action: Action, next: Stage) -> Stage {
    match action {
        Action::Continue => next,
        Action::LocalReply => Stage::Whole,
        other => panic!("{other:?}"),
    }
}

const ENDINGS: [Ending; 6] = [
    Ending::ClientAbort,
    Ending::UpstreamReset,
    Ending::UpstreamTermination,
    Ending::UpstreamProtocolError,
    Ending::ConnectFailure,
    Ending::UpstreamTimeout,
];
/// Properties that a proxy tells of a stream, where it tells anything.
const PROPERTIES: [&str; 8] = [
    "source.address",
    "destination.address",
    "request.protocol",
    "request.time",
    "response.flags",
    "response.code_details",
    "upstream.address",
    "xds.route_name",
];
/// The headers of an answer, in the order of the corpus `otlp_reply`.
const ANSWER: [&str; 6] = [
    ":status",
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
    "retry-after",
    "content-type",
];
