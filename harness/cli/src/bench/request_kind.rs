//! The kinds of requests whose cost is measured separately, each with its configuration and its headers.
//!
//! Together the kinds walk every path that many requests take. A path that few requests take (a malformed header, a
//! conflict) costs little more than these kinds, and further configuration (rules, attributes) costs by its own length.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::least::LeastWork;

/// A kind of request.
#[derive(Clone, Debug)]
pub struct RequestKind {
    /// Name in tables and records.
    pub name: &'static str,
    /// The filter's configuration.
    pub configuration: Value,
    /// Headers of the request beside [`USUAL`].
    pub headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// `:status` of the response.
    pub status: &'static str,
}

impl RequestKind {
    /// Returns all kinds.
    pub fn all() -> Vec<Self> {
        let off = json!({"percentage": 0, "keep": {"errors": false}});
        let kept = json!({"percentage": 0});
        let every = json!({"percentage": 100});
        let probed = json!({"percentage": 100, "exclude": [{"path": "/api/*"}]});
        let exporting = |sampling: &Value, direction: &str| {
            json!({
                "sampling": sampling,
                "export": {"otlp": {"cluster": CLUSTER}},
                "direction": direction,
            })
        };
        let alone = |mut configuration: Value| {
            configuration["propagation"] = json!({"inject": ["tracecontext"], "mirror": false});
            configuration
        };
        let mut nine = exporting(&every, "inbound");
        nine["propagation"] = json!({"inject": FORMATS});
        let attempt = json!({"role": "attempt", "export": {"otlp": {"cluster": CLUSTER}}});
        let mut kinds = vec![
            Self::of("translation only, nothing comes in", json!({}), &[]),
            Self::of("translation only, W3C comes in", json!({}), &[SAMPLED]),
            Self::of("excluded", exporting(&probed, "inbound"), &[]),
            Self::of(
                "not sampled, keep off, W3C alone goes out",
                alone(exporting(&off, "inbound")),
                &[],
            ),
            Self::of("not sampled, keep off", exporting(&off, "inbound"), &[]),
            Self::of(
                "not sampled, keep off, W3C comes in",
                exporting(&off, "inbound"),
                &[UNSAMPLED],
            ),
            Self::of(
                "not sampled, SERVER, W3C alone goes out",
                alone(exporting(&kept, "inbound")),
                &[],
            ),
            Self::of("not sampled, SERVER", exporting(&kept, "inbound"), &[]),
            Self::of(
                "not sampled, CLIENT",
                exporting(&kept, "outbound"),
                &[UNSAMPLED],
            ),
            Self::of("not sampled, edge", exporting(&kept, "edge"), &[]),
            Self {
                status: "503",
                ..Self::of(
                    "not sampled and kept",
                    exporting(&kept, "inbound"),
                    &[UNSAMPLED],
                )
            },
            Self::of(
                "sampled, SERVER, W3C alone goes out",
                alone(exporting(&every, "inbound")),
                &[],
            ),
            Self::of("sampled, SERVER", exporting(&every, "inbound"), &[]),
            Self::of(
                "sampled, SERVER, W3C comes in",
                exporting(&every, "inbound"),
                &[SAMPLED],
            ),
            Self::of("sampled, SERVER, nine formats go out", nine, &[]),
            Self::of("sampled, CLIENT", exporting(&every, "outbound"), &[SAMPLED]),
            Self::of("sampled, edge", exporting(&every, "edge"), &[SAMPLED]),
            Self::of(
                "sampled, SERVER of a gRPC call",
                exporting(&every, "inbound"),
                &[SAMPLED, GRPC],
            ),
            Self {
                status: "503",
                ..Self::of(
                    "sampled, SERVER that fails",
                    exporting(&every, "inbound"),
                    &[SAMPLED],
                )
            },
            Self::of("a try", attempt, &[SAMPLED]),
        ];
        kinds.extend(Self::growing(&alone(exporting(&every, "inbound"))));
        kinds
    }

    /// Returns the kinds of work of the least filter (`filter/least`), whose costs are what ours are held against.
    pub fn of_least() -> Vec<Self> {
        [
            ("the least filter: sampled", LeastWork::Sampled),
            ("the least filter: not sampled", LeastWork::Unsampled),
            (
                "the least filter: not sampled, W3C read by name",
                LeastWork::UnsampledByName,
            ),
            ("the least filter: not sampled, keep", LeastWork::Keep),
        ]
        .map(|(name, work)| Self::of(name, work.configuration(CLUSTER).into(), &[]))
        .into()
    }

    /// Returns kinds that differ from one recorded kind in the length of one part of the configuration or of the request
    /// alone, and shortest in none: what grows faster than it must shows here.
    fn growing(shortest: &Value) -> Vec<Self> {
        let of = |name, part: [&str; 2], value: Value| {
            let mut configuration = shortest.clone();
            let [section, key] = part;
            configuration[section][key] = value;
            Self::of(name, configuration, &[])
        };
        let rules = |count| {
            let rule =
                |number| json!({"match": {"path": format!("/area{number}/*")}, "percentage": 1});
            (0..count).map(rule).collect::<Value>()
        };
        let namespaces: Value = (0..256)
            .map(|number| (format!("team-{number}"), json!(1)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let routes = |count| {
            let route = |number| json!(format!("/api/v1/area{number}/{{id}}"));
            (0..count).map(route).collect::<Value>()
        };
        let header = |number| {
            let name = format!("x-custom-{number}");
            (name.into(), "0123456789abcdef".into())
        };
        vec![
            of("grown: 8 rules", ["sampling", "rules"], rules(8)),
            of("grown: 64 rules", ["sampling", "rules"], rules(64)),
            of(
                "grown: 256 namespaces",
                ["sampling", "namespaces"],
                namespaces,
            ),
            of("grown: 16 routes", ["spans", "routes"], routes(16)),
            of("grown: 256 routes", ["spans", "routes"], routes(256)),
            Self {
                headers: (USUAL.len()..100).map(header).collect(),
                ..Self::of("grown: 100 headers", shortest.clone(), &[])
            },
        ]
    }

    fn of(
        name: &'static str,
        configuration: Value,
        headers: &[(&'static str, &'static str)],
    ) -> Self {
        Self {
            name,
            configuration,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            status: "200",
        }
    }
}

/// The collector's cluster in all configurations.
pub const CLUSTER: &str = "collector";

/// Headers of every request: those of a usual request behind another proxy.
pub const USUAL: [(&str, &str); 10] = [
    (":method", "GET"),
    (":scheme", "http"),
    (":authority", "cart.shop.svc.cluster.local:8080"),
    (":path", "/api/v1/cart/7?currency=EUR"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
    ("x-request-id", "2f1c7a2e-6d0a-9f0e-8a55-1f1d9b1e2c3d"),
];

/// Header with a context that the caller sampled.
pub const SAMPLED: (&str, &str) = (
    "traceparent",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
);
/// Header with a context that the caller did not sample.
pub const UNSAMPLED: (&str, &str) = (
    "traceparent",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
);
/// Header that makes a request a gRPC call.
pub const GRPC: (&str, &str) = ("content-type", "application/grpc");
const FORMATS: [&str; 9] = [
    "tracecontext",
    "b3",
    "b3multi",
    "jaeger",
    "xray",
    "datadog",
    "grpc-trace-bin",
    "ottrace",
    "gcp",
];
