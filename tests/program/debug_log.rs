//! The filter's log about one request and about one configuration (`filter/README.md`, "Why …?").

use std::time::Duration;

use sidespan_core::direction::Direction;
use sidespan_host::{Host, LogLevel, Shared};
use sidespan_tests::worlds::{Guest, module};

const CONFIGURATION: &str =
    r#"{"sampling": {"percentage": 0}, "export": {"otlp": {"cluster": "collector"}}}"#;

fn lines(host: &mut Host, level: LogLevel) -> Vec<String> {
    host.take_logs()
        .into_iter()
        .filter(|line| line.level == level)
        .map(|line| line.text)
        .collect()
}

#[test]
fn at_level_debug_there_is_a_line_a_request_and_at_others_none() {
    let mut guest = Guest::start(CONFIGURATION);
    let headers = [
        ("traceparent", b"00-zz-1-1".to_vec()),
        ("b3", b"1".to_vec()),
    ];
    let said = |guest: &mut Guest| {
        guest.request(Direction::Inbound, &headers, 200);
        lines(&mut guest.host, LogLevel::Debug)
    };
    assert_eq!(said(&mut guest), [""; 0]);
    guest.host.set_log_level(LogLevel::Debug);
    // The level is read on the tick.
    guest.host.advance(Duration::from_secs(2));
    let line = said(&mut guest);
    assert_eq!(line.len(), 1, "{line:?}");
    assert!(
        line[0].starts_with(
            "extracted tracecontext (malformed: length), b3 (no ids); decision sampled (received); \
             injected tracecontext, b3, b3multi; trace_id "
        ),
        "{line:?}"
    );
    guest.host.set_log_level(LogLevel::Info);
    guest.host.advance(Duration::from_secs(2));
    assert_eq!(said(&mut guest), [""; 0]);
}

#[test]
fn of_all_workers_one_says_which_configuration_runs() {
    let shared = Shared::default();
    let start = |configuration: &str| {
        let host = Host::builder(module())
            .plugin_name("sidespan")
            .plugin_configuration(configuration)
            .property(["xds", "node", "id"], "sidecar~10.0.0.1~cart.payments")
            .property(["xds", "node", "metadata", "NAMESPACE"], "payments")
            .property(["xds", "node", "metadata", "WORKLOAD_NAME"], "cart")
            .cluster("collector")
            .shared(&shared)
            .start();
        host.unwrap_or_else(|error| panic!("{error}"))
    };
    let mut workers = [CONFIGURATION; 3].map(start);
    let said: Vec<_> = workers
        .iter_mut()
        .flat_map(|host| lines(host, LogLevel::Info))
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    let expected = |digest: &str| {
        format!(
            "sidespan {version}, configuration {digest}: service cart in namespace payments, \
             node sidecar~10.0.0.1~cart.payments, direction of each listener"
        )
    };
    assert_eq!(said, [expected("c7841189")]);
    let mut other = start("{}");
    assert_eq!(lines(&mut other, LogLevel::Info), [expected("44136fa3")]);
}

#[test]
fn what_a_configuration_asks_for_in_vain_is_one_line() {
    let shared = Shared::default();
    let configuration = r#"{"spans": {"attributes": [{"name": "build", "environment": "BUILD"}]}}"#;
    let start = |with: bool| {
        let builder = Host::builder(module())
            .plugin_name("sidespan")
            .plugin_configuration(configuration)
            .shared(&shared);
        let builder = match with {
            true => builder.environment("BUILD", "7"),
            false => builder.environment("OTEL_RESOURCE_ATTRIBUTES", "nonsense"),
        };
        builder.start().unwrap_or_else(|error| panic!("{error}"))
    };
    // Both stay, because what workers share ends with the last of them.
    let mut workers = [start(false), start(false)];
    let said: Vec<_> = workers
        .iter_mut()
        .flat_map(|host| lines(host, LogLevel::Warn))
        .collect();
    assert_eq!(
        said,
        [
            "the environment variable BUILD is not there; list it in vmConfig.env of the WasmPlugin, \
             or in vm_config.environment_variables of Envoy's configuration",
            "OTEL_RESOURCE_ATTRIBUTES is no list of key=value with commas between them; none of it counts",
        ]
    );
    assert_eq!(lines(&mut start(true), LogLevel::Warn), [""; 0]);
}
