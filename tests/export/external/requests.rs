//! Export requests on real Envoy beside their spans: headers from the configuration and from the environment, and the
//! encoding of the body.

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route, Wasm};
use sidespan_sink::{RequestRecord, Transport};
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, counter, filter, wait_for_counter};
use sidespan_tests::http::{Server, load};

const PROTOCOLS: [(&str, Transport); 2] = [
    ("grpc", Transport::Grpc),
    ("http/protobuf", Transport::Http),
];
const KEY: &str = "s3cret-from-the-environment";
const TOKEN: &str = "s3cret-from-the-configuration";

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn op_6_headers_go_with_every_request_and_their_values_into_no_log() {
    for (protocol, transport) in PROTOCOLS {
        let scene = Scene::start(protocol, |otlp| {
            filter(&exporting(
                otlp,
                &json!({
                    "headers": {
                        "x-api-key": {"environment": "OTLP_KEY"},
                        "x-absent": {"environment": "OTLP_ABSENT"},
                        "x-broken": {"environment": "OTLP_BROKEN"},
                        "authorization": format!("Bearer {TOKEN}"),
                        "user-agent": "cart/1",
                    },
                }),
            ))
            .environment("OTLP_KEY", &format!("{KEY}\n"))
            .environment("OTLP_BROKEN", "two\nlines")
        });
        for record in scene.exported(200) {
            assert_eq!(record.transport, transport);
            assert!(record.headers.has("x-api-key", KEY), "{protocol}");
            let bearer = format!("Bearer {TOKEN}");
            assert!(record.headers.has("authorization", &bearer), "{protocol}");
            let agents = record
                .headers
                .iter()
                .filter(|(name, _)| *name == "user-agent");
            let agents: Vec<&str> = agents.map(|(_, value)| value).collect();
            assert_eq!(agents, ["cart/1"], "{protocol}");
            assert_eq!(record.header("x-absent"), None, "{protocol}");
            assert_eq!(record.header("x-broken"), None, "{protocol}");
        }
        let log = scene.envoy.log();
        for (name, why) in [
            (
                "x-absent",
                "the environment variable OTLP_ABSENT is not set",
            ),
            (
                "x-broken",
                "the environment variable OTLP_BROKEN has a value that no header can have",
            ),
        ] {
            let lines = log
                .lines()
                .filter(|line| line.contains(name))
                .collect::<Vec<_>>();
            assert!(lines.iter().all(|line| line.contains(why)), "{lines:#?}");
            // One line for each VM: the worker's and the main thread's.
            assert!((1..=3).contains(&lines.len()), "{lines:#?}");
        }
        assert!(
            !log.contains("s3cret") && !log.contains("two\nlines"),
            "{log}"
        );
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn op_2_the_collector_reads_gzip_over_both_protocols() {
    for (protocol, transport) in PROTOCOLS {
        let [plain, small] = ["none", "gzip"].map(|compression| {
            let scene = Scene::start(protocol, |otlp| {
                filter(&exporting(otlp, &json!({"compression": compression})))
            });
            let records = scene.exported(512);
            let encoding = match transport {
                Transport::Grpc => "grpc-encoding",
                Transport::Http => "content-encoding",
            };
            let expected = Some("gzip").filter(|_| compression == "gzip");
            let agent = concat!("sidespan/", env!("CARGO_PKG_VERSION"));
            for record in &records {
                assert_eq!(record.header("user-agent"), Some(agent), "OP-3");
                assert_eq!(
                    record.header(encoding),
                    expected,
                    "{protocol} {compression}"
                );
            }
            let spans: usize = records.iter().map(|record| record.spans).sum();
            let bytes: usize = records.iter().map(|record| record.wire_bytes).sum();
            assert_eq!(spans, 512, "{protocol} {compression}");
            bytes
        });
        println!("512 spans over {protocol}: {plain} bytes, {small} with gzip");
        assert!(small * 4 < plain, "{protocol}: {small} of {plain} bytes");
    }
}

fn exporting(mut otlp: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().expect("keys") {
        otlp[key] = value.clone();
    }
    json!({"sampling": {"percentage": 100}, "export": {"otlp": otlp, "batch": {"maxDelay": "200ms"}}})
}

struct Scene {
    envoy: Envoy,
    collector: Collector,
    _upstream: Server,
}

impl Scene {
    fn start(protocol: &str, wasm: impl FnOnce(Value) -> Wasm) -> Self {
        let upstream = Server::ok();
        let collector = Collector::start();
        let cluster = match protocol {
            "grpc" => collector.grpc_cluster("collector"),
            _ => collector.http_cluster("collector"),
        };
        let wasm = wasm(json!({"cluster": "collector", "protocol": protocol}));
        let listener = Listener::new("in")
            .direction(Direction::Inbound)
            .route(Route::to("app"))
            .filter(wasm.filter());
        let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(cluster)
            .listener(listener);
        Self {
            envoy: envoy::start(&bootstrap),
            collector,
            _upstream: upstream,
        }
    }

    /// Returns the collector's records of the requests for this many spans, all of which it accepted.
    fn exported(&self, count: u64) -> Vec<RequestRecord> {
        load(self.envoy.address("in").expect("a listener"), count);
        wait_for_counter(&self.envoy, "spans.exported", |exported| exported == count);
        assert_eq!(counter(&self.envoy, "export.failures"), 0);
        self.collector
            .wait(|now| (now.counts.accepted == count).then_some(()));
        let requests = self.collector.sink().requests();
        requests.iter().map(|record| (**record).clone()).collect()
    }
}
