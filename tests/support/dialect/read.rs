//! The reading side of a service: the one shape of a format that the filter promises to write, and nothing else.

use sidespan_core::propagation::format::Format;

use super::{BASE64, Context, State};

/// Returns the context that the service reads from the headers; `None` where they have none.
pub fn read(format: Format, header: impl Fn(&str) -> Option<String>) -> Option<Context> {
    let context = |trace_id: &str, span_id: &str, state| {
        let is_whole = trace_id.len() <= 32 && span_id.len() == 16;
        is_whole.then(|| Context {
            trace_id: format!("{trace_id:0>32}"),
            span_id: span_id.into(),
            state,
        })
    };
    let flag = |text: &str| match text {
        "1" | "true" | "01" | "03" => Some(State::Sampled),
        "0" | "false" | "00" | "02" => Some(State::Unsampled),
        _ => None,
    };
    match format {
        Format::TraceContext => {
            let traceparent = header("traceparent")?;
            let ["00", trace_id, span_id, flags] = fields(&traceparent, '-')[..] else {
                return None;
            };
            let member = format!("b3={trace_id}-{span_id}-d");
            let is_debug =
                header("tracestate").is_some_and(|list| fields(&list, ',').contains(&&*member));
            let state = flag(flags)?;
            let is_debug = is_debug && state == State::Sampled;
            context(
                trace_id,
                span_id,
                if is_debug { State::Debug } else { state },
            )
        }
        Format::B3 => match fields(&header("b3")?, '-')[..] {
            [trace_id, span_id] => context(trace_id, span_id, State::Deferred),
            [trace_id, span_id, "d"] => context(trace_id, span_id, State::Debug),
            [trace_id, span_id, state] => context(trace_id, span_id, flag(state)?),
            _ => None,
        },
        Format::B3Multi => {
            let state = match (header("x-b3-sampled"), header("x-b3-flags").as_deref()) {
                (None, Some("1")) => State::Debug,
                (None, None) => State::Deferred,
                (Some(sampled), None) => flag(&sampled)?,
                _ => return None,
            };
            context(&header("x-b3-traceid")?, &header("x-b3-spanid")?, state)
        }
        Format::Jaeger => match fields(&header("uber-trace-id")?, ':')[..] {
            [trace_id, span_id, "0", "3"] => context(trace_id, span_id, State::Debug),
            [trace_id, span_id, "0", flags] => context(trace_id, span_id, flag(flags)?),
            _ => None,
        },
        Format::XRay => {
            let value = header("x-amzn-trace-id")?;
            let parts = fields(&value, ';');
            let part = |key: &str| parts.iter().find_map(|part| part.strip_prefix(key));
            let state = match part("Sampled=")? {
                "?" => State::Deferred,
                sampled => flag(sampled)?,
            };
            let trace_id = part("Root=1-")?.replace('-', "");
            context(&trace_id, part("Parent=")?, state)
        }
        Format::Datadog => {
            let state = match header("x-datadog-sampling-priority").as_deref() {
                None => State::Deferred,
                Some("-1" | "0") => State::Unsampled,
                Some("1") => State::Sampled,
                Some("2") => State::Debug,
                Some(_) => return None,
            };
            let tags = header("x-datadog-tags").unwrap_or_default();
            let tid = fields(&tags, ',')
                .into_iter()
                .find_map(|tag| tag.strip_prefix("_dd.p.tid="));
            let right = hexadecimal(&header("x-datadog-trace-id")?)?;
            let span_id = hexadecimal(&header("x-datadog-parent-id")?)?;
            context(
                &format!("{}{right}", tid.unwrap_or_default()),
                &span_id,
                state,
            )
        }
        Format::GrpcTraceBin => {
            let digits = hex::encode(from_base64(&header("grpc-trace-bin")?)?);
            let trace_id = digits.strip_prefix("0000")?.get(..32)?;
            let (span_id, options) = digits.get(36..)?.strip_prefix("01")?.split_at_checked(16)?;
            context(trace_id, span_id, flag(options.strip_prefix("02")?)?)
        }
        Format::OtTrace => {
            let state = match header("ot-tracer-sampled") {
                None => State::Deferred,
                Some(word) => flag(&word)?,
            };
            context(
                &header("ot-tracer-traceid")?,
                &header("ot-tracer-spanid")?,
                state,
            )
        }
        Format::Gcp => {
            let value = header("x-cloud-trace-context")?;
            let (trace_id, rest) = value.split_once('/')?;
            let (span_id, state) = match rest.split_once(";o=") {
                None => (rest, State::Deferred),
                Some((span_id, option)) => (span_id, flag(option)?),
            };
            context(trace_id, &hexadecimal(span_id)?, state)
        }
    }
}

fn fields(text: &str, delimiter: char) -> Vec<&str> {
    text.split(delimiter).collect()
}

fn hexadecimal(number: &str) -> Option<String> {
    Some(format!("{:016x}", number.parse::<u64>().ok()?))
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let sextet = |digit: u8| {
        Some(format!(
            "{:06b}",
            BASE64.iter().position(|it| *it == digit)?
        ))
    };
    let bits: String = text.bytes().map(sextet).collect::<Option<_>>()?;
    let whole = bits.as_bytes().chunks_exact(8);
    whole
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).ok()?, 2).ok())
        .collect()
}
