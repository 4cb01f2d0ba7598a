//! Requests to a sink or a Jaeger, with errors that name the cause and the cure.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Response, Url};
use sidespan_sink::{client_tls, no_tls};

use crate::token::TokenArgs;

/// The time in which a connection must stand.
const CONNECT: Duration = Duration::from_secs(5);
/// The time without a byte after which the other end is taken for gone; a sink's streams have a comment every 15 s.
const QUIET: Duration = Duration::from_secs(60);

/// The proof of who asks, and the trust in who answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credentials<'a> {
    /// The bearer token.
    pub(crate) token: Option<String>,
    /// A file with the authorities to trust, in PEM, in place of the system's.
    pub(crate) authorities: Option<&'a Path>,
}

impl<'a> Credentials<'a> {
    /// Reads the token where it is in a file.
    ///
    /// # Errors
    /// When that file cannot be read.
    pub(crate) fn read(token: &TokenArgs, authorities: Option<&'a Path>) -> anyhow::Result<Self> {
        Ok(Self {
            token: token.read()?.map(|(token, _)| token),
            authorities,
        })
    }
}

/// A client of one server.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// The time after which the server asks to be asked again.
    pub(super) retry_after: Option<Duration>,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the error of a sink's API, or else the beginning of the body.
    pub(super) fn cause(&self) -> String {
        let json = serde_json::from_slice::<serde_json::Value>(&self.body).ok();
        let error = json.and_then(|json| Some(json.get("error")?.as_str()?.to_owned()));
        let cause = error.unwrap_or_else(|| {
            let text = String::from_utf8_lossy(&self.body);
            text.chars().take(SHOWN).collect()
        });
        // The terminal belongs to its owner, not to whoever answers.
        cause.replace(char::is_control, " ")
    }
}

impl Client {
    /// Returns a client for a URL, whose path, if any, stands before every path.
    ///
    /// # Errors
    /// When the URL or the file of authorities cannot be read.
    pub(super) fn new(base: &str, credentials: &Credentials<'_>) -> anyhow::Result<Self> {
        let url: Url = base.parse().with_context(|| {
            format!("expected a URL such as http://127.0.0.1:4318, found {base:?}")
        })?;
        let host = url.host_str().unwrap_or_default();
        let mut headers = HeaderMap::new();
        if let Some(token) = &credentials.token {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
                .ok()
                .context("expected a token of visible ASCII characters")?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let tls = match credentials.authorities {
            Some(file) => {
                let pem = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
                client_tls(Some(&pem)).with_context(|| file.display().to_string())?
            }
            None if url.scheme() == "https" => client_tls(None)?,
            None => no_tls()?,
        };
        let mut builder = reqwest::Client::builder()
            .default_headers(headers)
            .connect_timeout(CONNECT)
            .read_timeout(QUIET)
            .tls_backend_preconfigured(tls);
        if ["localhost", "127.0.0.1", "[::1]"].contains(&host) {
            // No proxy leads back to this machine.
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build().context("an HTTP client")?,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    /// Returns the URL of the server.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Gets a path.
    ///
    /// # Errors
    /// When there is no answer.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let response = self.open(path).await?;
        self.whole(response).await
    }

    /// Gets a path as protobuf.
    ///
    /// # Errors
    /// When there is no answer.
    pub(super) async fn get_protobuf(&self, path: &str) -> anyhow::Result<Answer> {
        let request = self.http.get(format!("{}{path}", self.base));
        let request = request.header(ACCEPT, "application/protobuf");
        let response = request.send().await.map_err(|error| self.away(error))?;
        self.whole(response).await
    }

    /// Gets a path whose body is read piece by piece.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) async fn open(&self, path: &str) -> anyhow::Result<Response> {
        let request = self.http.get(format!("{}{path}", self.base));
        request.send().await.map_err(|error| self.away(error))
    }

    /// Posts a message of protobuf.
    ///
    /// # Errors
    /// When there is no answer.
    pub(super) async fn post(&self, path: &str, body: Vec<u8>) -> anyhow::Result<Answer> {
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .header(CONTENT_TYPE, "application/x-protobuf")
            .body(body);
        let response = request.send().await.map_err(|error| self.away(error))?;
        self.whole(response).await
    }

    /// Reads the rest of an answer.
    ///
    /// # Errors
    /// When the answer breaks off.
    pub(crate) async fn whole(&self, response: Response) -> anyhow::Result<Answer> {
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let body = response.bytes().await.map_err(|error| self.broke(error))?;
        Ok(Answer {
            status,
            body: body.to_vec(),
            retry_after,
        })
    }

    /// Returns the error of an answer that breaks off.
    pub(super) fn broke(&self, error: reqwest::Error) -> anyhow::Error {
        // Without the URL, which stands before it already.
        anyhow::Error::new(error.without_url()).context(format!("{} broke off", self.base))
    }

    fn away(&self, error: reqwest::Error) -> anyhow::Error {
        anyhow::Error::new(error.without_url()).context(format!(
            "cannot reach {}: start a sink there with `sidespan sink`, or name another place with --from",
            self.base
        ))
    }

    /// Returns the error of an answer that is none of those expected.
    pub(crate) fn unexpected(&self, answer: &Answer) -> anyhow::Error {
        match answer.status {
            401 | 403 => anyhow::anyhow!(
                "{} asks for a token ({}): give it with --token-file, or in SIDESPAN_SINK_TOKEN",
                self.base,
                answer.status
            ),
            status => anyhow::anyhow!("{} answers {status}: {}", self.base, answer.cause()),
        }
    }
}

/// The characters of an unexpected body that are shown.
const SHOWN: usize = 200;
