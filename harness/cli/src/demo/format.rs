//! The formats that the services of the demo speak, as an application sees them: names of headers that it copies.
//!
//! A service knows nothing of what is in them. Only the verdict reads ids, to see whether a hop had the right ones.

use std::collections::BTreeMap;

/// Headers of one request by lower-case name; several lines of one name are joined as HTTP joins them.
pub type Headers = BTreeMap<String, String>;

/// What a service reads and forwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `traceparent` and `tracestate`.
    W3c,
    /// `traceparent` alone, as a service that was written before anyone needed `tracestate`.
    W3cWithoutTracestate,
    /// `x-b3-…`
    B3Multi,
    /// `b3`
    B3Single,
}

impl Format {
    /// Returns the names of its headers.
    pub fn headers(self) -> &'static [&'static str] {
        match self {
            Self::W3c => &["traceparent", "tracestate"],
            Self::W3cWithoutTracestate => &["traceparent"],
            Self::B3Multi => &[
                "x-b3-traceid",
                "x-b3-spanid",
                "x-b3-parentspanid",
                "x-b3-sampled",
                "x-b3-flags",
            ],
            Self::B3Single => &["b3"],
        }
    }

    /// Returns its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::W3c => "W3C Trace Context",
            Self::W3cWithoutTracestate => "W3C Trace Context without tracestate",
            Self::B3Multi => "B3, several headers",
            Self::B3Single => "B3, one header",
        }
    }

    /// Whether a header belongs to it.
    pub fn owns(self, name: &str) -> bool {
        self.headers().contains(&name)
    }

    /// Returns the trace id and the span id that a reader of this format finds; `None` when there is no context for it.
    pub fn ids(self, headers: &Headers) -> Option<(&str, &str)> {
        let (text, before) = match self {
            Self::W3c | Self::W3cWithoutTracestate => (headers.get("traceparent")?, 1),
            Self::B3Multi => {
                return Some((headers.get("x-b3-traceid")?, headers.get("x-b3-spanid")?));
            }
            Self::B3Single => (headers.get("b3")?, 0),
        };
        let mut parts = text.split('-').skip(before);
        // One part alone is a decision of B3, not a context.
        Some((parts.next()?, parts.next()?))
    }
}

/// Returns those headers that carry trace context in any format that this demo shows.
pub(super) fn trace_context(headers: &http::HeaderMap) -> Headers {
    let all = [Format::W3c, Format::B3Multi, Format::B3Single];
    let mut found = Headers::new();
    for name in all.iter().flat_map(|format| format.headers()) {
        let lines: Vec<_> = headers
            .get_all(*name)
            .iter()
            .map(|line| String::from_utf8_lossy(line.as_bytes()))
            .collect();
        if !lines.is_empty() {
            found.insert((*name).to_owned(), lines.join(","));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_finds_the_ids_in_its_own_headers_only() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let traceparent = format!("00-{trace}-{span}-01");
        let b3 = format!("{trace}-{span}-1");
        let rows: [(Format, &[(&str, &str)]); 4] = [
            (Format::W3c, &[("traceparent", &traceparent)]),
            (
                Format::W3cWithoutTracestate,
                &[("traceparent", &traceparent)],
            ),
            (
                Format::B3Multi,
                &[("x-b3-traceid", trace), ("x-b3-spanid", span)],
            ),
            (Format::B3Single, &[("b3", &b3)]),
        ];
        for (written, lines) in rows {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            let headers: Headers = lines.iter().map(owned).collect();
            for (reader, own) in rows {
                let expected = (own[0].0 == lines[0].0).then_some((trace, span));
                assert_eq!(reader.ids(&headers), expected, "{reader:?} of {written:?}");
            }
        }
    }

    #[test]
    fn a_b3_decision_is_no_context() {
        let headers = Headers::from([("b3".to_owned(), "0".to_owned())]);
        assert_eq!(Format::B3Single.ids(&headers), None);
    }

    #[test]
    fn shows_trace_context_and_nothing_else() {
        let mut headers = http::HeaderMap::new();
        for (name, value) in [
            ("b3", "0"),
            ("tracestate", "a=1"),
            ("tracestate", "b=2"),
            ("cookie", "x"),
        ] {
            headers.append(name, http::HeaderValue::from_static(value));
        }
        let expected = [("b3", "0"), ("tracestate", "a=1,b=2")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(trace_context(&headers), Headers::from(expected));
    }
}
