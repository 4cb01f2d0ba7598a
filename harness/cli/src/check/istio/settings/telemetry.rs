//! The tracing part of Istio's `Telemetry`.

use super::collected::{Mode, Settings, Telemetry, Tracing};
use super::place::{GATEWAY_NAME, Labels, Place, Weight, identity, selected};
use crate::check::input::document::Document;

pub(super) fn read(settings: &mut Settings, place: Place, tree: &Document) {
    let (namespace, name) = identity(tree);
    let place = place.named("Telemetry", namespace.as_deref(), &name);
    if namespace.is_none() {
        settings.note(
            Weight::Warning,
            place.at(".metadata.namespace"),
            "no namespace, so kubectl's -n decides where this holds, and no percentage is worked out from it; name the \
             namespace here, and the root namespace for the whole mesh",
        );
    }
    let entries = tree
        .at(&["spec"])
        .map_or(&[][..], |spec| spec.items("tracing"));
    let tracing: Vec<_> = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| {
            let place = place.at(&format!(".spec.tracing[{index}]"));
            tracing(settings, place, entry)
        })
        .collect();
    let created = tree.at(&["metadata", "creationTimestamp"]);
    let created = created.and_then(Document::text).unwrap_or_default();
    let scopes = scopes(settings, &place, tree);
    settings.idle += usize::from(scopes.is_empty());
    for selector in scopes {
        settings.telemetries.push(Telemetry {
            place: place.clone(),
            namespace: namespace.clone(),
            name: name.clone(),
            created: created.into(),
            selector,
            tracing: tracing.clone(),
        });
    }
}

fn tracing(settings: &mut Settings, place: Place, entry: &Document) -> Tracing {
    let at = place.at(".randomSamplingPercentage");
    let percentage = settings.percentage(&at, entry.get("randomSamplingPercentage"));
    let mode = match entry.at(&["match", "mode"]) {
        None | Some(Document::Null) => None,
        Some(mode) => match mode.text() {
            Some("CLIENT") => Some(Mode::Client),
            Some("SERVER") => Some(Mode::Server),
            Some("CLIENT_AND_SERVER") => None,
            // For one side it is not, for both neither: Kubernetes refuses it.
            _ => {
                return Tracing {
                    place,
                    ..Tracing::default()
                };
            }
        },
    };
    let providers = entry.items("providers");
    let provider = |index: usize| providers.get(index)?.get("name")?.text();
    if providers.len() > 1 {
        settings.note(
            Weight::Warning,
            place.at(".providers"),
            format!(
                "Istio takes the first provider of a list, {}, and leaves the others out",
                provider(0).unwrap_or_default()
            ),
        );
    }
    Tracing {
        mode,
        provider: provider(0).map(Into::into),
        percentage,
        disabled: entry
            .get("disableSpanReporting")
            .and_then(Document::boolean),
        silent: entry
            .get("disableContextPropagation")
            .and_then(Document::boolean),
        place,
    }
}

/// Returns the workloads that a Telemetry is for: one entry a selector, and none where nothing holds.
fn scopes(settings: &mut Settings, place: &Place, tree: &Document) -> Vec<Option<Labels>> {
    let Some(spec) = tree.get("spec") else {
        return vec![None];
    };
    let refs: Vec<_> = spec
        .get("targetRef")
        .into_iter()
        .chain(spec.items("targetRefs"))
        .collect();
    if refs.is_empty() {
        let selector = selected(spec.get("selector"));
        let scope = selector.map(|labels| (!labels.is_empty()).then_some(labels));
        return scope.into_iter().collect();
    }
    let mut scopes = Vec::new();
    for target in refs {
        let of = |key: &str| target.get(key).and_then(Document::text).unwrap_or_default();
        if of("kind") == "Gateway" {
            scopes.push(Some(Labels::from([(
                GATEWAY_NAME.into(),
                of("name").into(),
            )])));
        } else {
            settings.note(
                Weight::Skipped,
                place.at(".spec.targetRefs"),
                format!(
                    "for {} {} nothing is worked out: which waypoint that is cannot be seen here; give a WasmPlugin the same \
                     targetRefs, and the percentage from here",
                    of("kind"),
                    of("name")
                ),
            );
        }
    }
    scopes
}
