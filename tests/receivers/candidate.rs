//! The receivers that are compared.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::process::Command;

use serde_json::{Value, json};
use sidespan_sink::{Limits, Place, Sink, SinkConfig};
use sidespan_tests::peers::{Collector, Jaeger};
use sidespan_tests::program::Program;

use crate::sender::Protocol;

/// A kind of receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Candidate {
    /// The sink, in memory, with room for this many spans.
    Sink(usize),
    /// The sink, in a file, with room for this many spans.
    SinkInFile(usize),
    /// Jaeger, with its store in memory.
    Jaeger,
    /// The Collector, which writes batches to a file in this format.
    File(&'static str),
    /// The Collector, which throws everything away: what receiving alone costs.
    Nothing,
}

impl Candidate {
    pub(crate) const ALL: [Self; 7] = [
        Self::Sink(100_000),
        Self::Sink(2_000_000),
        Self::SinkInFile(100_000),
        Self::Jaeger,
        Self::File("proto"),
        Self::File("json"),
        Self::Nothing,
    ];

    /// Returns the name in the table.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Sink(spans) => format!("sink, in memory, {spans} spans"),
            Self::SinkInFile(spans) => format!("sink, in a file, {spans} spans"),
            Self::Jaeger => "Jaeger, in memory, 100000 traces".into(),
            Self::File(format) => format!("Collector, batch, file exporter, {format}"),
            Self::Nothing => "Collector, batch, nop".into(),
        }
    }

    /// Starts a receiver of this kind.
    pub(crate) fn start(self) -> Running {
        match self {
            Self::Sink(spans) => Running::sink(&["--serve", &spans.to_string()]),
            Self::SinkInFile(spans) => Running::sink(&["--serve", &spans.to_string(), "--in-file"]),
            Self::Jaeger => Running::Jaeger(Jaeger::start()),
            Self::File(format) => Running::Collector(Collector::start(|places| {
                let file = json!({"path": places.file("traces"), "format": format});
                batched("file", &file)
            })),
            Self::Nothing => Running::Collector(Collector::start(|_| batched("nop", &json!({})))),
        }
    }
}

fn batched(exporter: &str, settings: &Value) -> Value {
    json!({
        "processors": {"batch": {}},
        "exporters": {exporter: settings},
        "service": {
            "pipelines": {
                "traces": {"receivers": ["otlp"], "processors": ["batch"], "exporters": [exporter]},
            },
        },
    })
}

/// A running receiver; dropping it ends it.
#[derive(Debug)]
pub(crate) enum Running {
    /// The sink in a process of its own, and its addresses for gRPC and HTTP.
    Sink(Program, [SocketAddr; 2]),
    /// A Jaeger.
    Jaeger(Jaeger),
    /// A Collector.
    Collector(Collector),
}

impl Running {
    fn sink(arguments: &[&str]) -> Self {
        let myself = std::env::current_exe().expect("the path of this program");
        let mut command = Command::new(myself);
        command.args(arguments);
        let mut program = Program::start(&mut command);
        let addresses = program.wait("its addresses", |said| {
            let (grpc, http) = said.lines().next()?.split_once(' ')?;
            Some([grpc.parse().ok()?, http.parse().ok()?])
        });
        Self::Sink(program, addresses)
    }

    /// Returns the process id.
    pub(crate) fn pid(&self) -> u32 {
        match self {
            Self::Sink(program, _) => program.pid(),
            Self::Jaeger(jaeger) => jaeger.pid().expect("it runs"),
            Self::Collector(collector) => collector.pid().expect("it runs"),
        }
    }

    /// Returns the address for a protocol.
    pub(crate) fn address(&self, protocol: Protocol) -> SocketAddr {
        let [grpc, http] = match self {
            Self::Sink(_, addresses) => *addresses,
            Self::Jaeger(jaeger) => [jaeger.grpc_addr(), jaeger.http_addr()],
            Self::Collector(collector) => [collector.grpc_addr(), collector.http_addr()],
        };
        match protocol {
            Protocol::Grpc => grpc,
            Protocol::Http => http,
        }
    }
}

/// Runs a sink with room for this many spans, in memory or in a file that ends with it, prints its addresses, and ends with standard input.
pub(crate) fn serve(max_spans: usize, is_in_file: bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let limits = Limits {
        max_spans,
        max_bytes: usize::MAX,
        ..Limits::default()
    };
    let config = SinkConfig {
        limits,
        place: match is_in_file {
            true => Place::File(folder.path().join("spans.db")),
            false => Place::Memory,
        },
        ..SinkConfig::default()
    };
    let sink = runtime.block_on(Sink::start(config)).expect("free ports");
    println!("{} {}", sink.grpc_addr(), sink.http_addr());
    io::stdout().flush().expect("standard output");
    let _ = io::stdin().read(&mut [0]);
}
