//! The arguments of `sidespan sidecar`, and its run until a signal.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, io};

use anyhow::{Context, bail};
use sidespan_host::{FailurePolicy, LogLevel, Module};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::config::{Direction, Routes, SidecarConfig};
use super::running::Sidecar;
use crate::output;

/// Puts the filter, or any proxy-wasm module, in front of a local HTTP server
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct SidecarArgs {
    /// Where to listen; for port 0 a free one is taken and printed
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = address)]
    pub listen: SocketAddr,
    /// The server that this is the sidecar of, as host:port
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub upstream: SocketAddr,
    /// Another proxy-wasm filter than Sidespan's own, which is built in
    #[arg(long, value_name = "FILE")]
    pub module: Option<PathBuf>,
    /// The filter's configuration, JSON or YAML; `sidespan check` tells whether it is right
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the filter's calls to any cluster go, its spans among them, as host:port
    #[arg(long, value_name = "ADDRESS", value_parser = endpoint)]
    pub otlp: Option<String>,
    /// Where its calls to one cluster go; can be repeated
    #[arg(long, value_name = "NAME=ADDRESS", value_parser = pair)]
    pub cluster: Vec<(String, String)>,
    /// Which side of the service this is
    #[arg(long, value_enum, default_value_t)]
    pub direction: Direction,
    /// The plugin's name and root id
    #[arg(long, default_value = "sidecar")]
    pub name: String,
    /// A value of the node's metadata, such as NAMESPACE=shop; can be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub metadata: Vec<(String, String)>,
    /// An environment variable of the filter; can be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub env: Vec<(String, String)>,
    /// Let requests pass once the filter has failed, instead of answering 503
    #[arg(long)]
    pub fail_open: bool,
    /// How many seconds the server may take to begin its response once it has the request; 0 for no limit
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    pub timeout: u32,
    /// Keep the filter's debug lines too; RUST_LOG=wasm=debug shows them
    #[arg(long)]
    pub debug: bool,
}

const EXAMPLE: &str = "\
Examples:
  sidespan sidecar --upstream 127.0.0.1:3000 --listen 127.0.0.1:8080
      translates trace context in front of a server, and does nothing else
  sidespan sidecar --upstream 127.0.0.1:3000 --config plugin.yaml --otlp 127.0.0.1:4317
      also records, with {sampling: {percentage: 100}, export: {otlp: {cluster: any}}} in plugin.yaml
  sidespan sidecar --upstream 127.0.0.1:3000 --module other-filter.wasm --metadata NAMESPACE=shop
      runs another filter

RUST_LOG=wasm=info shows what the filter logs. Ctrl-C or SIGTERM ends it: open requests first, then what the filter still \
has to send, all within five seconds. A second time ends it at once.

Exit codes: 0 ended as told, 2 it could not start.";

/// Runs a sidecar until Ctrl-C or SIGTERM, then lets the filter finish.
///
/// # Errors
/// When a file cannot be read, the module or its configuration is not accepted, or the address cannot be listened on.
pub fn run(args: SidecarArgs) -> anyhow::Result<ExitCode> {
    let config = config(args)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let sidecar = Sidecar::start(config).await?;
        let mut signals = Signals::new()?;
        // Port 0 picks a free port, which only the sidecar knows.
        output::tell(format_args!("listening on {}", sidecar.local_addr()));
        signals.next().await;
        stop(&sidecar, signals.next()).await;
        Ok(ExitCode::SUCCESS)
    })
}

/// The signals that end a sidecar: Ctrl-C, and the SIGTERM that Kubernetes and shells send.
struct Signals {
    pressed: Signal,
    terminated: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            pressed: signal(SignalKind::interrupt())?,
            terminated: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.pressed.recv() => {}
            _ = self.terminated.recv() => {}
        }
    }
}

/// Lets the sidecar finish, unless another signal comes.
async fn stop(sidecar: &Sidecar, again: impl Future<Output = ()>) {
    tokio::select! {
        () = sidecar.stop() => {}
        () = again => {}
    }
}

fn config(args: SidecarArgs) -> anyhow::Result<SidecarConfig> {
    let wasm = match &args.module {
        Some(file) => fs::read(file).with_context(|| format!("reading {}", file.display()))?,
        None => crate::embedded::FILTER.to_vec(),
    };
    let module = Module::compile(&wasm).context("loading the module")?;
    let plugin_configuration = args
        .config
        .as_deref()
        .map(configuration)
        .transpose()?
        .unwrap_or_default();
    let mut config = SidecarConfig::new(args.name, &module, Routes::to(args.upstream));
    config.listen = args.listen;
    config.direction = args.direction;
    config.plugin_configuration = plugin_configuration;
    config.clusters = args.cluster.into_iter().collect::<BTreeMap<_, _>>();
    config.any_cluster = args.otlp;
    config.environment = args.env;
    config.timeout = match args.timeout {
        // No limit, as in a route of Envoy.
        0 => Duration::MAX,
        seconds => Duration::from_secs(seconds.into()),
    };
    if args.fail_open {
        config.failure_policy = FailurePolicy::FailOpen;
    }
    if args.debug {
        config.log_level = LogLevel::Debug;
    }
    for (name, value) in args.metadata {
        config = config.node_metadata(&name, value);
    }
    Ok(config)
}

/// Reads a plugin configuration, and converts YAML to JSON because Envoy hands JSON to the filter.
fn configuration(file: &Path) -> anyhow::Result<Vec<u8>> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let is_yaml = file
        .extension()
        .is_some_and(|kind| kind == "yaml" || kind == "yml");
    // `sidespan check` ignores a byte order mark too.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if !is_yaml {
        return Ok(text.into());
    }
    let value: serde_json::Value = serde_saphyr::from_str(text)
        .with_context(|| format!("reading {} as YAML", file.display()))?;
    Ok(value.to_string().into_bytes())
}

/// Reads `host:port`, or `http://host:port`.
fn endpoint(text: &str) -> anyhow::Result<String> {
    if text.starts_with("https://") {
        bail!("TLS is not built into the sidecar; give host:port of a plain one");
    }
    let address = text
        .strip_prefix("http://")
        .unwrap_or(text)
        .trim_end_matches('/');
    match address.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
            Ok(address.to_owned())
        }
        _ => bail!("expected host:port, found `{text}`"),
    }
}

/// Finds the address of `host:port`, preferably of IPv4, because a server on localhost listens there more often.
fn address(text: &str) -> anyhow::Result<SocketAddr> {
    let found: Vec<SocketAddr> = endpoint(text)?.to_socket_addrs()?.collect();
    let first = found.iter().find(|it| it.is_ipv4()).or(found.first());
    first
        .copied()
        .with_context(|| format!("no address for `{text}`"))
}

fn pair(text: &str) -> anyhow::Result<(String, String)> {
    let (name, value) = text
        .split_once('=')
        .with_context(|| format!("expected NAME=VALUE, found `{text}`"))?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
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
        let line =
            Line::try_parse_from(line.split_whitespace()).map_err(|error| error.to_string())?;
        config(line.args).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn takes_the_programs_own_filter_and_passes_its_configuration_on_as_json() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plugin.yaml");
        fs::write(&file, "sampling: {percentage: 5}").unwrap();
        let line = format!(
            "sidecar --upstream 127.0.0.1:3000 --otlp http://127.0.0.1:4317 --cluster other=127.0.0.1:1 \
             --direction inbound --metadata NAMESPACE=shop --fail-open --config {}",
            file.display()
        );
        let config = parse(&line).unwrap();
        assert_eq!(
            config.plugin_configuration,
            br#"{"sampling":{"percentage":5}}"#
        );
        assert_eq!(
            (config.direction, config.failure_policy),
            (Direction::Inbound, FailurePolicy::FailOpen)
        );
        assert_eq!(config.any_cluster.as_deref(), Some("127.0.0.1:4317"));
        assert_eq!(config.clusters["other"], "127.0.0.1:1");
        assert_eq!(config.properties[0].1, "shop".into());
        assert_eq!(config.timeout, Duration::from_secs(15));
    }

    #[test]
    fn takes_a_configuration_with_the_mark_of_its_encoding() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.json", "a.yaml"] {
            let file = folder.path().join(name);
            fs::write(&file, "\u{feff}{\"a\":5}").unwrap();
            assert_eq!(configuration(&file).unwrap(), br#"{"a":5}"#, "{name}");
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
                "sidecar --upstream 127.0.0.1:1 --metadata shop",
                "expected NAME=VALUE, found `shop`",
            ),
            (
                "sidecar --upstream 127.0.0.1:1 --module nowhere.wasm",
                "reading nowhere.wasm",
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
}
