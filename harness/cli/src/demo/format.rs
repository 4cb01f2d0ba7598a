//! The formats of the demo's services, as an application sees a format: names of headers that the application copies.
//!
//! A service knows nothing of the headers' contents. Only the verdict reads ids, to see whether a hop had the right
//! ones.

use std::collections::BTreeMap;

/// Headers of one request by lower-case name; several lines of one name are joined as in RFC 9110, section 5.3.
pub type Headers = BTreeMap<String, String>;

/// The format that a service reads and forwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `traceparent` and `tracestate`.
    W3c,
    /// `traceparent` alone, as in a service that was written before anyone needed `tracestate`.
    W3cWithoutTracestate,
    /// `x-b3-…`
    B3Multi,
    /// `b3`
    B3Single,
    /// `uber-trace-id`
    Jaeger,
    /// `x-datadog-…`
    Datadog,
}

/// The ids of a context in hexadecimal, as every exporter writes them: 32 and 16 digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    /// Trace id.
    pub trace_id: String,
    /// Span id, the parent of the spans that the context's reader records.
    pub span_id: String,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 6] = [
        Self::W3c,
        Self::W3cWithoutTracestate,
        Self::B3Multi,
        Self::B3Single,
        Self::Jaeger,
        Self::Datadog,
    ];

    /// Returns the names of the format's headers.
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
            Self::Jaeger => &["uber-trace-id"],
            Self::Datadog => &[
                "x-datadog-trace-id",
                "x-datadog-parent-id",
                "x-datadog-sampling-priority",
                "x-datadog-origin",
                "x-datadog-tags",
            ],
        }
    }

    /// Returns the format's name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::W3c => "W3C Trace Context",
            Self::W3cWithoutTracestate => "W3C Trace Context without tracestate",
            Self::B3Multi => "B3, several headers",
            Self::B3Single => "B3, one header",
            Self::Jaeger => "Jaeger",
            Self::Datadog => "Datadog",
        }
    }

    /// Returns true if a header belongs to the format.
    pub fn owns(self, name: &str) -> bool {
        self.headers().contains(&name)
    }

    /// Returns the ids that a reader of this format finds; `None` when there is no context for it.
    pub fn ids(self, headers: &Headers) -> Option<Ids> {
        let part = |text: &str, separator, nth| text.split(separator).nth(nth).map(str::to_owned);
        let parts = |name, separator, first: usize| {
            let text: &String = headers.get(name)?;
            // One part alone is a decision of B3 and no context.
            Some((
                part(text, separator, first)?,
                part(text, separator, first + 1)?,
            ))
        };
        let (trace_id, span_id) = match self {
            Self::W3c | Self::W3cWithoutTracestate => parts("traceparent", '-', 1)?,
            Self::B3Multi => (
                headers.get("x-b3-traceid")?.clone(),
                headers.get("x-b3-spanid")?.clone(),
            ),
            Self::B3Single => parts("b3", '-', 0)?,
            Self::Jaeger => parts("uber-trace-id", ':', 0)?,
            Self::Datadog => datadog_ids(headers)?,
        };
        Some(Ids { trace_id, span_id })
    }
}

/// Reads Datadog's ids: 64-bit numbers in decimal, and the left half of a wider trace id as a tag in hexadecimal.
fn datadog_ids(headers: &Headers) -> Option<(String, String)> {
    let number = |name| headers.get(name)?.parse::<u64>().ok();
    let (right_half, span_id) = (
        number("x-datadog-trace-id")?,
        number("x-datadog-parent-id")?,
    );
    let mut tags = headers
        .get("x-datadog-tags")
        .map_or("", String::as_str)
        .split(',');
    let left_half = tags.find_map(|tag| tag.strip_prefix("_dd.p.tid="));
    let left_half = left_half.unwrap_or("0000000000000000");
    Some((
        format!("{left_half}{right_half:016x}"),
        format!("{span_id:016x}"),
    ))
}

/// Returns the headers that carry trace context in any format of the demo.
pub(super) fn trace_context(headers: &http::HeaderMap) -> Headers {
    let mut found = Headers::new();
    for name in Format::ALL.iter().flat_map(|format| format.headers()) {
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
        let jaeger = format!("{trace}:{span}:0:1");
        let rows: [(Format, &[(&str, &str)]); 6] = [
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
            (Format::Jaeger, &[("uber-trace-id", &jaeger)]),
            (
                Format::Datadog,
                &[
                    ("x-datadog-trace-id", "11803532876627986230"),
                    ("x-datadog-parent-id", "67667974448284343"),
                    ("x-datadog-tags", "_dd.p.dm=-4,_dd.p.tid=4bf92f3577b34da6"),
                ],
            ),
        ];
        assert_eq!(rows.map(|(format, _)| format), Format::ALL);
        let ids = Ids {
            trace_id: trace.to_owned(),
            span_id: span.to_owned(),
        };
        for (written, lines) in rows {
            let headers = headers(lines);
            for (reader, own) in rows {
                let expected = (own[0].0 == lines[0].0).then_some(&ids);
                assert_eq!(
                    reader.ids(&headers).as_ref(),
                    expected,
                    "{reader:?} of {written:?}"
                );
            }
        }
    }

    fn headers(lines: &[(&str, &str)]) -> Headers {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        lines.iter().map(owned).collect()
    }

    #[test]
    fn a_datadog_id_without_a_left_half_is_filled_with_zeros() {
        let lines = [("x-datadog-trace-id", "255"), ("x-datadog-parent-id", "16")];
        let ids = Format::Datadog.ids(&headers(&lines)).unwrap();
        assert_eq!(ids.trace_id, "000000000000000000000000000000ff");
        assert_eq!(ids.span_id, "0000000000000010");
    }

    #[test]
    fn a_b3_decision_is_no_context() {
        assert_eq!(Format::B3Single.ids(&headers(&[("b3", "0")])), None);
    }

    #[test]
    fn shows_trace_context_and_nothing_else() {
        let mut incoming = http::HeaderMap::new();
        for (name, value) in [
            ("b3", "0"),
            ("tracestate", "a=1"),
            ("tracestate", "b=2"),
            ("cookie", "x"),
        ] {
            incoming.append(name, http::HeaderValue::from_static(value));
        }
        let expected = headers(&[("b3", "0"), ("tracestate", "a=1,b=2")]);
        assert_eq!(trace_context(&incoming), expected);
    }
}
