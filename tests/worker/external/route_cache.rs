//! Envoy's choice of a route, where another filter changes the path and keeps the route, and this filter writes headers.
//!
//! Envoy chooses anew after any write of a module of this ABI, so behind such a filter the changed path decides. Tried against
//! it: other names of the ABI, none of which Envoy 1.40 loads. This test fails once an Envoy chooses otherwise, and then what
//! the documentation says of the order has to be said anew.

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, HttpFilter, Listener, Node, Route};
use sidespan_tests::envoy::{self, filter};
use sidespan_tests::http::{Request, Server, send};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn in_front_of_a_filter_that_keeps_the_route_the_route_stays() {
    let upstream = Server::ok();
    let keeps_route = HttpFilter::new(
        "envoy.filters.http.lua",
        json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "clear_route_cache": false,
            "default_source_code": {"inline_string":
                "function envoy_on_request(handle) handle:headers():replace(':path', '/internal/v1') end"},
        }),
    );
    let ours = filter(&json!({"sampling": {"percentage": 100}})).filter();
    let listener = |name: &str, filters: [&HttpFilter; 2]| {
        let listener = Listener::new(name).direction(Direction::Inbound);
        filters
            .into_iter()
            .fold(listener, |listener, filter| listener.filter(filter.clone()))
            .route(Route::to("app").prefix("/public"))
    };
    let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
        .listener(listener("in-front", [&ours, &keeps_route]))
        .listener(listener("behind", [&keeps_route, &ours]))
        .cluster(Cluster::new("app", upstream.address()));
    let envoy = envoy::start(&bootstrap);
    for (name, status) in [("in-front", 200), ("behind", 404)] {
        let address = envoy.address(name).expect("the listener");
        let answer = send(address, &Request::get("/public/v1"));
        assert_eq!(answer.status, status, "{name}");
    }
}
