//! A line of Envoy's access log as JSON: Loki's derived fields find in it the trace that the filter's span belongs to.

use regex::Regex;
use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Listener, Node, Route, wait_for};
use sidespan_tests::envoy::{self, LIMIT, filter};
use sidespan_tests::http::{Request, Server, send};

use crate::observability::files::{list, read, yaml};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_line_that_envoy_wrote_as_json_leads_to_its_trace() {
    let service = Server::ok();
    let bootstrap = Bootstrap::new(Node::sidecar("shop", "cart-7d9c5b8f6-x2x4z"))
        .listener(
            Listener::new("in")
                .direction(Direction::Inbound)
                .filter(filter(&json!({"sampling": {"percentage": 100}})).filter())
                .access_log_json(documented())
                .route(Route::to("service")),
        )
        .cluster(Cluster::new("service", service.address()));
    let envoy = envoy::start(&bootstrap);
    let address = envoy.address("in").expect("the listener");
    assert_eq!(send(address, &Request::get("/")).status, 200);
    let sent = service
        .only("/")
        .headers
        .one("traceparent")
        .expect("a context");
    let line = wait_for(LIMIT, || {
        let log = envoy.access_log("in");
        log.lines().next().map(str::to_owned)
    });
    let line = line.expect("a line");

    let sources = yaml("grafana/datasources.yaml");
    let mut loki = list(&sources["datasources"]).iter();
    let loki = loki.find(|it| it["type"] == "loki").expect("Loki");
    let fields = list(&loki["jsonData"]["derivedFields"]);
    let found = fields.iter().filter_map(|field| {
        let pattern = field["matcherRegex"].as_str().expect("a pattern");
        let pattern = Regex::new(pattern).expect("a pattern");
        let id = pattern.captures(&line)?.get(1)?;
        Some(id.as_str().to_owned())
    });
    // One for each trace store; the third is for lines of applications.
    assert_eq!(Vec::from_iter(found), [&sent[3..35]; 2], "{line}");
}

/// Returns the fields of the README's access log.
fn documented() -> Value {
    let readme = read("README.md");
    let (_, block) = readme
        .split_once("accessLogFormat: |\n")
        .expect("the format");
    let (block, _) = block.split_once("```").expect("its end");
    serde_json::from_str(block).expect("JSON")
}
