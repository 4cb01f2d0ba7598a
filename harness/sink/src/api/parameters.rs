//! The conditions of a search as the parameters of a URL, for both of its ends.

use std::time::SystemTime;

use form_urlencoded::Serializer;

use super::text::{
    TextError, duration_of, kind_of, status_of, time_of, write_duration, write_time,
};
use crate::store::{Query, StatusCode};

/// The error of a parameter that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// A name that no parameter has.
    #[error("unknown parameter {0:?}: accepted are {NAMES}")]
    Unknown(String),
    /// A parameter that can be given once and was given again.
    #[error(
        "parameter {name} is given twice, the second time as {value:?}: only attribute can be repeated"
    )]
    Repeated {
        /// The name of the parameter.
        name: &'static str,
        /// The second value.
        value: String,
    },
    /// A value that is not one of the parameter's.
    #[error("parameter {name}: {source}")]
    Value {
        /// The name of the parameter.
        name: &'static str,
        /// The problem.
        #[source]
        source: TextError,
    },
}

const NAMES: &str =
    "service, name, status, kind, minDuration, maxDuration, attribute, from, to and limit";

/// Reads the conditions of a search from the query part of a URL; `None` for `limit` where there is none.
///
/// # Errors
/// [`ParameterError`] at the first parameter that is not understood.
pub fn read_query(text: &str, now: SystemTime) -> Result<(Query, Option<usize>), ParameterError> {
    let mut query = Query::default();
    let mut limit = None;
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        match &*name {
            "service" => once("service", &mut query.service, &value, as_text)?,
            "name" => once("name", &mut query.name, &value, as_text)?,
            "status" => once("status", &mut query.status, &value, status_of)?,
            "kind" => once("kind", &mut query.kind, &value, kind_of)?,
            "minDuration" => once("minDuration", &mut query.min_duration, &value, duration_of)?,
            "maxDuration" => once("maxDuration", &mut query.max_duration, &value, duration_of)?,
            "from" => once("from", &mut query.from_unix_nanos, &value, |text| {
                time_of(text, now)
            })?,
            "to" => once("to", &mut query.to_unix_nanos, &value, |text| {
                time_of(text, now)
            })?,
            "limit" => once("limit", &mut limit, &value, count_of)?,
            "attribute" => query.attributes.push(pair_of(&value)?),
            _ => return Err(ParameterError::Unknown(name.into_owned())),
        }
    }
    query.limit = limit.unwrap_or(query.limit);
    Ok((query, limit))
}

fn once<T>(
    name: &'static str,
    place: &mut Option<T>,
    value: &str,
    read: impl FnOnce(&str) -> Result<T, TextError>,
) -> Result<(), ParameterError> {
    if place.is_some() {
        return Err(ParameterError::Repeated {
            name,
            value: value.to_owned(),
        });
    }
    let read = read(value).map_err(|source| ParameterError::Value { name, source })?;
    *place = Some(read);
    Ok(())
}

fn as_text(text: &str) -> Result<String, TextError> {
    Ok(text.to_owned())
}

fn count_of(text: &str) -> Result<usize, TextError> {
    let wrong = || TextError {
        expected: "a whole number above 0",
        found: text.to_owned(),
    };
    let count = text.parse().map_err(|_| wrong())?;
    if count == 0 { Err(wrong()) } else { Ok(count) }
}

fn pair_of(text: &str) -> Result<(String, String), ParameterError> {
    let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = pair.ok_or_else(|| ParameterError::Value {
        name: "attribute",
        source: TextError {
            expected: "key=value",
            found: text.to_owned(),
        },
    })?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Writes conditions as the query part of a URL, the limit too; [`read_query`] reads the same.
///
/// A status or kind that only a later version of the protocol knows is left out.
pub fn write_query(query: &Query) -> String {
    let mut out = Serializer::new(String::new());
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            out.append_pair(name, &value);
        }
    };
    add("service", query.service.clone());
    add("name", query.name.clone());
    add(
        "status",
        query.status.and_then(|status| {
            let name = match status {
                StatusCode::Unset => "unset",
                StatusCode::Ok => "ok",
                StatusCode::Error => "error",
                StatusCode::Unknown(_) => return None,
            };
            Some(name.to_owned())
        }),
    );
    let kind = query.kind.map(|kind| kind.to_string().to_lowercase());
    add("kind", kind.filter(|kind| kind != "unknown"));
    add("minDuration", query.min_duration.map(write_duration));
    add("maxDuration", query.max_duration.map(write_duration));
    for (key, value) in &query.attributes {
        add("attribute", Some(format!("{key}={value}")));
    }
    add("from", query.from_unix_nanos.map(write_time));
    add("to", query.to_unix_nanos.map(write_time));
    add("limit", Some(query.limit.to_string()));
    out.finish()
}
