//! The places of calls that no span of the callee tells of.

use super::*;

#[test]
fn what_has_no_spans_is_named_by_its_caller() {
    let map = map([vec![
        span(1, 0, Server, "cart"),
        span(2, 1, Client, "cart")
            .with("db.system.name", "postgresql")
            .with("db.namespace", "shop")
            .with("server.address", "db.shop"),
        span(3, 1, Client, "cart")
            .with("server.address", "api.example")
            .fails(),
        span(4, 1, Client, "cart"),
        span(5, 1, Client, "cart").with("peer.service", "legacy"),
    ]]);
    assert_eq!(
        edges(&map),
        [
            "cart > api.example !1",
            "cart > legacy",
            "cart > postgresql shop",
            "cart > unknown"
        ]
    );
    assert_eq!(
        nodes(&map),
        [
            "api.example ×1 !1 address",
            "cart ×1",
            "legacy ×1 service",
            "postgresql shop ×1 database",
            "unknown ×1 address"
        ]
    );
}

#[test]
fn a_call_that_failed_on_its_way_goes_where_its_like_arrived() {
    let call = |id| span(id, 1, Client, "front").with("server.address", "cart.shop");
    let map = map([
        vec![
            span(1, 0, Server, "front"),
            call(2),
            span(3, 2, Server, "cart"),
        ],
        vec![span(1, 0, Server, "front"), call(2).fails()],
    ]);
    assert_eq!(edges(&map), ["front > cart ×2 !1"]);
    assert_eq!(nodes(&map), ["cart ×1", "front ×2"], "received once");
}

#[test]
fn an_address_of_several_services_stays_an_address() {
    let call = |id| span(id, 1, Client, "front").with("server.address", "api");
    let map = map([vec![
        span(1, 0, Server, "front"),
        call(2),
        span(3, 2, Server, "cart"),
        call(4),
        span(5, 4, Server, "pay"),
        call(6).fails(),
    ]]);
    assert_eq!(
        edges(&map),
        ["front > api !1", "front > cart", "front > pay"]
    );
}

#[test]
fn a_service_that_is_called_by_its_name_is_itself() {
    let map = map([
        vec![proxy(1, 0, Server, "cart.shop"), span(2, 1, Server, "cart")],
        vec![
            span(1, 0, Client, "front")
                .with("service.peer.name", "cart")
                .fails(),
        ],
        vec![
            span(1, 0, Client, "front")
                .with("peer.service", "cart.shop")
                .fails(),
        ],
    ]);
    assert_eq!(edges(&map), ["front > cart ×2 !2"]);
    assert_eq!(nodes(&map), ["cart ×1", "front ×2 !2"]);
}

#[test]
fn a_twin_that_knows_the_service_names_it() {
    let map = map([vec![
        span(1, 0, Client, "front").with("server.address", "10.0.0.7"),
        proxy(2, 1, Client, "front").with("service.peer.name", "legacy"),
    ]]);
    assert_eq!(edges(&map), ["front > legacy"]);
}
