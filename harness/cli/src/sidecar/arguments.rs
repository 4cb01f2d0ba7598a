//! The arguments of `sidespan sidecar`, and its run until a signal.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use sidespan_host::{HostBuilder, LogLevel};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::config::{Direction, Routes, SidecarConfig, UpstreamProtocol};
use super::record::{Recorder, Surroundings};
use super::reload::{Filters, Reloads, follow};
use super::running::Sidecar;
use crate::output;
use crate::run::chain::Single;

/// Puts the filter, or any proxy-wasm filters, in front of a local HTTP server
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct SidecarArgs {
    /// Where to listen; for port 0 a free one is taken and printed
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = address)]
    pub listen: SocketAddr,
    /// The server that this is the sidecar of, as host:port; an http:// in front is dropped
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub upstream: SocketAddr,
    /// Another proxy-wasm filter than Sidespan's own, which is built in
    #[arg(long, value_name = "FILE")]
    pub module: Option<PathBuf>,
    /// The filter's configuration, JSON or YAML; `sidespan check` tells whether it is right
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Several filters: a YAML file with the key `filters` of a scenario of `sidespan run`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["module", "config", "name", "root_id", "env", "fail_open"])]
    pub chain: Option<PathBuf>,
    /// Where the filter's calls to any cluster go, its spans among them, as host:port
    #[arg(long, value_name = "ADDRESS", value_parser = endpoint)]
    pub otlp: Option<String>,
    /// Where its calls to one cluster go; can be repeated
    #[arg(long, value_name = "NAME=ADDRESS", value_parser = pair)]
    pub cluster: Vec<(String, String)>,
    /// Which side of the service this is
    #[arg(long, value_enum, default_value_t)]
    pub direction: Direction,
    /// The plugin's name; `sidespan` by default for the filter that is built in, else `filter`
    #[arg(long)]
    pub name: Option<String>,
    /// The root id, by which the C++ SDK finds its filter; empty by default but for the filter that is built in
    #[arg(long, value_name = "ID")]
    pub root_id: Option<String>,
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
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = seconds)]
    pub timeout: u32,
    /// The protocol to the server
    #[arg(long, value_enum, default_value_t)]
    pub upstream_protocol: UpstreamProtocol,
    /// Read and send trailers of HTTP/1.1, too, as Envoy's `enable_trailers` does; without it they are dropped, as there
    #[arg(long)]
    pub http1_trailers: bool,
    /// The most bytes of a body that are held while a filter waits; a request that a filter buffers beyond is answered 413
    #[arg(long, value_name = "BYTES", default_value_t = BUFFER_LIMIT)]
    pub buffer_limit: u32,
    /// Write the requests and responses into a scenario of `sidespan run` at the end, without the credentials in them
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Keep the filter's debug lines too; RUST_LOG=wasm=debug shows them
    #[arg(long)]
    pub debug: bool,
}

/// [`HostBuilder::BUFFER_LIMIT`] as a number of the command line.
const BUFFER_LIMIT: u32 = 1024 * 1024;
const _: () = assert!(BUFFER_LIMIT as usize == HostBuilder::BUFFER_LIMIT);

/// Number of open files, for some thousand clients.
const FILES: u64 = 65_536;

const EXAMPLE: &str = "\
Examples:
  sidespan sidecar --upstream 127.0.0.1:3000 --listen 127.0.0.1:8080
      translates trace context in front of a server, and does nothing else
  sidespan sidecar --upstream 127.0.0.1:3000 --config plugin.yaml --otlp 127.0.0.1:4317
      also records, with {sampling: {percentage: 100}, export: {otlp: {cluster: any}}} in plugin.yaml
  sidespan sidecar --upstream 127.0.0.1:3000 --module other-filter.wasm --metadata NAMESPACE=shop
      runs another filter
  sidespan sidecar --upstream 127.0.0.1:3000 --chain chain.yaml
      runs several, with {filters: [{module: auth.wasm, configuration: auth.json}, {}]} in chain.yaml
  sidespan sidecar --upstream 127.0.0.1:3000 --module other-filter.wasm --record recorded.yaml
      records what comes and goes until it is ended; `sidespan run recorded.yaml` replays it

A file that changes is read anew: the new filters start, then take all new requests; those under way end with the old ones. \
What does not start is refused with its reason, and the old ones go on.

RUST_LOG=wasm=info shows what the filters log. Ctrl-C or SIGTERM ends it: open requests first, then what the filters still \
have to send, all within five seconds. A second time ends it at once. It is no proxy for production.

Exit codes: 0 ended as told, 2 it could not start.";

/// Runs a sidecar until Ctrl-C or SIGTERM, then lets the filters finish.
///
/// # Errors
/// When a file cannot be read, a module or its configuration is not accepted, or the address cannot be listened on.
pub fn run(args: SidecarArgs) -> anyhow::Result<ExitCode> {
    let filters = filters(&args);
    let loaded = filters.load()?;
    let recorder = args.record.as_deref().map(Recorder::new).transpose()?;
    let around = surroundings(&args);
    let mut config = config(args, loaded.filters);
    config.tape = recorder.as_ref().map(|recorder| recorder.tape.clone());
    // Each client takes two: its own connection, and one to the server.
    if let Err(error) = rlimit::increase_nofile_limit(FILES) {
        log::debug!("the limit of open files stays: {error}");
    }
    let mut chain = loaded.chain;
    tokio::runtime::Runtime::new()?.block_on(async {
        let sidecar = Sidecar::start(config).await?;
        let mut signals = Signals::new()?;
        // Port 0 picks a free port, which only the sidecar knows.
        output::tell(format_args!("listening on {}", sidecar.local_addr()));
        let mut reloads = Reloads::default();
        tokio::select! {
            () = signals.next() => {}
            () = follow(&sidecar, &filters, loaded.files, (&mut chain, &mut reloads)) => {}
        }
        stop(&sidecar, signals.next()).await;
        if let Some(summary) = reloads.summary() {
            output::tell(summary);
        }
        anyhow::Ok(())
    })?;
    if let Some(recorder) = recorder {
        let file = recorder.file().display().to_string();
        let written = recorder.finish(&chain, &around)?;
        output::tell(format_args!(
            "recorded {file}: {}",
            written.lines().join("\n  ")
        ));
    }
    Ok(ExitCode::SUCCESS)
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

/// Returns where the filters come from.
fn filters(args: &SidecarArgs) -> Filters {
    match &args.chain {
        Some(file) => Filters::Chain(file.clone()),
        None => Filters::Single(Single {
            module: args.module.clone(),
            configuration: args.config.clone(),
            name: args.name.clone(),
            root_id: args.root_id.clone(),
            environment: args.env.clone(),
            fails_open: args.fail_open,
        }),
    }
}

/// Returns what a recording says beside the exchanges and the filters.
fn surroundings(args: &SidecarArgs) -> Surroundings {
    let limit = usize::try_from(args.buffer_limit).unwrap_or(usize::MAX);
    Surroundings {
        direction: args.direction,
        buffer_limit: Some(limit).filter(|limit| *limit != HostBuilder::BUFFER_LIMIT),
        metadata: args.metadata.clone(),
        clusters: args.cluster.iter().map(|(name, _)| name.clone()).collect(),
    }
}

fn config(args: SidecarArgs, filters: Vec<HostBuilder>) -> SidecarConfig {
    let mut config = SidecarConfig::of("filters", filters, Routes::to(args.upstream));
    config.listen = args.listen;
    config.direction = args.direction;
    config.upstream_protocol = args.upstream_protocol;
    config.http1_trailers = args.http1_trailers;
    config.buffer_limit = usize::try_from(args.buffer_limit).unwrap_or(usize::MAX);
    config.clusters = args.cluster.into_iter().collect::<BTreeMap<_, _>>();
    config.any_cluster = args.otlp;
    config.timeout = match args.timeout {
        // No limit, as in a route of Envoy.
        0 => Duration::MAX,
        seconds => Duration::from_secs(seconds.into()),
    };
    if args.debug {
        config.log_level = LogLevel::Debug;
    }
    for (name, value) in args.metadata {
        config = config.node_metadata(&name, value);
    }
    config
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

/// Reads a number of seconds.
fn seconds(text: &str) -> anyhow::Result<u32> {
    let seconds = text.parse();
    seconds.with_context(|| format!("expected a whole number of seconds, found `{text}`"))
}

fn pair(text: &str) -> anyhow::Result<(String, String)> {
    let (name, value) = text
        .split_once('=')
        .with_context(|| format!("expected NAME=VALUE, found `{text}`"))?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests;
