use crate::host::Host;
use crate::stream::{Action, EndOfStream, StreamProperties};
use crate::testing::{Guest, start, texts};

const IMPORTS: &str = r#"
    (import "env" "proxy_call_foreign_function" (func $foreign (param i32 i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_get_property" (func $get (param i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_set_property" (func $set (param i32 i32 i32 i32) (result i32)))"#;

/// Returns the WebAssembly of a call with the name and the arguments at two places, and its check.
fn call(name: (u32, u32), arguments: (u32, u32), outs: (i32, i32), status: u32) -> String {
    format!(
        "(call $check (call $foreign (i32.const {}) (i32.const {}) (i32.const {}) (i32.const {}) (i32.const {})
            (i32.const {})) (i32.const {status}))",
        name.0, name.1, arguments.0, arguments.1, outs.0, outs.1
    )
}

const OUTS: (i32, i32) = (8, 12);

#[test]
fn writes_the_destinations_as_envoy_does() {
    let (compress, nothing, uncompress) = ((256, 8), (264, 7), (271, 10));
    let check = |at: u32, value: i32| {
        format!("(call $check (i32.load (i32.const {at})) (i32.const {value}))")
    };
    let fill = "(i32.store (i32.const 8) (i32.const 77)) (i32.store (i32.const 12) (i32.const 77))"
        .to_owned();
    start(&Guest {
        imports: IMPORTS,
        data: &[(256, "compressnothinguncompress")],
        on_configure: &[
            fill.clone(),
            call(nothing, (256, 1), OUTS, 1),
            check(8, 77) + &check(12, 77),
            call(uncompress, (256, 1), OUTS, 3),
            check(8, 0) + &check(12, 0),
            fill,
            call(compress, (256, 0), (0, 12), 0),
            check(8, 77) + &check(12, 8),
            call(compress, (256, 0), (8, 0), 0),
            check(12, 8),
            call(compress, (256, 0), (-1, 12), 6),
            call(compress, (256, 0), (8, -1), 6),
            call(compress, (999_999, 1), OUTS, 6),
            call((999_999, 1), (256, 1), OUTS, 6),
        ]
        .concat(),
        ..Guest::default()
    });
}

/// Compares with the answers of Envoy 1.40.
#[test]
fn declares_properties_for_the_root_context_only() {
    let (declare, state) = ((256, 16), (272, 22));
    let (read_only, plain, broken) = ((300, 6), (310, 3), (320, 1));
    let set = |name: (u32, u32), status: u32| {
        format!(
            "(call $check (call $set (i32.const {}) (i32.const {}) (i32.const 256) (i32.const 1)) (i32.const {status}))",
            name.0, name.1
        )
    };
    let (known, unknown, number, no_number) = ((400, 28), (430, 3), (440, 33), (480, 34));
    let mut host = start(&Guest {
        imports: IMPORTS,
        data: &[
            (256, "declare_propertyset_envoy_filter_state"),
            (300, "\\0a\\02ro\\10\\01"),
            (310, "\\0a\\01p"),
            (320, "\\ff"),
            (330, "rop"),
            (400, "\\0a\\17envoy.tcp_proxy.cluster\\12\\01c"),
            (430, "\\0a\\01x"),
            (440, "\\0a\\1benvoy.ratelimit.hits_addend\\12\\0212"),
            (480, "\\0a\\1benvoy.ratelimit.hits_addend\\12\\03x12"),
        ],
        on_configure: &[
            call(declare, read_only, OUTS, 0),
            call(declare, read_only, OUTS, 2),
            call(declare, broken, OUTS, 2),
            call(state, known, OUTS, 1),
        ]
        .concat(),
        more: &format!(
            r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                {} (i32.const 0))"#,
            [
                set((330, 2), 0),
                set((330, 2), 2),
                call(declare, plain, OUTS, 0),
                call(declare, plain, OUTS, 2),
                set((332, 1), 0),
                set((332, 1), 0),
                call(state, known, OUTS, 0),
                call(state, unknown, OUTS, 1),
                call(state, number, OUTS, 0),
                call(state, no_number, OUTS, 2),
            ]
            .concat()
        ),
        ..Guest::default()
    });
    let stream = host.open_stream(StreamProperties::new());
    let action = host.request_headers(stream, [(":path", "/")], EndOfStream::Yes);
    assert_eq!(action, Action::Continue, "{:#?}", host.transcript().lines());
    let stream = host.stream(stream).unwrap();
    assert_eq!(
        stream.filter_state("envoy.tcp_proxy.cluster"),
        Some(&b"c"[..])
    );
    assert_eq!(stream.filter_state("wasm.ro"), Some(&b"d"[..]));
}

/// Starts a guest that evaluates `source` with the request's headers and logs the answer: the status of `expr_create` and
/// 100, or that of `expr_evaluate`, or the bytes.
fn evaluated(source: &str) -> String {
    let escaped: String = source.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let more = format!(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (local $status i32)
            (local.set $status
                (call $foreign (i32.const 256) (i32.const 11) (i32.const 512) (i32.const {}) (i32.const 8) (i32.const 12)))
            (if (local.get $status)
                (then (call $log (i32.add (i32.const 100) (local.get $status))) (return (i32.const 0))))
            (i32.store (i32.const 300) (i32.load (i32.load (i32.const 8))))
            (local.set $status
                (call $foreign (i32.const 267) (i32.const 13) (i32.const 300) (i32.const 4) (i32.const 8) (i32.const 12)))
            (if (local.get $status)
                (then (call $log (local.get $status)))
                (else (call $hex (i32.load (i32.const 8)) (i32.load (i32.const 12)))))
            (i32.const 0))
        (func $digit (param $at i32) (param $value i32)
            (i32.store8 (local.get $at)
                (i32.add (i32.add (i32.const 48) (local.get $value))
                    (select (i32.const 39) (i32.const 0) (i32.gt_u (local.get $value) (i32.const 9))))))
        (func $hex (param $from i32) (param $size i32) (local $at i32)
            (local.set $at (i32.const 2001))
            (i32.store8 (i32.const 2000) (i32.const 58))
            (block $end (loop $next
                (br_if $end (i32.eqz (local.get $size)))
                (call $digit (local.get $at) (i32.shr_u (i32.load8_u (local.get $from)) (i32.const 4)))
                (call $digit (i32.add (local.get $at) (i32.const 1)) (i32.and (i32.load8_u (local.get $from)) (i32.const 15)))
                (local.set $at (i32.add (local.get $at) (i32.const 2)))
                (local.set $from (i32.add (local.get $from) (i32.const 1)))
                (local.set $size (i32.sub (local.get $size) (i32.const 1)))
                (br $next)))
            (call $text (i32.const 2000) (i32.sub (local.get $at) (i32.const 2000))))"#,
        source.len()
    );
    let mut host: Host = start(&Guest {
        imports: IMPORTS,
        data: &[(256, "expr_createexpr_evaluate"), (512, &escaped)],
        more: &more,
        ..Guest::default()
    });
    let properties = StreamProperties::new()
        .set("source.port", 39780_i64)
        .set("xds.cluster_name", "up")
        .set("xds.route_name", "rt")
        .set("xds.node.id", "nid");
    let stream = host.open_stream(properties);
    let headers = [
        (":method", "GET"),
        (":path", "/a?b=c"),
        (":authority", "shop"),
    ];
    let action = host.request_headers(stream, headers, EndOfStream::Yes);
    assert_eq!(action, Action::Continue, "{source}: {:#?}", host.trap());
    texts(&mut host).pop().unwrap()
}

/// Compares with the answers that Envoy 1.40 has given to the same request: `expressions.txt` was written by it.
#[test]
fn evaluates_expressions_as_envoy_does() {
    let recorded = include_str!("tests/expressions.txt");
    let mut differing = Vec::new();
    for line in recorded.lines() {
        let (source, answer) = line.rsplit_once(" => ").unwrap();
        let expected = answer
            .strip_prefix("0")
            .filter(|rest| rest.starts_with(':'));
        let expected = expected.unwrap_or_else(|| answer.trim_end_matches(':'));
        let found = evaluated(source);
        if found != expected {
            differing.push(format!("{source}: {found}, in Envoy {expected}"));
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
}

/// Compares with the answers of Envoy 1.40: tokens count from 0, one unknown attribute fails a whole list, deleting never
/// fails.
#[test]
fn prepares_evaluates_and_deletes_by_token() {
    let (create, evaluate, delete) = ((256, 11), (267, 13), (280, 11));
    let (list, broken, unknown) = ((300, 29), (300, 1), (350, 15));
    let (first, second, none) = ((400, 4), (404, 4), (400, 3));
    let guest = Guest {
        imports: IMPORTS,
        data: &[
            (256, "expr_createexpr_evaluateexpr_delete"),
            (300, "[ plugin_name, plugin_vm_id ]"),
            (350, "request.nothing"),
            (400, "\\00\\00\\00\\00\\01\\00\\00\\00"),
        ],
        on_configure: &[
            call(create, broken, OUTS, 2),
            call(create, list, OUTS, 0),
            "(call $check (i32.load (i32.load (i32.const 8))) (i32.const 0))".into(),
            call(create, unknown, OUTS, 0),
            "(call $check (i32.load (i32.load (i32.const 8))) (i32.const 1))".into(),
            call(evaluate, none, OUTS, 2),
            call(evaluate, second, OUTS, 10),
            call(evaluate, first, OUTS, 0),
            "(call $text (i32.load (i32.const 8)) (i32.load (i32.const 12)))".into(),
            call(delete, first, OUTS, 0),
            call(delete, first, OUTS, 0),
            call(evaluate, first, OUTS, 1),
        ]
        .concat(),
        ..Guest::default()
    };
    let host = guest.builder().plugin_name("cart").vm_id("pod").start();
    let mut host = host.unwrap_or_else(|error| panic!("{error}"));
    let [list] = texts(&mut host).try_into().expect("one line");
    let lengths = "\u{4}\0\0\0\0\0\0\0\u{3}\0\0\0\0\0\0\0";
    assert_eq!(list, format!("\u{2}\0\0\0{lengths}cart\0\0pod\0\0"));
}
