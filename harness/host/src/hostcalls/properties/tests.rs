use crate::host::Host;
use crate::stream::{Action, EndOfStream, Ending, StreamProperties};
use crate::testing::{Guest, start, texts};

const IMPORTS: &str = r#"
    (import "env" "proxy_get_property" (func $get (param i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_set_property" (func $set (param i32 i32 i32 i32) (result i32)))"#;

/// A function that logs a property, or the status if there is none.
const SHOW: &str = "
    (func $show (param $at i32) (param $size i32) (local $status i32)
        (local.set $status (call $get (local.get $at) (local.get $size) (i32.const 8) (i32.const 12)))
        (if (local.get $status)
            (then (call $log (local.get $status)))
            (else (call $text (i32.load (i32.const 8)) (i32.load (i32.const 12))))))";

/// Starts a guest that looks up the same property in every callback.
fn looking_up(path: &str) -> Host {
    let escaped = path.replace('.', "\\00");
    let show = format!("(call $show (i32.const 256) (i32.const {}))", path.len());
    let more = format!(
        r#"{SHOW}
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) {show} (i32.const 0))
        (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) {show} (i32.const 0))
        (func (export "proxy_on_log") (param i32) {show})"#
    );
    let guest = Guest {
        imports: IMPORTS,
        data: &[(256, &escaped)],
        on_configure: &show,
        more: &more,
        ..Guest::default()
    };
    guest
        .builder()
        .property("xds.node.id", "sidecar~1")
        .property("xds.node.metadata.NAMESPACE", "payments")
        .property("xds.listener_direction", "inbound")
        .start()
        .unwrap()
}

/// Returns the property that the guest sees in `proxy_on_configure`, with the request, with the response and in
/// `proxy_on_log`.
fn seen(path: &str) -> [String; 4] {
    let mut host = looking_up(path);
    let properties = StreamProperties::new()
        .source("10.0.0.1", 99)
        .upstream("10.0.0.2", 80);
    let stream = host.open_stream(properties);
    let request = [
        (":method", "GET"),
        (":path", "/a?b=c#d"),
        (":authority", "shop"),
        ("a", "1"),
        ("a", "2"),
    ];
    assert_eq!(
        host.request_headers(stream, request, EndOfStream::Yes),
        Action::Continue
    );
    assert_eq!(
        host.response_headers(
            stream,
            [(":status", "204"), ("grpc-status", "5")],
            EndOfStream::Yes
        ),
        Action::Continue
    );
    host.end(stream, Ending::Complete);
    texts(&mut host).try_into().unwrap()
}

#[test]
fn shows_each_property_at_the_moments_at_which_envoy_knows_it() {
    let none = "1";
    for (path, expected) in [
        ("plugin_name", ["name"; 4]),
        ("plugin_root_id", ["root"; 4]),
        ("plugin_vm_id", ["vm"; 4]),
        ("xds.node.id", ["sidecar~1"; 4]),
        ("xds.node.metadata.NAMESPACE", ["payments"; 4]),
        ("xds.node.id.", ["sidecar~1"; 4]),
        ("xds", ["3"; 4]),
        ("request", [none, "3", "3", "3"]),
        ("filter_state", [none, "3", "3", "3"]),
        ("upstream_filter_state", [none, none, "3", "3"]),
        ("metadata", [none, "", "", ""]),
        ("", ["3"; 4]),
        (
            "xds.listener_direction",
            [none, "inbound", "inbound", "inbound"],
        ),
        ("request.method", [none, "GET", none, "GET"]),
        ("request.url_path", [none, "/a", none, "/a"]),
        ("request.query", [none, "b=c", none, "b=c"]),
        ("request.headers.a", [none, "1,2", none, "1,2"]),
        ("request.headers.b", [none; 4]),
        ("request.headers.host", [none, "shop", none, "shop"]),
        (
            "response.headers",
            [none, "\0\0\0\0", RESPONSE_HEADERS, RESPONSE_HEADERS],
        ),
        (
            "metadata.filter_metadata",
            [none, "\0\0\0\0", "\0\0\0\0", "\0\0\0\0"],
        ),
        ("upstream.transport_failure_reason", [none, none, "", ""]),
        ("upstream.local_address", [none; 4]),
        ("xds.route_name", [none, "", "", ""]),
        ("xds.cluster_metadata", [none, "", "", ""]),
        ("xds.upstream_host_metadata", [none, none, "3", "3"]),
        (
            "request.protocol",
            [none, "HTTP/1.1", "HTTP/1.1", "HTTP/1.1"],
        ),
        (
            "response.code_details",
            [none, none, "via_upstream", "via_upstream"],
        ),
        ("response.headers.grpc-status", [none, none, "5", "5"]),
        (
            "source.address",
            [none, "10.0.0.1:99", "10.0.0.1:99", "10.0.0.1:99"],
        ),
        (
            "upstream.address",
            [none, none, "10.0.0.2:80", "10.0.0.2:80"],
        ),
        ("listener_direction", [none; 4]),
        ("nothing", [none; 4]),
    ] {
        assert_eq!(seen(path), expected, "{path}");
    }
}

/// The pairs of the response's headers.
const RESPONSE_HEADERS: &str = "\u{2}\0\0\0\u{7}\0\0\0\u{3}\0\0\0\u{b}\0\0\0\u{1}\0\0\0\
                                :status\x00204\0grpc-status\x005\0";

#[test]
fn writes_the_node_as_its_message() {
    let node = "\n\tsidecar~1\u{1a}\u{19}\n\u{17}\n\tNAMESPACE\u{12}\n\u{1a}\u{8}payments";
    assert_eq!(seen("xds.node"), [node; 4]);
}

#[test]
fn writes_numbers_as_eight_bytes() {
    let word = |number: i64| String::from_utf8(number.to_le_bytes().to_vec()).unwrap();
    assert_eq!(seen("response.grpc_status")[2], word(5));
    assert_eq!(seen("source.port")[1], word(99));
    assert_eq!(seen("response.headers_bytes")[1], word(0));
    assert_eq!(seen("request.total_size")[2], word(0));
    let code = seen("response.code");
    assert_eq!(
        (
            code[1].as_str(),
            code[2].as_bytes()[0],
            code[2].chars().count()
        ),
        ("1", 0xEF, 8)
    );
    let duration = seen("request.duration");
    assert_eq!(duration, ["1", "1", "1", word(0).as_str()]);
}

#[test]
fn says_why_a_root_context_does_not_find_a_property() {
    for (path, reason) in [
        (
            "request.method",
            "`request.method` needs a stream; a root context sees only `xds.node` and the `plugin_` names",
        ),
        (
            "xds.node.metadata.NAME",
            "`xds.node.metadata.NAME` is not known in proxy_on_configure",
        ),
    ] {
        let host = looking_up(path);
        assert_eq!(host.transcript().refusals().next().unwrap().reason, reason);
    }
}

#[test]
fn says_why_an_old_name_is_not_found() {
    let host = looking_up("listener_direction");
    let refusal = host.transcript().refusals().next().unwrap();
    assert_eq!(
        refusal.reason,
        "`listener_direction` was removed in Envoy 1.33; `xds.listener_direction` took its place"
    );
}

#[test]
fn keeps_what_is_set_in_filter_state() {
    let more = format!(
        r#"{SHOW}
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
            (call $check (call $set (i32.const 256) (i32.const 1) (i32.const 260) (i32.const 2)) (i32.const 0))
            (call $show (i32.const 256) (i32.const 1))
            (call $show (i32.const 270) (i32.const 19))
            (call $check (call $set (i32.const 256) (i32.const 3) (i32.const 260) (i32.const 2)) (i32.const 0))
            (call $show (i32.const 256) (i32.const 3))
            (call $check (call $set (i32.const -1) (i32.const 1) (i32.const 260) (i32.const 2)) (i32.const 6))
            (call $check (call $get (i32.const -1) (i32.const 1) (i32.const 8) (i32.const 12)) (i32.const 6))
            (call $check (call $get (i32.const 256) (i32.const 1) (i32.const -1) (i32.const 12)) (i32.const 6))
            (i32.const 0))"#
    );
    let mut host = start(&Guest {
        imports: IMPORTS,
        data: &[(256, "k\\00l"), (260, "v!"), (270, "filter_state\\00wasm.k")],
        on_configure: "
            (call $check (call $set (i32.const 256) (i32.const 1) (i32.const 260) (i32.const 2)) (i32.const 1))",
        more: &more,
        ..Guest::default()
    });
    let stream = host.open_stream(StreamProperties::new());
    assert_eq!(
        host.request_headers(stream, [("a", "b")], EndOfStream::Yes),
        Action::Continue
    );
    assert_eq!(
        texts(&mut host),
        ["v!", "v!", "1"],
        "a path of two segments cannot be read back"
    );
    let stream = host.end(stream, Ending::Complete).unwrap();
    assert_eq!(stream.filter_state("wasm.k"), Some(&b"v!"[..]));
    assert_eq!(stream.filter_state("wasm.k\0l"), Some(&b"v!"[..]));
}
