//! `cargo test -p example-api-key`

use sidespan_host::{
    Action, Detail, EndOfStream, Headers, Host, Module, StreamId, StreamProperties,
};

fn host() -> Host {
    let module = Module::of_package(env!("CARGO_MANIFEST_DIR")).unwrap();
    let host = Host::builder(&module)
        .cluster("auth")
        .transcript(Detail::Values);
    host.start().unwrap()
}

fn ask(host: &mut Host, key: Option<&str>) -> (StreamId, Action) {
    let mut headers = Headers::from([(":method", "GET"), (":path", "/"), (":authority", "shop")]);
    headers.extend(key.map(|key| ("x-api-key", key)));
    let stream = host.open_stream(StreamProperties::new());
    let action = host.request_headers(stream, headers, EndOfStream::Yes);
    (stream, action)
}

#[test]
fn a_good_key_becomes_a_user() {
    let mut host = host();
    let (stream, action) = ask(&mut host, Some("s3cret"));
    assert_eq!(action, Action::Pause);
    let call = host.calls().remove(0);
    assert_eq!(call.headers.text("x-api-key").as_deref(), Some("s3cret"));
    host.reply(
        call.token,
        [(":status", "200"), ("x-user", "ada")],
        "",
        Headers::new(),
    )
    .unwrap();
    let request = host.stream(stream).unwrap().request();
    assert!(request.has_passed_headers());
    let headers = request.headers().unwrap();
    assert_eq!(
        (headers.get("x-user"), headers.get("x-api-key")),
        (Some(&b"ada"[..]), None)
    );
}

#[test]
fn whatever_is_no_good_key_is_answered_here() {
    for (key, auth, status) in [
        (None, None, 401),
        (Some("x"), Some("403"), 403),
        (Some("x"), Some("500"), 503),
    ] {
        let mut host = host();
        let (stream, _) = ask(&mut host, key);
        for call in host.calls() {
            host.reply(call.token, [(":status", auth.unwrap())], "", Headers::new())
                .unwrap();
        }
        let reply = host.stream(stream).unwrap().local_reply();
        assert_eq!(reply.map(|reply| reply.status), Some(status));
    }
}

#[test]
fn an_auth_that_is_silent_lets_nobody_in() {
    let mut host = host();
    let (stream, _) = ask(&mut host, Some("s3cret"));
    host.advance(std::time::Duration::from_secs(1));
    let reply = host.stream(stream).unwrap().local_reply();
    assert_eq!(reply.map(|reply| reply.status), Some(503));
}

#[test]
fn calls_nothing_without_a_key() {
    let mut host = host();
    host.clear_transcript();
    let _ = ask(&mut host, None);
    let expected = r#"proxy_on_context_create(context: 2)
proxy_on_request_headers(context: 2)
  proxy_get_header_map_value(map: request headers, name: "x-api-key") -> NOT_FOUND
  proxy_send_local_response(code: 401, details: "", body: "send your key in x-api-key", headers: {"www-authenticate": "ApiKey"}, grpc_status: -1) -> OK
  -> 1
"#;
    assert!(
        host.transcript().snapshot().starts_with(expected),
        "{}",
        host.transcript().snapshot()
    );
}
