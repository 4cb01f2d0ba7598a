//! Hexadecimal forms of ids that a format writes otherwise than as 16 or 32 hexadecimal digits.
//!
//! Datadog and Google Cloud write decimal numbers, X-Ray cuts the trace id in two, `grpc-trace-bin` is base64. An id of
//! such a header that was made on the way is put into hexadecimal digits, so that the comparison can give it a name.

/// Returns the ids of the headers that were sent, in hexadecimal digits, one line each.
pub(super) fn of_headers<'a>(headers: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> String {
    let mut lines: Vec<String> = headers
        .clone()
        .map(|(name, value)| spelled(name, value).unwrap_or_else(|| value.to_owned()))
        .collect();
    // Datadog has the two halves of a trace id in two headers.
    let value = |wanted| headers.clone().find(|(name, _)| *name == wanted);
    if let (Some((_, tags)), Some((name, right))) =
        (value("x-datadog-tags"), value("x-datadog-trace-id"))
        && let (Some((_, tid)), Some(right)) = (tags.split_once("tid="), spelled(name, right))
    {
        lines.push(format!("{}{right}", &tid[..tid.len().min(16)]));
    }
    lines.join("\n")
}

/// Returns the value with its ids in hexadecimal digits; `None` for a header that has them so already.
pub(super) fn spelled(name: &str, value: &str) -> Option<String> {
    match name {
        "x-datadog-trace-id" | "x-datadog-parent-id" => digits(value),
        "x-cloud-trace-context" => {
            let (trace_id, rest) = value.split_once('/')?;
            let end = rest.find(';').unwrap_or(rest.len());
            Some(format!(
                "{trace_id}/{}{}",
                digits(&rest[..end])?,
                &rest[end..]
            ))
        }
        "x-amzn-trace-id" => {
            let (before, trace_id) = value.split_once("Root=1-")?;
            let trace_id = trace_id.replacen('-', "", 1);
            Some(format!("{before}Root=1-{trace_id}"))
        }
        "grpc-trace-bin" => {
            let bytes = bytes(value.trim_end_matches('='))?;
            let fields = [0..1, 1..2, 2..18, 18..19, 19..27, 27..28, 28..29];
            let fields: Option<Vec<_>> = fields
                .into_iter()
                .map(|field| bytes.get(field).map(hex::encode))
                .collect();
            Some(fields?.join(" "))
        }
        _ => None,
    }
}

fn digits(number: &str) -> Option<String> {
    Some(format!("{:016x}", number.parse::<u64>().ok()?))
}

/// Decodes base64 without padding (RFC 4648, section 4).
fn bytes(text: &str) -> Option<Vec<u8>> {
    let mut bits = (0_u32, 0_u32);
    let mut bytes = Vec::new();
    for letter in text.bytes() {
        let sextet = BASE64.iter().position(|other| *other == letter)?;
        bits = (bits.0 << 6 | u32::try_from(sextet).ok()?, bits.1 + 6);
        if bits.1 >= 8 {
            bits.1 -= 8;
            bytes.push(u8::try_from(bits.0 >> bits.1 & 0xff).ok()?);
        }
    }
    Some(bytes)
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
