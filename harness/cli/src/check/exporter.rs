//! Exporters that cannot work: addresses that no proxy has a cluster for, and ports that speak another protocol.
//!
//! The filter finds out only at the first span, on each proxy by itself, and says so in a log that nobody reads. The files
//! around the configuration often know it before.

use sidespan_core::export::settings::{HeaderValue, Protocol};

use super::compatibility::SidespanConfig;
use super::input::document::Document;
use super::istio::settings::{Note, Place, Settings, Weight};

mod address;
pub mod bootstrap;

/// Returns the notes on the exporters of all configurations.
pub fn notes(settings: &Settings, ours: &[SidespanConfig<'_>]) -> Vec<Note> {
    let mut notes = Vec::new();
    for ours in ours {
        let (Some(otlp), Some(tree)) = (&ours.config.export.otlp, ours.document()) else {
            continue;
        };
        let mut add = |below: &str, (weight, message): (Weight, String)| {
            let place = Place {
                file: ours.file,
                document: ours.document,
                path: format!("{}.export.otlp.{below}", ours.path),
                name: String::new(),
            };
            notes.push(Note {
                weight,
                place,
                message,
            });
        };
        let text = |key: &str| tree.at(&["export", "otlp", key]).and_then(Document::text);
        if ours.scope.is_some() {
            if let Some(problem) = text("service").and_then(|host| address::host(settings, host)) {
                add("service", problem);
            }
            if let Some(problem) = text("cluster").and_then(|name| address::cluster(settings, name))
            {
                add("cluster", problem);
            }
        }
        if let Some((host, port)) = address::of_cluster(&otlp.cluster) {
            let problem = address::service_port(settings, host, port, otlp.protocol);
            if let Some(problem) = problem.or_else(|| conventional(port, otlp.protocol)) {
                add("port", problem);
            }
        }
        for (name, value) in &otlp.headers {
            if let HeaderValue::Literal(value) = value
                && is_reference(value)
            {
                add(
                    &format!("headers[{name:?}]"),
                    (
                        Weight::Warning,
                        "looks like a variable, and is sent as it is written; for one of the VM's environment write \
                         {environment: NAME}"
                            .into(),
                    ),
                );
            }
        }
    }
    notes
}

/// Returns the problem with a port that OpenTelemetry has given to the other protocol, or Zipkin to its own.
fn conventional(port: u64, protocol: Protocol) -> Option<(Weight, String)> {
    let (is, cure) = match (port, protocol) {
        (4318, Protocol::Grpc) => (
            "4318 is OTLP's port for HTTP, and this exporter speaks gRPC",
            "set port: 4317, or protocol: http/protobuf",
        ),
        (4317, Protocol::HttpProtobuf) => (
            "4317 is OTLP's port for gRPC, and this exporter speaks HTTP",
            "set port: 4318, or leave protocol out",
        ),
        (9411, _) => (
            "9411 is Zipkin's port, and this exporter speaks OTLP",
            "set the port of the collector's OTLP receiver, 4317 for gRPC",
        ),
        _ => return None,
    };
    Some((Weight::Warning, format!("{is}; {cure}")))
}

/// Returns true for `${NAME}`, `$(NAME)` and `%NAME%`, which templates and shells replace, and nobody here.
fn is_reference(value: &str) -> bool {
    [("${", '}'), ("$(", ')')].iter().any(|(open, close)| {
        value
            .split_once(open)
            .is_some_and(|(_, rest)| rest.contains(*close))
    })
}
