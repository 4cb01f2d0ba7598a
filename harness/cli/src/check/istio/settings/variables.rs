//! The environment of a container as Kubernetes reads it: of two variables of one name the later counts, and a value is
//! text.

use super::collected::Settings;
use super::place::{Place, Weight, shown};
use crate::check::input::document::Document;

/// A variable in the environment of a container.
pub(super) enum Variable {
    /// Nothing sets it.
    Unset,
    /// Its value comes from a resource that is not known here.
    Elsewhere,
    /// Its place and its value.
    Is(Place, String),
}

/// Looks for a variable in a list of Kubernetes' `{name, value}`, and adds a note where its value is none or not here.
pub(super) fn variable(
    settings: &mut Settings,
    at: &Place,
    env: &[Document],
    wanted: &str,
) -> Variable {
    let is_it = |entry: &Document| entry.get("name").and_then(Document::text) == Some(wanted);
    let Some(index) = env.iter().rposition(is_it) else {
        return Variable::Unset;
    };
    let place = at.at(&format!(".env[{index}]"));
    let of = |key: &str| {
        let value = env.get(index)?.get(key);
        value.filter(|value| **value != Document::Null)
    };
    let place_of_value = place.at(".value");
    match text(settings, &place_of_value, wanted, of("value")) {
        Some(text) => Variable::Is(place_of_value, text),
        None if of("valueFrom").is_some() => {
            let cause = format!("{wanted}: its value comes from elsewhere and is not known here");
            settings.note(Weight::Skipped, place, cause);
            Variable::Elsewhere
        }
        None => Variable::Unset,
    }
}

/// Returns a value that Kubernetes wants as text, and adds an error where it is none.
pub(super) fn text(
    settings: &mut Settings,
    place: &Place,
    name: &str,
    value: Option<&Document>,
) -> Option<String> {
    match value? {
        Document::Null => None,
        Document::String(text) => Some(text.clone()),
        value => {
            settings.note(
                Weight::Error,
                place.clone(),
                format!(
                    "{name}: Kubernetes refuses {}, which is no text; quote it",
                    shown(value)
                ),
            );
            // A list or an object may hold anything, and is no value of a variable.
            let is_plain = !matches!(value, Document::List(_) | Document::Object(_));
            is_plain.then(|| value.to_json())
        }
    }
}
