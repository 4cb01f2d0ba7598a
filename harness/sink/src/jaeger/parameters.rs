//! The parameters of `/api/…`, with Jaeger's words for what is wrong with them. Times are in microseconds, or milliseconds
//! where a name ends in `Ts` or the parameter is no search's.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use super::form::Form;
use super::go::{duration, hexadecimal, integer, truth};
use super::search::Search;

/// The parameters of `/api/traces`.
#[derive(Debug)]
pub(super) struct Traces {
    pub(super) search: Search,
    /// The traces to read in place of a search.
    pub(super) ids: Vec<[u8; 16]>,
    pub(super) is_raw: bool,
}

/// Reads the parameters of `/api/traces`.
pub(super) fn traces(form: &Form) -> Result<Traces, String> {
    let from = match form.first("start") {
        "" => now().saturating_sub(LOOKBACK),
        _ => time(form, "start", MICROSECOND)?,
    };
    let to = time(form, "end", MICROSECOND)?;
    let tags = tags(form)?;
    let limit = match form.first("limit") {
        "" => DEFAULT_LIMIT,
        text => integer(text, 32)?,
    };
    let lasting = |name| match form.first(name) {
        "" => Ok(0),
        text => duration(text).map_err(|cause| unparsed(name, &cause)),
    };
    let (shortest, longest) = (lasting("minDuration")?, lasting("maxDuration")?);
    let ids = form
        .all("traceID")
        .map(trace_id)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|cause| format!("cannot parse traceID param: {cause}"))?;
    let is_raw = flag(form, "raw")?;
    if ids.is_empty() && form.first("service").is_empty() {
        return Err(SERVICE_REQUIRED.to_owned());
    }
    if shortest != 0 && longest != 0 && longest < shortest {
        return Err("'maxDuration' should be greater than 'minDuration'".to_owned());
    }
    let search = Search {
        service: form.first("service").to_owned(),
        operation: form.first("operation").to_owned(),
        tags,
        from: Some(from),
        to: Some(to),
        shortest,
        longest,
        limit,
    };
    Ok(Traces {
        search,
        ids,
        is_raw,
    })
}

/// Checks the parameters of `/api/traces/{id}`, and returns true if the trace is wanted as it came. Its times are read and
/// mean nothing, as with Jaeger's store in memory.
pub(super) fn one_trace(form: &Form) -> Result<bool, String> {
    for name in ["start", "end"] {
        time(form, name, MICROSECOND)?;
    }
    flag(form, "raw")
}

/// Reads the times of `/api/dependencies`: from, to, in nanoseconds since 1970.
pub(super) fn dependencies(form: &Form) -> Result<(i64, i64), String> {
    let to = time(form, "endTs", MILLISECOND)?;
    let lookback = match form.first("lookback") {
        "" => DAY,
        _ => time(form, "lookback", MILLISECOND)?,
    };
    Ok((to.saturating_sub(lookback), to))
}

/// Reads a trace id of up to 32 digits.
pub(super) fn trace_id(text: &str) -> Result<[u8; 16], String> {
    if text.len() > 32 {
        let cause = "TraceID cannot be longer than 32 hex characters";
        return Err(format!("{cause}: {text}"));
    }
    // What is cut within a character has no digits anyway.
    let split = text.split_at_checked(text.len().saturating_sub(16));
    let (high, low) = split.unwrap_or(("", text));
    let high = match high {
        "" => 0,
        _ => hexadecimal(high)?,
    };
    let low = hexadecimal(low)?;
    Ok((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
}

/// Reads a time or a length of time in a unit of so many nanoseconds; without a value it is the present.
pub(super) fn time(form: &Form, name: &str, unit: i64) -> Result<i64, String> {
    match form.first(name) {
        "" => Ok(now()),
        // Go's numbers wrap.
        text => match integer(text, 64) {
            Ok(count) => Ok(count.wrapping_mul(unit)),
            Err(cause) => Err(unparsed(name, &cause)),
        },
    }
}

/// Reads a truth value; without a value it is false.
pub(super) fn flag(form: &Form, name: &str) -> Result<bool, String> {
    match form.first(name) {
        "" => Ok(false),
        text => truth(text).map_err(|cause| unparsed(name, &cause)),
    }
}

/// Returns Jaeger's words for a parameter that cannot be read.
pub(super) fn unparsed(name: &str, cause: &str) -> String {
    format!("unable to parse param '{name}': {cause}")
}

fn tags(form: &Form) -> Result<Vec<(String, String)>, String> {
    let mut tags = BTreeMap::new();
    for tag in form.all("tag") {
        let Some((key, value)) = tag.split_once(':') else {
            let cause = "malformed 'tag' parameter, expecting key:value, received";
            return Err(format!("{cause}: {tag}"));
        };
        tags.insert(key.to_owned(), value.to_owned());
    }
    for json in form.all("tags") {
        let read: Result<Option<BTreeMap<String, Option<String>>>, _> = serde_json::from_str(json);
        let read = read.map_err(|cause| {
            format!("malformed 'tags' parameter, cannot unmarshal JSON: {cause}")
        })?;
        for (key, value) in read.unwrap_or_default() {
            tags.insert(key, value.unwrap_or_default());
        }
    }
    Ok(tags.into_iter().collect())
}

/// Returns the present, in nanoseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(i64::MAX)
}

/// Jaeger's words for a missing service.
pub(super) const SERVICE_REQUIRED: &str = "parameter 'service' is required";
/// The limit of a search that names none.
pub(super) const DEFAULT_LIMIT: i64 = 100;
const MICROSECOND: i64 = 1_000;
pub(super) const MILLISECOND: i64 = 1_000_000;
const DAY: i64 = 24 * 3_600 * 1_000_000_000;
/// The time that a search looks back which names no beginning.
const LOOKBACK: i64 = 2 * DAY;
