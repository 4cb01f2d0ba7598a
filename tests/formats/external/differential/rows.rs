//! The table: every way in which a library reads a header otherwise than we do, by the rule that says who is right.
//!
//! A row's name begins with the rule or the input of the table that has it: `propagation.md`, sections 1.9, 2.2, 2.4 and 4
//! and appendix B, or the standard by name. What a row takes is as narrow as can be said: where a library is laxer, its
//! reading must be ours of the same headers with that flaw repaired.

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

/// Rows of one library for some formats.
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

/// All rows.
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

/// The first row that knows this disagreement.
pub(crate) fn of(case: &Case<'_>) -> Option<&'static Row> {
    all().find(|row| {
        row.library == case.library
            && row.formats.contains(&case.format)
            && !case.agrees()
            && (row.is)(case)
    })
}

/// RFC 9110, section 5.5: white space around a value is no part of it. Servers trim it; the libraries rely on that.
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

/// We leave the decision open and they take one: they have no word for it.
fn is_open_but(case: &Case<'_>, sampled: bool) -> bool {
    case.is(Difference::Sampling) && case.we_say(SamplingState::Deferred) && case.they_say(sampled)
}

fn lower(value: &[u8]) -> Vec<u8> {
    value.to_ascii_lowercase()
}

/// The digits of a number as Python's `int(text, 16)` reads it: with white space around, a sign, `0x`, single underscores
/// between digits, and any number of zeros.
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
