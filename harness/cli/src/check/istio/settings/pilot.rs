//! istiod's environment variable `PILOT_TRACE_SAMPLING`, in all places that can set it.

use super::collected::{Pilot, Settings};
use super::place::{Place, Weight, shown};
use super::variables::{Variable, variable};
use crate::check::input::document::Document;

pub(super) const PILOT: &str = "PILOT_TRACE_SAMPLING";

/// Reads the environment of a container, because istiod's has a percentage.
pub(super) fn variables(settings: &mut Settings, place: &Place, env: &[Document]) {
    if let Variable::Is(place, value) = variable(settings, place, env, PILOT) {
        pilot(settings, place, &value);
    }
}

/// Reads `PILOT_TRACE_SAMPLING`, which is text.
pub(super) fn pilot(settings: &mut Settings, place: Place, text: &str) {
    let found: Option<f64> = text.parse().ok();
    let percentage = found.filter(|percentage| (0.0..=100.0).contains(percentage));
    if percentage.is_none() {
        settings.note(
            Weight::Error,
            place.clone(),
            format!(
                "{PILOT}: expected a percentage from 0 to 100, found {}; istiod takes 1 instead",
                shown(&Document::String(text.into()))
            ),
        );
    }
    settings.pilots.push(Pilot {
        place,
        percentage: percentage.unwrap_or(1.0),
    });
}

/// Reads the values of Istio's chart, which writes `env` and then, where it is neither 0 nor empty, `traceSampling`, 1
/// by default ([template]). Of two variables of one name Kubernetes takes the later.
///
/// [template]: https://github.com/istio/istio/blob/master/manifests/charts/istio-control/istio-discovery/templates/deployment.yaml
pub(super) fn helm(settings: &mut Settings, place: &Place, tree: &Document) {
    // The operators take what stands below `pilot` first; older charts know nothing else.
    let find = |keys: &[&str]| {
        [&["pilot"][..], &[]].into_iter().find_map(|prefix| {
            let path = [prefix, keys].concat();
            let value = tree.at(&path)?;
            let at = place.at(&format!(".{}", path.join(".")));
            (*value != Document::Null).then_some((at, value))
        })
    };
    let own = find(&["traceSampling"]);
    let env = find(&["env", PILOT]);
    match (own, env) {
        (None, None) => {}
        (None, Some((at, value))) => {
            shadowed(settings, at.clone(), value);
            settings.pilots.push(Pilot {
                place: at,
                percentage: 1.0,
            });
        }
        (Some((at, value)), None) if is_falsy(value) => {
            settings.note(
                Weight::Warning,
                at.clone(),
                format!(
                    "Istio's chart leaves {} out, so that istiod's default holds, 1 %; for 0 % set randomSamplingPercentage: 0 \
                     in a Telemetry",
                    value.to_json()
                ),
            );
            settings.pilots.push(Pilot {
                place: at,
                percentage: 1.0,
            });
        }
        (Some((_, value)), Some((at, text))) if is_falsy(value) => {
            pilot(settings, at, &plain(text));
        }
        (Some((at, value)), env) => {
            if let Some((at, value)) = env {
                shadowed(settings, at, value);
            }
            pilot(settings, at, &plain(value));
        }
    }
}

fn shadowed(settings: &mut Settings, place: Place, value: &Document) {
    settings.note(
        Weight::Warning,
        place,
        format!(
            "without effect: Istio's chart writes {PILOT} once more behind it, from traceSampling, which is 1 by default, and \
             Kubernetes takes the later of two of one name; set traceSampling: {} instead",
            shown(value)
        ),
    );
}

/// Returns true if a Helm template's `if` takes the value for nothing.
fn is_falsy(value: &Document) -> bool {
    match value {
        Document::Null | Document::Boolean(false) => true,
        Document::Number(number) => number.as_f64() == Some(0.0),
        Document::String(text) => text.is_empty(),
        Document::List(list) => list.is_empty(),
        Document::Object(pairs) => pairs.is_empty(),
        Document::Boolean(true) => false,
    }
}

/// Returns a value as it would be written without quotes.
fn plain(value: &Document) -> String {
    value.text().map_or_else(|| shown(value), Into::into)
}
