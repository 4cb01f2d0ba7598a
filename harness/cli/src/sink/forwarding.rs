//! `--forward` and its options: the destinations that they make, and what became of them.

use std::convert::Infallible;
use std::env;
use std::fmt::{self, Write};
use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use sidespan_sink::{Destination, Forward, Forwarding};

/// The options for forwarding.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ForwardArgs {
    /// An OTLP endpoint to forward new spans to: grpc://host:port, grpcs://host:port, or http(s)://host[:port][/prefix], to
    /// which /v1/traces is added; can be repeated
    #[arg(long, value_name = "URL")]
    pub forward: Vec<Destination>,
    /// A header for --forward, as in 'authorization=Bearer ${env:TOKEN}', which takes the value of a variable; where there are
    /// several destinations, its URL and a space come first; can be repeated
    #[arg(long, value_name = "[URL ]NAME=VALUE", requires = "forward")]
    pub forward_header: Vec<HeaderText>,
    /// Compress what is forwarded with gzip
    #[arg(long, requires = "forward")]
    pub forward_gzip: bool,
    /// Begin with what the destinations have refused for good before, which is set aside in the file of --data
    #[arg(long, requires_all = ["forward", "data"])]
    pub resend_set_aside: bool,
    /// The certificate authorities to trust for grpcs and https instead of the system's, in PEM
    #[arg(long, value_name = "FILE", requires = "forward")]
    pub forward_ca: Option<PathBuf>,
}

/// The text of a header, which may be a secret, so that it is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct HeaderText(String);

impl FromStr for HeaderText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for HeaderText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("HeaderText")
    }
}

/// Returns the destinations with their headers.
pub(super) fn forward(args: &ForwardArgs) -> anyhow::Result<Forward> {
    let mut destinations = args.forward.clone();
    for (number, header) in (1..).zip(&args.forward_header) {
        add(&mut destinations, &header.0, |name| env::var(name).ok())
            .with_context(|| format!("--forward-header, the {number}. of them"))?;
    }
    let authorities = match &args.forward_ca {
        None => None,
        Some(_) if !destinations.iter().any(Destination::is_tls) => {
            bail!("--forward-ca: expected a destination with grpcs:// or https://");
        }
        Some(file) => {
            let pem = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
            Some(pem)
        }
    };
    let destinations = destinations.into_iter().map(|destination| {
        let destination = destination.gzip(args.forward_gzip);
        match &authorities {
            Some(pem) => destination.authorities(pem.clone()),
            None => destination,
        }
    });
    Ok(Forward {
        destinations: destinations.collect(),
        resend_set_aside: args.resend_set_aside,
        ..Forward::default()
    })
}

/// Adds a header to the destination that it is for.
fn add(
    destinations: &mut [Destination],
    text: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<()> {
    let named = text.split_once(' ');
    let named = named.and_then(|(url, rest)| Some((url.parse::<Destination>().ok()?, rest)));
    let (destination, header) = match named {
        Some((named, rest)) => {
            let url = named.url();
            let found = destinations.iter_mut().find(|it| it.url() == url);
            (
                found.with_context(|| format!("{url} is no --forward"))?,
                rest,
            )
        }
        None => match destinations {
            [only] => (only, text),
            // Else the token of one would be told to all.
            _ => bail!("there are several destinations: expected 'URL NAME=VALUE'"),
        },
    };
    let (name, value) = header
        .split_once('=')
        .context("expected NAME=VALUE, or URL, a space and NAME=VALUE")?;
    let value = filled(value, variable)?;
    *destination = destination.clone().header(name.trim(), value.trim())?;
    Ok(())
}

/// Puts the values of variables in the places of `${env:NAME}`.
fn filled(mut text: &str, variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<String> {
    let mut filled = String::new();
    while let Some((before, (name, after))) = text
        .split_once("${env:")
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        let value = variable(name);
        filled += before;
        filled += &value.with_context(|| format!("the variable {name} is not set"))?;
        text = after;
    }
    Ok(filled + text)
}

/// Returns the destinations, for people.
pub(super) fn announced(forward: &[String]) -> String {
    forward.iter().fold(String::new(), |mut text, url| {
        // Writing to a String does not fail.
        let _ = writeln!(text, "forwards to  {url}");
        text
    })
}

/// Returns what became of the spans for each destination, for people.
pub(super) fn summary(state: &[Forwarding], is_in_memory: bool) -> String {
    let mut text = String::new();
    for one in state {
        let _ = write!(
            text,
            "{} spans forwarded to {}",
            one.delivered_spans, one.destination
        );
        let left = match is_in_memory {
            true => "lost with the memory",
            false => "waiting for the next sink",
        };
        for (count, what) in [
            (one.rejected_spans, "rejected"),
            (one.refused_spans, "refused and set aside"),
            (one.backlog.dropped_spans, "dropped from a full queue"),
            (one.backlog.spans, left),
        ] {
            if count > 0 {
                let _ = write!(text, ", {count} {what}");
            }
        }
        match &one.failure {
            Some(failure) => {
                let _ = writeln!(text, "; it takes none: {failure}");
            }
            None => text.push('\n'),
        }
    }
    text
}

/// Returns what became of the spans for each destination, for scripts.
pub(super) fn summary_json(state: &[Forwarding]) -> Value {
    let each = state.iter().map(|one| {
        json!({
            "destination": one.destination,
            "delivered_spans": one.delivered_spans,
            "rejected_spans": one.rejected_spans,
            "refused_spans": one.refused_spans,
            "dropped_spans": one.backlog.dropped_spans,
            "waiting_spans": one.backlog.spans,
            "requests_set_aside": one.backlog.set_aside,
            "failed_attempts": one.failed_attempts,
            "failure": one.failure,
        })
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sidespan_sink::Backlog;

    fn args(urls: &[&str], headers: &[&str]) -> ForwardArgs {
        ForwardArgs {
            forward: urls.iter().map(|url| url.parse().unwrap()).collect(),
            forward_header: headers.iter().map(|text| text.parse().unwrap()).collect(),
            ..ForwardArgs::default()
        }
    }

    fn with(url: &str, headers: &[(&str, &str)]) -> Destination {
        let destination: Destination = url.parse().unwrap();
        headers
            .iter()
            .fold(destination, |destination, (name, value)| {
                destination.header(name, value).unwrap()
            })
    }

    #[test]
    fn a_header_goes_to_its_destination() {
        let one = args(&["http://a"], &["x=http://b c", "Y= d=e "]);
        let found = forward(&one).unwrap().destinations;
        assert_eq!(
            found,
            [with("http://a", &[("x", "http://b c"), ("y", "d=e")])]
        );
        let two = args(
            &["grpc://a:1", "http://b/p"],
            &["http://b/p/v1/traces key=1", "grpc://a:1 key=2"],
        );
        let found = forward(&two).unwrap().destinations;
        let expected = [
            with("grpc://a:1", &[("key", "2")]),
            with("http://b/p", &[("key", "1")]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_value_comes_from_a_variable() {
        let variable = |name: &str| (name == "TOKEN").then(|| "s3cret".to_owned());
        let mut destinations = vec![with("http://a", &[])];
        let text = "authorization=Bearer ${env:TOKEN}${env:TOKEN}$";
        add(&mut destinations, text, variable).unwrap();
        let expected = [("authorization", "Bearer s3crets3cret$")];
        assert_eq!(destinations, [with("http://a", &expected)]);
        let error = add(&mut destinations, "a=${env:OTHER}", variable).unwrap_err();
        assert_eq!(error.to_string(), "the variable OTHER is not set");
    }

    #[test]
    fn what_is_wrong_is_told_without_the_value() {
        for (urls, header, part) in [
            (
                &["http://a", "http://b"][..],
                "k=s3cret",
                "several destinations",
            ),
            (
                &["http://a"],
                "http://b k=s3cret",
                "http://b/v1/traces is no --forward",
            ),
            (&["http://a"], "s3cret", "expected NAME=VALUE"),
            (&["http://a"], "a b=s3cret", "a header's name"),
            (&["http://a"], "k=s3cret\u{7}", "visible ASCII"),
            (&["http://a"], "host=s3cret", "another header"),
        ] {
            let args = args(urls, &[header]);
            let error = format!("{:#}", forward(&args).unwrap_err());
            assert!(error.contains(part), "{header}: {error}");
            assert!(error.contains("--forward-header, the 1."), "{error}");
            assert!(!error.contains("s3cret") && !format!("{args:?}").contains("s3cret"));
        }
    }

    #[test]
    fn authorities_are_for_tls() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        fs::write(&file, "PEM").unwrap();
        let with_ca = |url: &str, file: PathBuf| ForwardArgs {
            forward_ca: Some(file),
            forward_gzip: true,
            ..args(&[url], &[])
        };
        let found = forward(&with_ca("https://a", file.clone())).unwrap();
        let expected = with("https://a", &[]).authorities("PEM").gzip(true);
        assert_eq!(found.destinations, [expected]);
        let error = forward(&with_ca("http://a", file)).unwrap_err();
        assert!(error.to_string().contains("grpcs:// or https://"));
        let error = forward(&with_ca("grpcs://a:1", "nowhere".into())).unwrap_err();
        assert!(error.to_string().contains("reading nowhere"));
    }

    #[test]
    fn sums_up_each_destination() {
        let mut state = Forwarding {
            destination: "grpc://a:1".into(),
            backlog: Backlog::default(),
            delivered_spans: 3,
            rejected_spans: 0,
            refused_spans: 0,
            failed_attempts: 0,
            failure: None,
            refusal: None,
        };
        let text = summary(std::slice::from_ref(&state), true);
        assert_eq!(text, "3 spans forwarded to grpc://a:1\n");
        state.backlog.spans = 4;
        state.backlog.dropped_spans = 5;
        state.refused_spans = 6;
        state.failure = Some("HTTP 503".into());
        let text = summary(&[state.clone()], false);
        assert_eq!(
            text,
            "3 spans forwarded to grpc://a:1, 6 refused and set aside, 5 dropped from a full queue, 4 waiting for the next \
             sink; it takes none: HTTP 503\n"
        );
        assert!(summary(&[state], true).contains("4 lost with the memory"));
    }
}
