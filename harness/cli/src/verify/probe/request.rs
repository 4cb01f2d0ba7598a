//! The requests of a probe.

use std::fs;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Request, Url};
use sidespan_core::propagation::format::Format;
use sidespan_sink::{
    Attribute, Resource, Scope, SpanKind, SpanStatus, StatusCode, StoredSpan, Value, client_tls,
    no_tls,
};

use super::context::Context;
use crate::verify::arguments::VerifyArgs;

/// The service by which a probe is known among others.
pub(super) const PROBE: &str = "probe";

/// What sends the requests.
#[derive(Debug)]
pub(super) struct Requester {
    http: Client,
    method: Method,
    url: Url,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// A request that was sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) format: Format,
    /// The request as a span.
    pub(super) span: StoredSpan,
    /// The status of the answer, or the reason why there is none.
    pub(super) status: Result<u16, String>,
}

impl Requester {
    /// Returns what sends the requests that the arguments ask for.
    ///
    /// # Errors
    /// When a URL, a method, a header or the authorities cannot be read; no value of a header is in the message.
    pub(super) fn new(args: &VerifyArgs, url: &str) -> anyhow::Result<Self> {
        let url: Url = url
            .parse()
            .context("expected a URL such as http://127.0.0.1:8080/, for --probe")?;
        if !["http", "https"].contains(&url.scheme()) {
            bail!(
                "expected a URL with http or https for --probe, found {}",
                url.scheme()
            );
        }
        let tls = match &args.probe_ca {
            Some(file) => {
                let pem = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
                client_tls(Some(&pem)).with_context(|| file.display().to_string())?
            }
            None if url.scheme() == "https" => client_tls(None)?,
            None => no_tls()?,
        };
        let builder = Client::builder()
            .timeout(args.timeout)
            // Another place would answer for this one.
            .redirect(Policy::none())
            .user_agent(concat!("sidespan-verify/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls);
        let method = Method::from_str(&args.method.to_ascii_uppercase());
        let variable = |name: &str| std::env::var(name).ok();
        let headers = args
            .header
            .iter()
            .map(|(name, value)| header(name, value, variable));
        Ok(Self {
            http: builder.build().context("an HTTP client")?,
            method: method
                .with_context(|| format!("expected a method, found {:?}", args.method))?,
            headers: headers.collect::<anyhow::Result<_>>()?,
            url,
        })
    }

    /// Sends a request with a new context in one format.
    pub(super) async fn send(&self, format: Format) -> Sent {
        let context = Context::new(format);
        let mut request = Request::new(self.method.clone(), self.url.clone());
        let headers = request.headers_mut();
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        for (name, value) in context.headers(format) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        let start = now();
        // To the end of the body, because a server's span ends no sooner.
        let done = async {
            let mut response = self.http.execute(request).await?;
            while response.chunk().await?.is_some() {}
            Ok::<_, reqwest::Error>(response.status().as_u16())
        };
        let status = done.await.map_err(|error| {
            // Without the URL, which may have a password in it.
            let error = anyhow::Error::new(error.without_url());
            format!("{error:#}")
        });
        Sent {
            format,
            span: self.span(context, (start, now())),
            status,
        }
    }

    fn span(&self, context: Context, (start, end): (u64, u64)) -> StoredSpan {
        let attribute = |key: &str, value: &str| Attribute {
            key: key.into(),
            value: Value::from(value),
        };
        StoredSpan {
            trace_id: context.trace_id(),
            span_id: context.span_id(),
            parent_span_id: None,
            trace_state: String::new(),
            flags: 1,
            name: self.method.to_string(),
            kind: SpanKind::Client,
            start_unix_nanos: start,
            end_unix_nanos: end,
            attributes: vec![
                attribute("http.request.method", self.method.as_str()),
                attribute("server.address", self.url.host_str().unwrap_or_default()),
                attribute("url.path", self.url.path()),
            ],
            dropped_attributes_count: 0,
            events: Vec::new(),
            dropped_events_count: 0,
            links: Vec::new(),
            dropped_links_count: 0,
            status: SpanStatus {
                code: StatusCode::Unset,
                message: String::new(),
            },
            resource: Arc::new(Resource {
                attributes: vec![attribute("service.name", PROBE)],
                ..Resource::default()
            }),
            scope: Arc::new(Scope {
                name: "sidespan".into(),
                ..Scope::default()
            }),
        }
    }
}

/// Reads a header; `${env:NAME}` in its value is the value of a variable.
fn header(
    name: &str,
    value: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<(HeaderName, HeaderValue)> {
    let mut rest = value;
    let mut filled = String::new();
    while let Some((before, (variable_name, after))) = rest
        .split_once("${env:")
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        filled += before;
        filled += &variable(variable_name)
            .with_context(|| format!("--header {name}: the variable {variable_name} is not set"))?;
        rest = after;
    }
    filled += rest;
    let wrong =
        || format!("--header: expected a name of letters, digits and dashes, found {name:?}");
    let header: HeaderName = name.trim().parse().with_context(wrong)?;
    let mut value = HeaderValue::from_str(filled.trim())
        .ok()
        .with_context(|| format!("--header {name}: expected a value without line breaks"))?;
    value.set_sensitive(true);
    Ok((header, value))
}

fn now() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_filled_in_and_never_told() {
        let variable = |name: &str| (name == "TOKEN").then(|| "s3cret".to_owned());
        let (name, value) = header("Authorization", "Bearer ${env:TOKEN}", variable).unwrap();
        assert_eq!(
            (name.as_str(), value.to_str().unwrap()),
            ("authorization", "Bearer s3cret")
        );
        assert!(!format!("{value:?}").contains("s3cret"));
        let unset = header("a", "${env:OTHER}", variable)
            .unwrap_err()
            .to_string();
        assert_eq!(unset, "--header a: the variable OTHER is not set");
        for (name, value) in [("a b", "s3cret"), ("a", "s3cret\n")] {
            let error = format!("{:#}", header(name, value, variable).unwrap_err());
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
