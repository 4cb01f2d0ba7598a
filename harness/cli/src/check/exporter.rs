//! Exporters, and servers of percentages, that cannot be called: addresses that no proxy has a cluster for, and ports that speak another protocol.
//!
//! The filter finds out only at the first call, on each proxy by itself, and says so in a log that nobody reads. The files
//! around the configuration often know it before.

use sidespan_core::export::settings::HeaderValue;

use super::compatibility::SidespanConfig;
use super::input::document::Document;
use super::istio::settings::{Note, Place, Settings, Weight};

mod address;
pub mod bootstrap;
pub mod destination;
pub mod envoy_gateway;

use destination::Destination;

/// Returns the notes on the addresses in all configurations.
pub fn notes(settings: &Settings, ours: &[SidespanConfig<'_>]) -> Vec<Note> {
    let mut notes = Vec::new();
    for ours in ours {
        let Some(tree) = ours.document() else {
            continue;
        };
        let mut add = |below: String, (weight, message): (Weight, String)| {
            let place = Place {
                file: ours.file,
                document: ours.document,
                path: format!("{}.{below}", ours.path),
                name: String::new(),
            };
            notes.push(Note {
                weight,
                place,
                message,
            });
        };
        for called in Destination::all(ours.config) {
            let [section, part] = called.keys;
            let text = |key: &str| tree.at(&[section, part, key]).and_then(Document::text);
            let is_in_istio = ours.scope.is_some();
            for (key, problem) in address::problems(settings, &called, text, is_in_istio) {
                add(called.path(key), problem);
            }
        }
        let otlp = ours.config.export.otlp.iter();
        for (name, value) in otlp.flat_map(|otlp| &otlp.headers) {
            if let HeaderValue::Literal(value) = value
                && is_reference(value)
            {
                add(
                    format!("export.otlp.headers[{name:?}]"),
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

/// Returns true for `${NAME}`, `$(NAME)` and `%NAME%`, which templates and shells replace, and nobody here.
fn is_reference(value: &str) -> bool {
    [("${", '}'), ("$(", ')')].iter().any(|(open, close)| {
        value
            .split_once(open)
            .is_some_and(|(_, rest)| rest.contains(*close))
    })
}
