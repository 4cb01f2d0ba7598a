//! The arguments of `sidespan sink`, and the configuration that they make.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use sidespan_sink::{Access, Faults, Limits, Origin, Place, SinkConfig, Tls, Token};

use super::address::{OptionalAddress, address, optional};
use super::forwarding::{ForwardArgs, forward};
use crate::token::TokenArgs;

/// Receives spans by OTLP and Zipkin, and keeps them
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct SinkArgs {
    /// Where to listen for OTLP/gRPC: host:port, or a port of the loopback interface; 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4317", value_parser = address)]
    pub grpc: SocketAddr,
    /// Where to listen for OTLP/HTTP; every port takes every protocol
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4318", value_parser = address)]
    pub http: SocketAddr,
    /// Where to listen for Zipkin's JSON, version 2; `none` for nowhere
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9411", value_parser = optional)]
    pub zipkin: OptionalAddress,
    /// Where to listen for Jaeger's readers, and browsers; `none` for nowhere
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:16686", value_parser = optional)]
    pub jaeger: OptionalAddress,
    /// Where to listen for Tempo's readers; `none` for nowhere
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3200", value_parser = optional)]
    pub tempo: OptionalAddress,
    /// The database file to keep spans in; without one they are in memory, and end with the sink
    #[arg(long, value_name = "FILE.db")]
    pub data: Option<PathBuf>,
    /// The most spans to keep; beyond, the oldest traces go
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().max_spans)]
    pub max_spans: usize,
    /// The most room for spans: bytes, or with B, KiB, MiB or GiB
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    pub max_bytes: usize,
    /// The longest time to keep a trace: a whole number with s, m or h; without it traces go when room is needed
    #[arg(long, value_name = "TIME", value_parser = age)]
    pub max_age: Option<Duration>,
    /// The largest request, also inflated
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = size)]
    pub max_request_bytes: usize,
    /// The certificate for TLS, with its chain, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Its key, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Serve only clients whose certificate one of these authorities has signed, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub client_ca: Option<PathBuf>,
    /// The token that every request must bring
    #[command(flatten)]
    pub token: TokenArgs,
    /// An origin of web pages whose scripts may send and read, or *; can be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub cors: Vec<Origin>,
    /// The destinations to forward to
    #[command(flatten)]
    pub forward: ForwardArgs,
    /// The most room for what waits for one destination; beyond, the oldest requests go
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    pub forward_max_bytes: usize,
    /// Be a bad collector, as in 503:3,delay=2s,partial=10%
    #[arg(long, value_name = "SPEC")]
    pub fail: Option<Faults>,
    /// Print the addresses, and at the end the counts, as JSON, a line each
    #[arg(long)]
    pub json: bool,
    /// Print nothing but errors
    #[arg(long, conflicts_with = "json")]
    pub quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  sidespan sink
      takes spans on 4317 (OTLP/gRPC), 4318 (OTLP/HTTP, protobuf and JSON) and 9411 (Zipkin)
  sidespan sink --grpc 0 --http 0 --zipkin none --jaeger none --tempo none --json
      on free ports, which it prints for a script
  sidespan sink --grpc 0.0.0.0:4317 --http 0.0.0.0:4318 --tls-cert cert.pem --tls-key key.pem --token-file token
      for other machines, which need the token
  sidespan sink --data spans.db --max-spans 1000000 --max-age 24h
      keeps them in a file, which the next sink goes on with
  sidespan sink --cors http://localhost:3000
      also from scripts of a page
  sidespan sink --fail 503:3,delay=2s,partial=10%
      is a bad collector: answers three requests with 503 (UNAVAILABLE), and all others late, and takes nine spans of ten
  sidespan sink --fail 429=20%,retry=5s,reset:1
      resets the first request, then asks a fifth of the others to come back after five seconds

  sidespan sink --data spans.db --forward grpc://localhost:14317 --forward 'https://otlp.example/otlp' --forward-gzip \
    --forward-header 'https://otlp.example/otlp authorization=Bearer ${env:TOKEN}'
      sends them on to two backends, each with a queue in the file that outlasts the backend's absence and the sink's own

What is forwarded is sent until it is taken (after 1 s, then twice as long each time, up to 30 s, or when the destination asks \
for it), in order, one request at a time. What a destination refuses for good is set aside and logged, and the next goes on. \
At the end the sink sends for 5 s more; what is left waits in the file, and without --data it is lost.

Parts of --fail: STATUS from 400 to 599, reset, lost (reset after the spans are kept) or cut (in the middle of the answer), \
each for all requests, for the next N with :N, or for P % of them with =P%; delay=TIME; partial=P%; retry=TIME, which goes \
with 429 and 503.

Logs and metrics are taken, counted and dropped. OTEL_EXPORTER_OTLP_… are for exporters, so the sink reads none of them, and \
prints those that lead an exporter to it. Ctrl-C or SIGTERM ends it.

Exit codes: 0 ended as told, 2 it could not start.";

/// Returns the configuration.
pub(super) fn config(args: &SinkArgs) -> anyhow::Result<SinkConfig> {
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::from_files(
            certificate,
            key,
            args.client_ca.as_deref(),
        )?),
        _ => None,
    };
    let mut config = SinkConfig {
        grpc: args.grpc,
        http: args.http,
        zipkin: args.zipkin.0,
        jaeger: args.jaeger.0,
        tempo: args.tempo.0,
        place: args.data.clone().map_or(Place::Memory, Place::File),
        access: Access {
            token: token(&args.token)?,
            origins: args.cors.clone(),
        },
        tls,
        faults: args.fail.clone().unwrap_or_default(),
        forward: forward(&args.forward)?,
        ..SinkConfig::default()
    };
    config.limits.max_spans = args.max_spans;
    config.limits.max_bytes = args.max_bytes;
    config.limits.max_age = args.max_age;
    config.limits.max_forward_bytes = args.forward_max_bytes;
    config.limits.max_request_bytes = args.max_request_bytes;
    Ok(config)
}

fn token(args: &TokenArgs) -> anyhow::Result<Option<Token>> {
    match args.read()? {
        Some((text, origin)) => text.parse().map(Some).context(origin),
        None => Ok(None),
    }
}

/// Reads the age of a trace.
fn age(text: &str) -> anyhow::Result<Duration> {
    const EXPECTED: &str = "expected a whole number above 0 and s, m or h, as in 24h";
    let unit = match text.as_bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3_600,
        _ => bail!(EXPECTED),
    };
    let number: u64 = text[..text.len() - 1].parse().context(EXPECTED)?;
    match number.checked_mul(unit) {
        Some(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
        _ => bail!(EXPECTED),
    }
}

/// Reads a size: bytes, or a whole number and a unit.
fn size(text: &str) -> anyhow::Result<usize> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit: usize = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => bail!("expected a whole number and B, KiB, MiB or GiB, as in 64MiB"),
    };
    let number: usize = number
        .parse()
        .context("expected a whole number and B, KiB, MiB or GiB, as in 64MiB")?;
    match number.checked_mul(unit) {
        Some(0) => bail!("expected a size above 0"),
        Some(bytes) => Ok(bytes),
        None => bail!("expected a smaller size"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: SinkArgs,
    }

    fn parse(line: &str) -> Result<SinkConfig, String> {
        let line =
            Line::try_parse_from(line.split_whitespace()).map_err(|error| error.to_string())?;
        config(&line.args).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn listens_on_the_ports_that_exporters_expect() {
        let config = parse("sink").unwrap();
        let others = [config.zipkin, config.jaeger, config.tempo].map(Option::unwrap);
        let found = [config.grpc, config.http].into_iter().chain(others);
        let found: Vec<u16> = found.map(|address| address.port()).collect();
        assert_eq!(found, [4317, 4318, 9411, 16686, 3200]);
        assert_eq!(config.access, Access::default());
        assert_eq!(config.faults, Faults::default());
        assert_eq!(config.place, Place::Memory);
        assert_eq!(config.limits, Limits::default());
    }

    #[test]
    fn takes_every_option() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, "secret\n").unwrap();
        let config = parse(&format!(
            "sink --grpc 1 --http 0.0.0.0:2 --zipkin none --jaeger none --tempo none --data spans.db --max-spans 3 --max-age 2h \
             --max-bytes 4KiB --max-request-bytes 1GiB --token-file {} --cors http://localhost:3000 --cors https://shop.example --fail 503:3 \
             --forward grpc://a:1 --forward https://b --forward-gzip --forward-max-bytes 5KiB",
            file.display()
        ))
        .unwrap();
        let found = [config.grpc, config.http].map(|address| address.to_string());
        assert_eq!(found, ["127.0.0.1:1", "0.0.0.0:2"]);
        assert_eq!([config.zipkin, config.jaeger, config.tempo], [None; 3]);
        assert_eq!(config.place, Place::File("spans.db".into()));
        assert_eq!(config.limits.max_age, Some(Duration::from_secs(7_200)));
        assert_eq!(config.limits.max_spans, 3);
        assert_eq!(config.limits.max_bytes, 4_096);
        assert_eq!(config.limits.max_request_bytes, 1 << 30);
        assert_eq!(config.access.token, Some("secret".parse().unwrap()));
        assert_eq!(config.access.origins.len(), 2);
        assert_eq!(config.faults, "503:3".parse().unwrap());
        let urls: Vec<_> = config
            .forward
            .destinations
            .iter()
            .map(|it| it.url())
            .collect();
        assert_eq!(urls, ["grpc://a:1", "https://b/v1/traces"]);
        assert_eq!(config.limits.max_forward_bytes, 5 << 10);
        let given = parse("sink --token secret").unwrap();
        assert_eq!(given.access.token, config.access.token);
    }

    #[test]
    fn says_what_is_wrong_with_an_argument() {
        for (line, message) in [
            ("sink --grpc here", "expected host:port"),
            ("sink --max-bytes 1MB", "expected a whole number and B"),
            ("sink --max-bytes 0", "above 0"),
            ("sink --max-age 1d", "s, m or h"),
            ("sink --max-age 0s", "above 0"),
            ("sink --fail 503:x", "a number of requests above 0"),
            ("sink --cors shop.example", "expected an origin"),
            ("sink --forward shop:4317", "grpc://, grpcs://, http:// or"),
            ("sink --forward-gzip", "--forward"),
            ("sink --forward-header a=b", "--forward"),
            ("sink --forward grpc://a:1 --forward-header b", "NAME=VALUE"),
            ("sink --tls-cert a.pem", "--tls-key"),
            ("sink --client-ca a.pem", "--tls-cert"),
            ("sink --token a --token-file b", "cannot be used with"),
            ("sink --token-file nowhere", "reading nowhere"),
            ("sink --token é", "visible ASCII"),
            (
                "sink --tls-cert nowhere.pem --tls-key nowhere.pem",
                "nowhere.pem: expected a private key in PEM",
            ),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(message), "{line}: {error}");
            assert!(!error.contains('é') || !line.contains("--token"), "{error}");
        }
    }
}
