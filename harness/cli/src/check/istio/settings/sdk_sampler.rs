//! The sampler of an OpenTelemetry SDK: `OTEL_TRACES_SAMPLER` and its argument, in all places that can set them.
//!
//! The order of the places is the OpenTelemetry Operator's: first the container's own environment, then that of the
//! language, then the Instrumentation's `env`, then its `sampler`.

use super::collected::{Sampler, Settings, Workload};
use super::place::{Place, identity};
use super::variables::{Variable, text, variable};
use crate::check::input::document::Document;

pub(super) const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
pub(super) const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

/// Reads the environment of a container.
pub(super) fn container(
    settings: &mut Settings,
    workload: &Workload,
    at: &Place,
    name: &str,
    env: &[Document],
) {
    let found = from_list(settings, at, env);
    if let Some(found) = found {
        let place = |place: Place| Place {
            name: format!("{}, container {name}", place.name),
            ..place
        };
        settings.samplers.push(Sampler {
            place: place(found.place),
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
    let [kind, argument] = [SAMPLER, ARGUMENT].map(|key| {
        let at = place.at(&format!(".data.{key}"));
        text(settings, &at, key, tree.at(&["data", key]))
    });
    let found = both(kind, argument, |key| place.at(&format!(".data.{key}")));
    settings
        .samplers
        .extend(found.map(|found| Sampler { namespace, ..found }));
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
    let [kind, argument] = ["type", "argument"].map(|key| {
        let at = place.at(&format!(".sampler.{key}"));
        text(settings, &at, key, spec.at(&["sampler", key]))
    });
    let common = from_list(settings, &place, spec.items("env")).or_else(|| {
        both(kind, argument, |key| {
            place.at(if key == SAMPLER {
                ".sampler.type"
            } else {
                ".sampler.argument"
            })
        })
    });
    let mut found: Vec<_> = common.into_iter().collect();
    if let Document::Object(languages) = spec {
        for (language, tree) in languages {
            let at = place.at(&format!(".{language}"));
            found.extend(from_list(settings, &at, tree.items("env")));
        }
    }
    settings
        .samplers
        .extend(found.into_iter().map(|found| Sampler {
            namespace: namespace.clone(),
            ..found
        }));
}

/// Reads a sampler from a list of Kubernetes' `{name, value}`; none where a part of it is not known.
fn from_list(settings: &mut Settings, at: &Place, env: &[Document]) -> Option<Sampler> {
    let [kind, argument] =
        [SAMPLER, ARGUMENT].map(|wanted| match variable(settings, at, env, wanted) {
            Variable::Unset => Ok(None),
            Variable::Elsewhere => Err(()),
            Variable::Is(place, value) => Ok(Some((place, value))),
        });
    let (kind, argument) = (kind.ok()?, argument.ok()?);
    let place = |key: &str| {
        let found = if key == SAMPLER { &kind } else { &argument };
        found.as_ref().map_or(at, |(place, _)| place).clone()
    };
    let value = |found: &Option<(Place, String)>| found.as_ref().map(|(_, value)| value.clone());
    both(value(&kind), value(&argument), place)
}

/// Returns a sampler, if its name or its argument is set.
pub(super) fn both(
    kind: Option<String>,
    argument: Option<String>,
    place: impl Fn(&str) -> Place,
) -> Option<Sampler> {
    let first = if kind.is_some() { SAMPLER } else { ARGUMENT };
    // The argument of jaeger_remote is a URL, which may have a password.
    let argument = argument.map(|text| match text.contains('@') {
        true => "(not shown)".to_owned(),
        false => text,
    });
    (kind.is_some() || argument.is_some()).then(|| Sampler {
        place: place(first),
        argument_place: argument.as_ref().map(|_| place(ARGUMENT)),
        kind,
        argument,
        ..Sampler::default()
    })
}
