//! The writing side of a service: the one shape that the libraries of its format write.

use sidespan_core::propagation::format::Format;

use super::{BASE64, Context, Line, State, is_zero};

/// Returns the headers that the service sends. A state that the format cannot express is left out; no test asks for that.
pub fn write(format: Format, context: &Context) -> Vec<Line> {
    let Context {
        trace_id,
        span_id,
        state,
    } = context;
    let (left, right) = trace_id.split_at(16);
    let short = if is_zero(left) { right } else { trace_id };
    // In the order sampled, not sampled, debug, undecided.
    let word = |words: [&'static str; 4]| match state {
        State::Sampled => words[0],
        State::Unsampled => words[1],
        State::Debug => words[2],
        State::Deferred => words[3],
    };
    let lines: Vec<Line> = match format {
        Format::TraceContext => {
            let debug = format!("b3={trace_id}-{span_id}-d");
            let flags = word(["01", "00", "01", "00"]);
            vec![
                ("traceparent", format!("00-{trace_id}-{span_id}-{flags}")),
                ("tracestate", word(["", "", "?", ""]).replace('?', &debug)),
            ]
        }
        Format::B3 => {
            let state = word(["-1", "-0", "-d", ""]);
            vec![("b3", format!("{short}-{span_id}{state}"))]
        }
        Format::B3Multi => vec![
            ("x-b3-traceid", short.into()),
            ("x-b3-spanid", span_id.clone()),
            ("x-b3-sampled", word(["1", "0", "", ""]).into()),
            ("x-b3-flags", word(["", "", "1", ""]).into()),
        ],
        Format::Jaeger => {
            let flags = word(["1", "0", "3", "0"]);
            vec![("uber-trace-id", format!("{short}:{span_id}:0:{flags}"))]
        }
        Format::XRay => {
            let (epoch, unique) = trace_id.split_at(8);
            let sampled = word(["1", "0", "1", "?"]);
            let value = format!("Root=1-{epoch}-{unique};Parent={span_id};Sampled={sampled}");
            vec![("x-amzn-trace-id", value)]
        }
        Format::Datadog => {
            let tid = format!("_dd.p.tid={left}");
            vec![
                ("x-datadog-trace-id", decimal(right)),
                ("x-datadog-parent-id", decimal(span_id)),
                (
                    "x-datadog-sampling-priority",
                    word(["1", "0", "2", ""]).into(),
                ),
                (
                    "x-datadog-tags",
                    if is_zero(left) { String::new() } else { tid },
                ),
            ]
        }
        Format::GrpcTraceBin => {
            let options = word(["01", "00", "01", "00"]);
            let bytes = hex::decode(format!("0000{trace_id}01{span_id}02{options}"));
            vec![("grpc-trace-bin", base64(&bytes.expect("hex digits")))]
        }
        Format::OtTrace => vec![
            ("ot-tracer-traceid", right.into()),
            ("ot-tracer-spanid", span_id.clone()),
            (
                "ot-tracer-sampled",
                word(["true", "false", "true", ""]).into(),
            ),
        ],
        Format::Gcp => {
            let options = word([";o=1", ";o=0", ";o=1", ""]);
            let value = format!("{trace_id}/{}{options}", decimal(span_id));
            vec![("x-cloud-trace-context", value)]
        }
    };
    lines
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

fn decimal(digits: &str) -> String {
    let number = u64::from_str_radix(digits, 16);
    number.expect("16 hex digits").to_string()
}

/// Encodes base64 without padding, as gRPC does in binary metadata.
fn base64(bytes: &[u8]) -> String {
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let sextets = bits.as_bytes().chunks(6).map(|chunk| {
        let bits = format!("{:0<6}", String::from_utf8_lossy(chunk));
        let sextet = usize::from_str_radix(&bits, 2).expect("bits");
        char::from(BASE64[sextet])
    });
    sextets.collect()
}
