use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::{Envoy, EnvoyError};
use crate::bootstrap::hot_restart;
use crate::{
    Bootstrap, Cluster, Direction, Listener, Node, Route, Tracer, ZipkinContext, install, wait_for,
};

#[test]
#[cfg_attr(
    not(all(target_os = "linux", target_env = "gnu")),
    ignore = "no Envoy for this machine"
)]
fn serves_and_counts() {
    let upstream = upstream();
    let listener = Listener::new("in")
        .direction(Direction::Inbound)
        .access_log("%RESPONSE_CODE%");
    let json = serde_json::json!({"code": "%RESPONSE_CODE%", "path": "%REQ(:PATH)%"});
    let json = Listener::new("json").access_log_json(json);
    let envoy = start(
        Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .listener(
                listener
                    .route(Route::to("nobody").prefix("/nobody"))
                    .route(Route::to("app")),
            )
            .listener(json.route(Route::to("app")))
            .listener(Listener::new("own").route(Route::answer(418, "by itself")))
            .cluster(Cluster::new("app", upstream))
            .cluster(Cluster::empty("nobody")),
    );
    assert!(get(envoy.address("in").unwrap(), "/").starts_with("HTTP/1.1 200"));
    assert!(get(envoy.address("in").unwrap(), "/nobody").starts_with("HTTP/1.1 503"));
    let own = get(envoy.address("own").unwrap(), "/");
    assert!(
        own.starts_with("HTTP/1.1 418") && own.ends_with("by itself"),
        "{own}"
    );
    envoy
        .wait_for_stat("http.in.downstream_rq_completed", |count| count == 2, LIMIT)
        .unwrap();
    assert_eq!(envoy.stat("http.in.downstream_rq_2xx").unwrap(), Some(1));
    assert_eq!(envoy.stat("no.such.stat").unwrap(), None);
    assert!(
        envoy
            .stats("cluster.app.")
            .unwrap()
            .keys()
            .all(|name| name.starts_with("cluster.app."))
    );
    assert!(envoy.resident_bytes().unwrap() > 1 << 20);
    assert!(
        envoy
            .admin_get("/server_info")
            .unwrap()
            .contains("cart.payments")
    );
    assert!(matches!(envoy.port("out"), Err(EnvoyError::NoListener(_))));
    get(envoy.address("json").unwrap(), "/path");
    let logs = [("in", 2), ("json", 1)].map(|(listener, lines)| {
        let log = || Some(envoy.access_log(listener)).filter(|log| log.lines().count() == lines);
        wait_for(LIMIT, log).unwrap()
    });
    assert_eq!(logs[0], "200\n503\n");
    assert_eq!(logs[1], "{\"code\":200,\"path\":\"/path\"}\n");
    assert_eq!(envoy.access_log("no-such-listener"), "");
    assert!(envoy.quit(LIMIT).unwrap().success());
}

#[test]
#[cfg_attr(
    not(all(target_os = "linux", target_env = "gnu")),
    ignore = "no Envoy for this machine"
)]
fn accepts_every_tracer_that_it_can_be_given() {
    let cel = serde_json::json!({
        "name": "envoy.tracers.opentelemetry.samplers.always_on",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.tracers.opentelemetry.samplers.v3.AlwaysOnSamplerConfig",
        },
    });
    let mut bootstrap =
        Bootstrap::new(Node::plain("test", "test")).cluster(Cluster::empty("collector"));
    let tracers = [
        (
            "otel",
            Tracer::opentelemetry("collector", "cart").random_sampling(0.0),
        ),
        (
            "sampler",
            Tracer::opentelemetry("collector", "cart").provider("sampler", cel),
        ),
        ("b3", Tracer::zipkin("collector", ZipkinContext::B3)),
        (
            "both",
            Tracer::zipkin("collector", ZipkinContext::B3AndW3c)
                .with("spawn_upstream_span", true.into()),
        ),
    ];
    for (name, tracer) in tracers {
        bootstrap = bootstrap.listener(
            Listener::new(name)
                .tracer(tracer)
                .route(Route::to("collector")),
        );
    }
    let envoy = start(bootstrap);
    for name in ["otel", "sampler", "b3", "both"] {
        assert!(envoy.port(name).is_ok(), "{name}");
    }
}

#[test]
#[cfg_attr(
    not(all(target_os = "linux", target_env = "gnu")),
    ignore = "no Envoy for this machine"
)]
fn says_why_it_did_not_start() {
    let binary = binary();
    let wrong = Bootstrap::new(Node::plain("test", "test")).with("no_such_field", true.into());
    let error = Envoy::start(&binary, &wrong).unwrap_err();
    assert!(
        matches!(&error, EnvoyError::Ended { log, .. } if log.contains("no_such_field")),
        "{error}"
    );
}

#[test]
#[cfg_attr(
    not(all(target_os = "linux", target_env = "gnu")),
    ignore = "no Envoy for this machine"
)]
fn takes_over_from_another_on_its_ports_and_leaves_nothing() {
    let own = || Listener::new("own").route(Route::answer(418, "by itself"));
    let bootstrap = || {
        let times = ["--drain-time-s", "1", "--parent-shutdown-time-s", "1"];
        Bootstrap::new(Node::plain("test", "test"))
            .listener(own())
            .with_arguments(&times)
    };
    let alone = start(bootstrap());
    assert!(alone.hands_over_to(bootstrap()).is_err());
    let first = start(bootstrap().hot_restart());
    let next = start(first.hands_over_to(bootstrap()).unwrap());
    assert_eq!(next.port("own").unwrap(), first.port("own").unwrap());
    assert!(first.wait_for_end(LIMIT).unwrap().success());
    assert!(get(next.address("own").unwrap(), "/").starts_with("HTTP/1.1 418"));
    assert!(next.terminate(LIMIT).unwrap().success());
    assert!(next.terminate(LIMIT).unwrap().success());
    let memory = hot_restart::memory(next.folder()).unwrap();
    assert!(memory.exists());
    drop(first);
    assert!(memory.exists());
    drop(next);
    assert!(!memory.exists());
}

#[test]
#[cfg_attr(
    not(all(target_os = "linux", target_env = "gnu")),
    ignore = "no Envoy for this machine"
)]
fn many_can_install_at_once() {
    let threads: Vec<_> = (0..4).map(|_| thread::spawn(binary)).collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

const LIMIT: Duration = Duration::from_secs(20);

fn start(bootstrap: Bootstrap) -> Envoy {
    Envoy::start(&binary(), &bootstrap).unwrap_or_else(|error| panic!("{error}"))
}

fn binary() -> std::path::PathBuf {
    // target/<profile>/deps/<test binary>
    let program = std::env::current_exe().unwrap();
    install(program.ancestors().nth(3).unwrap()).unwrap_or_else(|error| panic!("{error}"))
}

/// Starts a server that answers one request per connection with 200, and returns its address.
fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut seen = Vec::new();
            while !seen.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                seen.push(byte[0]);
            }
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
                .unwrap();
        }
    });
    address
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
