//! The command line of a sidecar, right and wrong.

use std::fs;
use std::io::Write;
use std::time::Instant;

use clap::Parser;

use super::*;

#[test]
fn reads_an_endpoint_with_or_without_a_scheme() {
    assert_eq!(endpoint("localhost:4317").unwrap(), "localhost:4317");
    assert_eq!(endpoint("http://[::1]:4317/").unwrap(), "[::1]:4317");
    for wrong in ["https://a:1", "a", ":1", "a:b"] {
        assert!(endpoint(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn finds_a_server_by_name_or_number() {
    let local = SocketAddr::from(([127, 0, 0, 1], 3000));
    for text in ["localhost:3000", "127.0.0.1:3000", "http://127.0.0.1:3000/"] {
        assert_eq!(address(text).unwrap(), local, "{text}");
    }
    assert!(address("[::1]:3000").unwrap().is_ipv6());
    let error = address(":3000").unwrap_err().to_string();
    assert_eq!(error, "expected host:port, found `:3000`");
}

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    args: SidecarArgs,
}

fn parse(line: &str) -> Result<SidecarConfig, String> {
    let line = Line::try_parse_from(line.split_whitespace()).map_err(|error| error.to_string())?;
    let loaded = filters(&line.args).load();
    let loaded = loaded.map_err(|error| format!("{error:#}"))?;
    Ok(config(line.args, loaded.filters))
}

#[test]
fn takes_the_programs_own_filter_and_the_surroundings_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plugin.yaml");
    fs::write(&file, "sampling: {percentage: 5}").unwrap();
    let line = format!(
        "sidecar --upstream 127.0.0.1:3000 --otlp http://127.0.0.1:4317 --cluster other=127.0.0.1:1 \
         --direction inbound --metadata NAMESPACE=shop --fail-open --config {} --buffer-limit 10 \
         --upstream-protocol http2 --http1-trailers",
        file.display()
    );
    let config = parse(&line).unwrap();
    assert_eq!(config.filters.len(), 1);
    assert_eq!(config.direction, Direction::Inbound);
    assert_eq!(config.any_cluster.as_deref(), Some("127.0.0.1:4317"));
    assert_eq!(config.clusters["other"], "127.0.0.1:1");
    assert_eq!(config.properties[0].1, "shop".into());
    assert_eq!(config.timeout, Duration::from_secs(15));
    assert_eq!(config.buffer_limit, 10);
    assert_eq!(config.upstream_protocol, UpstreamProtocol::Http2);
    assert!(config.http1_trailers);
}

#[test]
fn takes_several_filters_in_the_words_of_a_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chain.yaml");
    let parse = |text: &str| {
        fs::write(&file, text).unwrap();
        let line = format!("sidecar --upstream 127.0.0.1:1 --chain {}", file.display());
        parse(&line)
    };
    fs::write(folder.path().join("one.wat"), "(module (memory (export \"memory\") 1) (func (export \"proxy_abi_version_0_2_1\")) (func (export \"malloc\") (param i32) (result i32) (i32.const 0)))").unwrap();
    fs::write(folder.path().join("one.yaml"), "a: 1").unwrap();
    let config = parse(
        "filters: [{module: one.wat, configuration: one.yaml, failurePolicy: FAIL_OPEN}, {}]",
    );
    assert_eq!(config.unwrap().filters.len(), 2);
    for (text, expected) in [
        ("filters: []", "`filters` is empty"),
        ("filter: {}", "unknown field `filter`"),
        ("filters: [{modul: a}]", "unknown field `modul`"),
        (
            "filters: [{module: nowhere.wasm}]",
            "cannot read the module",
        ),
        ("filters: [{configuration: nowhere.json}]", "nowhere.json"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn takes_the_upstreams_time_in_seconds() {
    for (seconds, expected) in [(60, Duration::from_secs(60)), (0, Duration::MAX)] {
        let config = parse(&format!(
            "sidecar --upstream 127.0.0.1:1 --timeout {seconds}"
        ));
        assert_eq!(config.unwrap().timeout, expected);
    }
}

#[tokio::test]
async fn a_second_signal_does_not_wait_for_the_first() {
    // The upstream takes connections, and never answers.
    let upstream = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let line = format!("sidecar --upstream {}", upstream.local_addr().unwrap());
    let mut config = parse(&line).unwrap();
    config.drain = Duration::from_secs(600);
    let sidecar = Sidecar::start(config).await.unwrap();
    let mut client = std::net::TcpStream::connect(sidecar.local_addr()).unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    // Once its request is there, it has to be waited for.
    let (waiting, _stream) = tokio::task::spawn_blocking(move || upstream.accept().unwrap())
        .await
        .unwrap();
    let begun = Instant::now();
    stop(&sidecar, std::future::ready(())).await;
    assert!(begun.elapsed() < Duration::from_secs(60));
    drop(waiting);
}

#[test]
fn says_what_is_wrong_with_an_argument() {
    for (line, message) in [
        ("sidecar", "--upstream <ADDRESS>"),
        (
            "sidecar --upstream 127.0.0.1:1 --otlp https://a:1",
            "TLS is not built into the sidecar",
        ),
        (
            "sidecar --upstream 127.0.0.1:1 --chain a.yaml --module b.wasm",
            "'--chain <FILE>' cannot be used with '--module <FILE>'",
        ),
        (
            "sidecar --upstream 127.0.0.1:1 --chain nowhere.yaml",
            "cannot read nowhere.yaml",
        ),
        (
            "sidecar --upstream 127.0.0.1:1 --timeout soon",
            "expected a whole number of seconds, found `soon`",
        ),
        (
            "sidecar --upstream 127.0.0.1:1 --config nowhere.yaml",
            "cannot read the configuration nowhere.yaml",
        ),
        (
            "sidecar --upstream 127.0.0.1:1 --metadata shop",
            "expected NAME=VALUE, found `shop`",
        ),
        (
            "sidecar --upstream 127.0.0.1:1 --module nowhere.wasm",
            "cannot read the module nowhere.wasm",
        ),
    ] {
        let error = parse(line).unwrap_err();
        assert!(error.contains(message), "{line}: {error}");
    }
}

#[test]
fn splits_a_pair_at_its_first_equals_sign() {
    assert_eq!(
        pair("outbound|1||a=b=c").unwrap(),
        ("outbound|1||a".to_owned(), "b=c".to_owned())
    );
    assert!(pair("a").is_err());
}
