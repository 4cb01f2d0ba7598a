//! Configurations by chance: good ones, which record each request once, and broken ones, which nobody may apply.

use serde_json::{Value, json};
use sidespan_core::config::Config;
use sidespan_core::propagation::format::Format;
use sidespan_tests::draw::Draw;

/// The clusters of the collector, by protocol.
pub(in crate::security) const CLUSTERS: [(&str, &str); 2] = [
    ("grpc", "collector-grpc"),
    ("http/protobuf", "collector-http"),
];

/// Returns a good configuration, which differs from that of another number.
pub(in crate::security) fn good(draw: &mut Draw, number: u64) -> Value {
    let formats = |draw: &mut Draw| -> Vec<&str> {
        let some = Format::ALL.into_iter().filter(|_| draw.one_in(2));
        some.map(Format::name).collect()
    };
    let (extract, inject) = (formats(draw), formats(draw));
    let (protocol, cluster) = draw.one(&CLUSTERS);
    let configuration = json!({
        "propagation": {
            "extract": extract,
            "inject": inject,
            "mirror": draw.one_in(2),
            "keep64bit": draw.one_in(2),
            "baggage": draw.one(&[r#"{}"#, r#"{"deny": ["k*"]}"#, r#"{"maxBytes": 64, "from": ["jaeger"]}"#])
                .parse::<Value>().expect("JSON"),
        },
        "sampling": {
            "percentage": 100,
            "consistent": draw.one_in(2),
            "keep": {"errors": draw.one_in(2), "slowerThan": draw.one(&["1ms", "2s"]), "tell": draw.one_in(2)},
        },
        "correlation": {"requestId": draw.one_in(2)},
        "spans": {
            "serviceName": format!("cart-{number}"),
            "conventions": draw.one(&["stable", "old", "both"]),
            "accessLog": draw.one_in(2),
            "routes": draw.one(&["/orders/{id}", "/{any}"]).split(' ').collect::<Vec<_>>(),
        },
        "export": {
            "otlp": {
                "cluster": cluster,
                "protocol": protocol,
                "compression": draw.one(&["none", "gzip"]),
                "timeout": draw.one(&["200ms", "400ms"]),
            },
            "batch": {"maxSpans": draw.one(&[1, 16, 200]), "maxDelay": draw.one(&["10ms", "50ms", "200ms"])},
            "queue": {"maxSpans": draw.one(&[200, 1_000]), "maxBytes": draw.one(&["64KiB", "8MiB"])},
            "retry": {"initial": draw.one(&["10ms", "50ms"]), "max": "200ms", "attempts": draw.one(&[1, 2, 4])},
        },
    });
    let text = configuration.to_string();
    assert_eq!(Config::parse(text.as_bytes()).map(drop), Ok(()), "{text}");
    configuration
}

/// Returns the text of a configuration that is good but for one fault.
pub(in crate::security) fn broken(draw: &mut Draw, number: u64) -> String {
    loop {
        let mut configuration = good(draw, number);
        let sections: Vec<String> = configuration
            .as_object()
            .into_iter()
            .flat_map(|sections| sections.keys().cloned())
            .collect();
        let section = &sections[draw.below(sections.len())];
        let wrong = draw.one(&["null", "-1", "1e300", "\"x\"", "[[]]", "{\"\": 0}", "true"]);
        let wrong: Value = wrong.parse().expect("JSON");
        match draw.below(3) {
            0 => configuration[section] = wrong,
            1 => configuration[section]["unknown\n"] = wrong,
            _ => {
                let fields = configuration[section].as_object_mut().expect("a section");
                let at = draw.below(fields.len());
                fields
                    .values_mut()
                    .skip(at)
                    .take(1)
                    .for_each(|value| *value = wrong.clone());
            }
        }
        let mut text = configuration.to_string();
        match draw.below(6) {
            0 => text.truncate(draw.below(text.len())),
            1 => text.insert(draw.below(text.len()), '}'),
            _ => {}
        }
        if Config::parse(text.as_bytes()).is_err() {
            return text;
        }
    }
}
