//! The propagators of an OpenTelemetry SDK: `OTEL_PROPAGATORS`, in all places that can set it.
//!
//! The order of the places is the OpenTelemetry Operator's, as for samplers: the container's own environment, that of
//! the language, the Instrumentation's `env`, then its `propagators`. The default of the SDKs, `tracecontext,baggage`,
//! is nothing that anyone wrote, and therefore not listed.

use super::collected::{Propagators, Settings, Workload};
use super::place::{Place, identity};
use super::variables::{self, Variable, variable};
use crate::check::input::document::Document;

pub(super) const PROPAGATORS: &str = "OTEL_PROPAGATORS";

/// Adds the list in the value of `OTEL_PROPAGATORS` of a file.
pub(super) fn text(settings: &mut Settings, place: Place, value: &str) {
    settings.propagators.extend(list(place, value));
}

/// Reads the environment of a container.
pub(super) fn container(
    settings: &mut Settings,
    workload: &Workload,
    at: &Place,
    name: &str,
    env: &[Document],
) {
    if let Some(found) = from_list(settings, at, env) {
        settings.propagators.push(Propagators {
            place: Place {
                name: format!("{}, container {name}", found.place.name),
                ..found.place
            },
            namespace: workload.namespace.clone(),
            labels: workload.labels.clone(),
            ..found
        });
    }
}

/// Reads a ConfigMap that containers take their environment from.
pub(super) fn config_map(settings: &mut Settings, place: Place, tree: &Document) {
    let (namespace, name) = identity(tree);
    let place = place.named("ConfigMap", namespace.as_deref(), &name);
    let at = place.at(&format!(".data.{PROPAGATORS}"));
    let value = variables::text(settings, &at, PROPAGATORS, tree.at(&["data", PROPAGATORS]));
    let found = value.and_then(|value| list(at, &value));
    settings
        .propagators
        .extend(found.map(|found| Propagators { namespace, ..found }));
}

/// Reads the Operator's Instrumentation.
pub(super) fn instrumentation(settings: &mut Settings, place: Place, tree: &Document) {
    let (namespace, name) = identity(tree);
    let place = place
        .named("Instrumentation", namespace.as_deref(), &name)
        .at(".spec");
    let Some(spec) = tree.get("spec") else {
        return;
    };
    let common = from_list(settings, &place, spec.items("env")).or_else(|| {
        let names: Vec<_> = spec
            .items("propagators")
            .iter()
            .filter_map(Document::text)
            .collect();
        list(place.at(".propagators"), &names.join(","))
    });
    let mut found: Vec<_> = common.into_iter().collect();
    if let Document::Object(languages) = spec {
        for (language, tree) in languages {
            let at = place.at(&format!(".{language}"));
            found.extend(from_list(settings, &at, tree.items("env")));
        }
    }
    let placed = found.into_iter().map(|found| Propagators {
        namespace: namespace.clone(),
        ..found
    });
    settings.propagators.extend(placed);
}

fn from_list(settings: &mut Settings, at: &Place, env: &[Document]) -> Option<Propagators> {
    match variable(settings, at, env, PROPAGATORS) {
        Variable::Is(place, value) => list(place, &value),
        Variable::Unset | Variable::Elsewhere => None,
    }
}

/// Returns the list in a text; an empty text is the same as no variable.
fn list(place: Place, text: &str) -> Option<Propagators> {
    let names: Vec<_> = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    (!names.is_empty()).then(|| Propagators {
        place,
        names,
        ..Propagators::default()
    })
}
