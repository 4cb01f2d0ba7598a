//! The table of disagreements: every way in which a library's reading differs from ours, by the rule that says who is
//! right.
//!
//! A row's name begins with its rule, or with its input in a table of `filter/RULES.md`
//! (sections 1.9, 2.2, 2.4 and 4, and appendix B), or names the standard. The condition of a row is as narrow as possible:
//! where a library is laxer, its reading must equal ours of the same headers with the flaw repaired.

mod b3;
mod gcp;
mod jaeger;
mod ottrace;
mod w3c;
mod xray;

use sidespan_core::propagation::context::SamplingState;

use super::answer::{Case, Difference, Library, ours};

/// One known disagreement.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) library: Library,
    formats: &'static [&'static str],
    is: fn(&Case<'_>) -> bool,
}

/// A macro for the rows of one library and some formats.
macro_rules! rows {
    ($($library:ident $formats:expr => { $($name:literal: $is:expr,)* })*) => {
        pub(super) const ROWS: &[$crate::formats::external::differential::rows::Row] = &[$($(
            $crate::formats::external::differential::rows::Row {
                name: $name,
                library: $crate::formats::external::differential::answer::Library::$library,
                formats: $formats,
                is: $is,
            },
        )*)*];
    };
}
use rows;

/// Returns all rows.
pub(crate) fn all() -> impl Iterator<Item = &'static Row> {
    [
        w3c::ROWS,
        b3::ROWS,
        jaeger::ROWS,
        xray::ROWS,
        ottrace::ROWS,
        gcp::ROWS,
        EVERYWHERE,
    ]
    .into_iter()
    .flatten()
}

/// Returns the first row that has this disagreement.
pub(crate) fn of(case: &Case<'_>) -> Option<&'static Row> {
    all().find(|row| {
        row.library == case.library
            && row.formats.contains(&case.format)
            && !case.agrees()
            && (row.is)(case)
    })
}

/// Rows by RFC 9110, section 5.5: white space around a value is no part of it. Servers trim the value; the libraries rely
/// on that.
const EVERYWHERE: &[Row] = &[
    Row {
        name: "RFC 9110 5.5: white space around a value",
        library: Library::Python,
        formats: &["b3", "b3multi", "ottrace", "gcp"],
        is: has_white_space_around,
    },
    Row {
        name: "RFC 9110 5.5: white space around a value",
        library: Library::JavaScript,
        formats: &["tracecontext", "b3", "b3multi", "jaeger", "ottrace", "gcp"],
        is: has_white_space_around,
    },
];

fn has_white_space_around(case: &Case<'_>) -> bool {
    let is_around = |value: &[u8]| value.trim_ascii() != value;
    let trimmed = case
        .headers
        .iter()
        .map(|(name, value)| (*name, value.trim_ascii().to_vec()));
    case.headers.iter().any(|(_, value)| is_around(value))
        && ours(case.format, &trimmed.collect()) == case.ours
}

/// Returns true if we leave the decision open and the library, which cannot express that, decides.
fn is_open_but(case: &Case<'_>, sampled: bool) -> bool {
    case.is(Difference::Sampling) && case.we_say(SamplingState::Deferred) && case.they_say(sampled)
}

fn lower(value: &[u8]) -> Vec<u8> {
    value.to_ascii_lowercase()
}

/// Returns the digits of a number as Python's `int(text, 16)` reads it: with white space around, a sign, `0x`, single
/// underscores between digits, and any number of zeros.
fn python_digits(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let prefix = text.strip_prefix("0x").or(text.strip_prefix("0X"));
    let text = prefix.map_or(text, |rest| rest.strip_prefix('_').unwrap_or(rest));
    let is_number = text
        .split('_')
        .all(|run| !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_number.then(|| {
        let digits = text.replace('_', "").to_ascii_lowercase();
        digits.trim_start_matches('0').to_owned()
    })
}

fn text(value: &[u8]) -> String {
    value.iter().copied().map(char::from).collect()
}

fn bytes(text: &str) -> Vec<u8> {
    text.chars()
        .map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?'))
        .collect()
}
