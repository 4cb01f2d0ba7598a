//! The number of hostcalls for one request of each kind, because each call costs time in the proxy (`filter/README.md`,
//! "What a request costs"); a request that is not recorded makes only those that its context needs.

use std::collections::BTreeMap;
use std::fmt::Write;

use sidespan::bench::request_kind::{GRPC, SAMPLED, UNSAMPLED};
use sidespan_host::{Action, EndOfStream, Ending, Headers, Host, StreamProperties, Value};
use sidespan_tests::readme;
use sidespan_tests::worlds::module;

/// The time that Envoy's router adds to every answer of an upstream.
const ROUTERS: (&str, &str) = ("x-envoy-upstream-service-time", "1");
const PROBE: (&str, &str) = ("user-agent", "kube-probe/1.33");
const EXPORTS: &str =
    r#""sampling": {"percentage": 100}, "export": {"otlp": {"cluster": "collector"}}"#;

#[test]
fn the_calls_of_each_kind_of_request_are_those_that_are_documented() {
    let exporting = |more: &str| format!("{{{EXPORTS}{more}}}");
    let never_keeping = |more: &str| {
        exporting(more).replace(
            r#""percentage": 100"#,
            r#""percentage": 100, "keep": {"errors": false}"#,
        )
    };
    let rows = [
        Row::of("translation only, no context", "{}", &[]),
        Row::of("translation only, W3C alone comes in", "{}", &[SAMPLED]),
        Row::of("excluded (a probe)", &exporting(""), &[PROBE]),
        Row::of("not sampled, `keep` off", &never_keeping(""), &[UNSAMPLED]),
        Row::of("not sampled, inbound", &exporting(""), &[UNSAMPLED]),
        Row::of(
            "not sampled, inbound, `direction` set",
            &exporting(r#", "direction": "inbound""#),
            &[UNSAMPLED],
        ),
        Row::of(
            "not sampled, outbound, `direction` set",
            &exporting(r#", "direction": "outbound""#),
            &[UNSAMPLED],
        ),
        Row::of(
            "not sampled, inbound, `direction` set, with `keep.slowerThan`",
            &exporting(r#", "direction": "inbound""#).replace(
                r#""percentage": 100"#,
                r#""percentage": 100, "keep": {"slowerThan": "2s"}"#,
            ),
            &[UNSAMPLED],
        ),
        Row::of(
            "not sampled, `direction: edge`",
            &exporting(r#", "direction": "edge""#),
            &[UNSAMPLED],
        ),
        Row::of("sampled, SERVER span", &exporting(""), &[SAMPLED]),
        Row::of(
            "sampled at 25 %, SERVER span, `direction` set",
            &exporting(r#", "direction": "inbound""#).replace("100", "25"),
            &[SAMPLED, ("tracestate", "ot=th:c;rv:f0000000000000")],
        ),
        Row::of(
            "sampled at 25 %, CLIENT span, `direction` set, without `tracestate`",
            &exporting(r#", "direction": "outbound""#).replace("100", "25"),
            &[SAMPLED],
        ),
        Row::of(
            "sampled, SERVER span, `direction` set",
            &exporting(r#", "direction": "inbound""#),
            &[SAMPLED],
        ),
        Row::of(
            "sampled, CLIENT span, `direction` set",
            &exporting(r#", "direction": "outbound""#),
            &[SAMPLED],
        ),
        Row::of(
            "sampled, both spans of an edge",
            &exporting(r#", "direction": "edge""#),
            &[SAMPLED],
        ),
        Row::of(
            "sampled, SERVER span of a gRPC call",
            &exporting(r#", "direction": "inbound""#),
            &[SAMPLED, GRPC],
        ),
        Row {
            status: "503",
            ..Row::of(
                "sampled, SERVER span that failed",
                &exporting(r#", "direction": "inbound""#),
                &[SAMPLED],
            )
        },
        Row::of(
            "sampled, SERVER span, with `spans.accessLog`",
            &exporting(r#", "direction": "inbound", "spans": {"accessLog": true}"#),
            &[SAMPLED],
        ),
        Row::of(
            "a try, sampled",
            r#"{"role": "attempt", "export": {"otlp": {"cluster": "collector"}}}"#,
            &[SAMPLED],
        ),
    ];
    let mut table =
        "| a request that is | map read | header written | header read | attributes read at once | property | time | property set | shared data | all |\n\
         |---|---|---|---|---|---|---|---|---|---|\n"
            .to_owned();
    for row in &rows {
        let calls = row.calls();
        let columns: Vec<String> = COLUMNS.iter().map(|names| count(&calls, names)).collect();
        let all: u64 = calls.values().sum();
        let counted: u64 = COLUMNS
            .iter()
            .flat_map(|names| names.iter())
            .filter_map(|name| calls.get(name))
            .sum();
        assert_eq!(all, counted, "{}: {calls:?}", row.what);
        writeln!(table, "| {} | {} | {all} |", row.what, columns.join(" | ")).expect("a string");
    }
    readme::documents("calls to the proxy", &table);
    let of = |what: &str| {
        let row = rows.iter().find(|row| row.what == what).expect("a row");
        row.calls()
    };
    let calls = of("not sampled, `keep` off");
    for call in [
        "proxy_get_property",
        "proxy_set_property",
        "proxy_get_shared_data",
    ] {
        assert_eq!(calls.get(call), None, "{call}");
    }
    let sum = |what: &str| of(what).values().sum::<u64>();
    let most = sum("not sampled, `keep` off") + 5;
    for what in [
        "not sampled, inbound",
        "not sampled, inbound, `direction` set",
        "not sampled, outbound, `direction` set",
    ] {
        assert!(sum(what) <= most, "{what}");
    }
}

const COLUMNS: [&[&str]; 8] = [
    &["proxy_get_header_map_pairs"],
    &[
        "proxy_add_header_map_value",
        "proxy_replace_header_map_value",
        "proxy_remove_header_map_value",
    ],
    &["proxy_get_header_map_value"],
    &["proxy_call_foreign_function"],
    &["proxy_get_property"],
    &["proxy_get_current_time_nanoseconds"],
    &["proxy_set_property"],
    &["proxy_get_shared_data", "proxy_set_shared_data"],
];

fn count(calls: &BTreeMap<&'static str, u64>, names: &[&str]) -> String {
    match names.iter().filter_map(|name| calls.get(name)).sum::<u64>() {
        0 => String::new(),
        count => count.to_string(),
    }
}

struct Row {
    what: &'static str,
    configuration: String,
    headers: Vec<(&'static str, &'static str)>,
    status: &'static str,
}

impl Row {
    fn of(
        what: &'static str,
        configuration: &str,
        headers: &[(&'static str, &'static str)],
    ) -> Self {
        Self {
            what,
            configuration: configuration.into(),
            headers: headers.into(),
            status: "200",
        }
    }

    /// Counts the calls of one request among many, without ticks and without the drawing of randomness, which serves many
    /// ids.
    fn calls(&self) -> BTreeMap<&'static str, u64> {
        let mut host = Host::builder(module())
            .plugin_name("sidespan")
            .plugin_configuration(self.configuration.clone())
            .cluster("collector")
            .start()
            .unwrap_or_else(|error| panic!("{error}"));
        let mut fewest: Option<BTreeMap<&'static str, u64>> = None;
        for _ in 0..8 {
            let properties = StreamProperties::new()
                .listener_direction(1)
                .set("source.address", Value::from("10.0.0.9:4711"))
                .set("upstream.address", Value::from("10.0.0.7:8080"))
                .set(
                    "xds.cluster_name",
                    Value::from("outbound|80||cart.shop.svc.cluster.local"),
                );
            let stream = host.open_stream(properties);
            host.clear_transcript();
            let usual = [
                (":method", "GET"),
                (":path", "/cart.Cart/Add"),
                (":authority", "cart"),
                (":scheme", "http"),
            ];
            let headers: Headers = usual.iter().chain(&self.headers).copied().collect();
            let asked = host.request_headers(stream, headers, EndOfStream::Yes);
            let answered = host.response_headers(
                stream,
                [(":status", self.status), ROUTERS],
                EndOfStream::Yes,
            );
            assert_eq!([asked, answered], [Action::Continue; 2]);
            host.end(stream, Ending::Complete).expect("one end");
            let calls = host.transcript().calls();
            let sum = |calls: &BTreeMap<_, u64>| calls.values().sum::<u64>();
            if fewest
                .as_ref()
                .is_none_or(|fewest| sum(&calls) < sum(fewest))
            {
                fewest = Some(calls);
            }
        }
        assert_eq!(host.trap(), None);
        fewest.expect("eight")
    }
}
