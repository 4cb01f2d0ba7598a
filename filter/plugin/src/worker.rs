//! The start of one worker's filter, from a configuration and the node that the proxy describes.

use std::env::VarError;
use std::time::Duration;

use sidespan_core::config::{Config, Role};
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

/// The core's filter on this proxy.
pub(crate) type Worker = Filter<CurrentProxy, WasiRandom, Collector>;

/// Makes the worker's filter from a configuration and the node; `digest` is of the configuration's bytes.
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
    let proxy = match (&collector, config.role) {
        (Some(_), Role::Request) => CurrentProxy::prepare(),
        _ => CurrentProxy::default(),
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

/// Returns a header with its value, or logs a line and returns `None` where the header has none. The value is not in the
/// line, because most are secrets.
fn with_value((header, value): &(String, HeaderValue), says: bool) -> Option<(String, String)> {
    let variable = match value {
        HeaderValue::Literal(text) => return Some((header.clone(), text.clone())),
        HeaderValue::Environment(variable) => variable,
    };
    let flaw = match std::env::var(variable) {
        // Trimmed, because a secret that was a file ends with a line feed.
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
/// The time within which all workers of a proxy get a new configuration.
const ONE_ROUND: Duration = Duration::from_secs(10);
