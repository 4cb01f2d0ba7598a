//! The sampler of an OpenTelemetry SDK: `OTEL_TRACES_SAMPLER` and its argument, in all places that can set them.
//!
//! The order of the places is the OpenTelemetry Operator's: first the container's own environment, then that of the
//! language, then the Instrumentation's `env`, then its `sampler`.

use super::collected::{Sampler, Settings, Workload};
use super::place::{Place, Weight, identity};
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
            namespace: Some(workload.namespace.clone()),
            labels: workload.labels.clone(),
            ..found
        });
    }
}

/// Reads a ConfigMap that containers take their environment from.
pub(super) fn config_map(settings: &mut Settings, place: Place, tree: &Document) {
    let (namespace, name) = identity(tree);
    let place = place.named("ConfigMap", &namespace, &name);
    let of = |key: &str| {
        tree.at(&["data", key])
            .and_then(Document::text)
            .map(Into::into)
    };
    let found = both(of(SAMPLER), of(ARGUMENT), |key| {
        place.at(&format!(".data.{key}"))
    });
    settings.samplers.extend(found.map(|found| Sampler {
        namespace: Some(namespace),
        ..found
    }));
}

/// Reads the Operator's Instrumentation.
pub(super) fn instrumentation(settings: &mut Settings, place: Place, tree: &Document) {
    let (namespace, name) = identity(tree);
    let place = place
        .named("Instrumentation", &namespace, &name)
        .at(".spec");
    let Some(spec) = tree.get("spec") else {
        return;
    };
    let of = |key: &str| {
        spec.at(&["sampler", key])
            .and_then(Document::text)
            .map(Into::into)
    };
    let common = from_list(settings, &place, spec.items("env")).or_else(|| {
        both(of("type"), of("argument"), |key| {
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
            namespace: Some(namespace.clone()),
            ..found
        }));
}

/// Reads a sampler from a list of Kubernetes' `{name, value}`.
fn from_list(settings: &mut Settings, at: &Place, env: &[Document]) -> Option<Sampler> {
    let entry = |wanted: &str| {
        let is_it = |entry: &&Document| entry.get("name").and_then(Document::text) == Some(wanted);
        let index = env.iter().position(|entry| is_it(&entry))?;
        Some((index, env.get(index)?))
    };
    for wanted in [SAMPLER, ARGUMENT] {
        if let Some((index, found)) = entry(wanted)
            && found.get("value").and_then(Document::text).is_none()
        {
            let cause = match found.get("value") {
                Some(value) => format!(
                    "Kubernetes refuses {}, which is no text; quote it",
                    value.to_json()
                ),
                None => "its value comes from elsewhere and is not known here".into(),
            };
            settings.note(
                Weight::Skipped,
                at.at(&format!(".env[{index}]")),
                format!("{wanted}: {cause}"),
            );
        }
    }
    let value = |wanted: &str| entry(wanted)?.1.get("value")?.text().map(Into::into);
    both(value(SAMPLER), value(ARGUMENT), |key| {
        let index = entry(key).map_or(0, |(index, _)| index);
        at.at(&format!(".env[{index}].value"))
    })
}

/// Returns a sampler, if its name or its argument is set.
pub(super) fn both(
    kind: Option<String>,
    argument: Option<String>,
    place: impl Fn(&str) -> Place,
) -> Option<Sampler> {
    let first = if kind.is_some() { SAMPLER } else { ARGUMENT };
    (kind.is_some() || argument.is_some()).then(|| Sampler {
        place: place(first),
        argument_place: argument.as_ref().map(|_| place(ARGUMENT)),
        kind,
        argument,
        ..Sampler::default()
    })
}
