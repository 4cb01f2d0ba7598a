//! The filter of one worker: a configuration, put to work on what the proxy says of itself.

use std::env::VarError;
use std::time::Duration;

use sidespan_core::config::Config;
use sidespan_core::direction::DirectionSource;
use sidespan_core::export::collector::Collector;
use sidespan_core::export::settings::{HeaderValue, is_header_value};
use sidespan_core::filter::Filter;
use sidespan_core::otlp::request::RequestFrame;
use sidespan_core::sampling::remote::server::SamplingServer;
use sidespan_core::semconv::resource;
use sidespan_core::semconv::settings::schema_url;

use crate::host::log_once;
use crate::host::proxy::CurrentProxy;
use crate::host::random::WasiRandom;
use crate::startup_log::{self, VERSION};
use crate::{logging, node};

/// The filter on this proxy.
pub(crate) type Worker = Filter<CurrentProxy, WasiRandom, Collector>;

/// Puts a configuration to work on this node. The digest is of its bytes.
pub(crate) fn start(config: &Config, digest: &str) -> Worker {
    let asked = config.spans.variables();
    let variables = asked.iter().copied().chain(resource::VARIABLES);
    let node = node::read(config.labels(), variables);
    let node_id = node::id();
    let resource = node.resource(&config.spans, VERSION, digest);
    let says = log_once::is_first_to_say("configuration", digest, ONE_ROUND);
    if says {
        let direction = DirectionSource::new(config.direction, &node_id);
        startup_log::say(config, digest, &node, &resource, direction);
    }
    let conventions = config.spans.conventions;
    let frame = RequestFrame::new(
        &resource,
        "sidespan",
        VERSION,
        digest,
        schema_url(conventions),
    );
    let configured = config.export.otlp.iter().flat_map(|otlp| &otlp.headers);
    let headers = configured.filter_map(|header| with_value(header, says));
    let collector = Collector::new(&config.export, frame, headers.collect(), PRODUCT);
    let sampling = config.sampling.as_ref();
    let service = resource.get("service.name");
    let sampling_server = SamplingServer::new(sampling, service, digest, PRODUCT);
    logging::follow();
    let proxy = match Worker::reads_attributes(config) {
        true => CurrentProxy::prepare(),
        false => CurrentProxy::default(),
    };
    Filter::new(
        config,
        &node,
        &node_id,
        proxy,
        WasiRandom,
        collector,
        sampling_server,
    )
}

/// Returns a header with its value, or `None` and a line in the log where it has none. The value is a secret more often
/// than not, and is not in that line.
fn with_value((header, value): &(String, HeaderValue), says: bool) -> Option<(String, String)> {
    let variable = match value {
        HeaderValue::Literal(text) => return Some((header.clone(), text.clone())),
        HeaderValue::Environment(variable) => variable,
    };
    let flaw = match std::env::var(variable) {
        // Secrets are often files, and files end with a line end.
        Ok(text) if is_header_value(text.trim()) => {
            return Some((header.clone(), text.trim().to_owned()));
        }
        Ok(_) | Err(VarError::NotUnicode(_)) => "has a value that no header can have",
        Err(VarError::NotPresent) => "is not set",
    };
    if says {
        log::warn!(
            "export.otlp.headers: {header} is left out, for the environment variable {variable} {flaw}"
        );
    }
    None
}

/// The name and version of this filter, for `user-agent`.
const PRODUCT: &str = concat!("sidespan/", env!("CARGO_PKG_VERSION"));
/// All workers of a proxy have a new configuration within this time.
const ONE_ROUND: Duration = Duration::from_secs(10);
