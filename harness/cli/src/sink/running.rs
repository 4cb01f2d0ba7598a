//! The run of a sink until a signal.

use std::io::ErrorKind;
use std::process::ExitCode;

use anyhow::Context;
use sidespan_sink::{Sink, StartError};

use super::announcement::{Started, summary, summary_json};
use super::arguments::{SinkArgs, config};
use super::forwarding;
use crate::interrupt::Signals;
use crate::output;

/// Runs a sink until Ctrl-C or SIGTERM.
///
/// # Errors
/// When a file cannot be read, or an address cannot be listened on.
pub fn run(args: SinkArgs) -> anyhow::Result<ExitCode> {
    let config = config(&args)?;
    // A connection is a file, and many systems allow a thousand where nobody asks for more. Without, there are fewer.
    if let Err(error) = rlimit::increase_nofile_limit(FILES) {
        log::debug!("the limit of open files stays: {error}");
    }
    tokio::runtime::Runtime::new()?.block_on(async {
        let (is_tls, has_token) = (config.tls.is_some(), config.access.token.is_some());
        let destinations = config.forward.destinations.iter();
        let destinations: Vec<_> = destinations.map(|it| it.url()).collect();
        // Whoever reads that the sink has started may end it at once.
        let mut signals = Signals::listen()?;
        let sink = Sink::start(config).await;
        let sink = sink.map_err(with_cure)?;
        let started = Started {
            grpc: sink.grpc_addr(),
            http: sink.http_addr(),
            zipkin: sink.zipkin_addr(),
            jaeger: sink.jaeger_addr(),
            tempo: sink.tempo_addr(),
            is_tls,
            is_mutual: args.client_ca.is_some(),
            has_token,
        };
        for warning in started.warnings() {
            output::tell(warning);
        }
        if args.json {
            let mut json = started.json();
            json["forward"] = destinations.into();
            output::print(format!("{json}\n").as_bytes())?;
        } else if !args.quiet {
            let text = started.text() + &forwarding::announced(&destinations);
            output::print(text.as_bytes())?;
        }
        // Either signal is how a sink ends.
        let _ = signals.unless_told(std::future::pending::<()>()).await;
        sink.pause().await;
        // A second signal ends the wait for the destinations.
        let _ = signals.unless_told(sink.stop_forwarding()).await;
        let forwarded = sink.forwarding().await?;
        let (counts, received) = (sink.counts(), sink.received());
        if args.json {
            let mut json = summary_json(counts, received);
            json["forwarded"] = forwarding::summary_json(&forwarded);
            output::print(format!("{json}\n").as_bytes())?;
        } else if !args.quiet {
            let is_in_memory = sink.store().is_in_memory();
            let text = summary(counts, received) + &forwarding::summary(&forwarded, is_in_memory);
            output::print(text.as_bytes())?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// The open files that a sink asks the system for.
const FILES: u64 = 65_536;

/// Adds the cure to the error of an address that is taken.
fn with_cure(error: StartError) -> anyhow::Error {
    let StartError::Listen {
        address,
        protocol,
        source,
    } = &error
    else {
        return error.into();
    };
    let option = match *protocol {
        "OTLP over gRPC" => "--grpc",
        "OTLP over HTTP" => "--http",
        "Zipkin" => "--zipkin",
        "Jaeger" => "--jaeger",
        _ => "--tempo",
    };
    let port = address.port();
    let cure = match source.kind() {
        ErrorKind::AddrInUse => format!(
            "port {port} is in use: end the program that has it (ss -ltnp 'sport = :{port}' names it), or take another port \
             with {option} PORT, where 0 is a free one"
        ),
        ErrorKind::AddrNotAvailable => {
            format!(
                "this machine has no address {}: give another with {option}",
                address.ip()
            )
        }
        ErrorKind::PermissionDenied => {
            format!("port {port} is for the superuser: take one above 1023 with {option}")
        }
        _ => return error.into(),
    };
    Err::<(), _>(error).context(cure).unwrap_err()
}
