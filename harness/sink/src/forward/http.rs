//! OTLP/HTTP in protobuf. The bytes of a message go as they are, so that fields of later versions pass.

use std::io::Write;
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::body::Bytes;
use prost::Message;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use super::answer::{Answer, printable};
use super::destination::Destination;
use super::tls::{TrustError, client_tls, no_tls};

/// A client of one HTTP server. It follows no redirect, which could lead a token elsewhere, and uses no proxy.
#[derive(Clone, Debug)]
pub(super) struct HttpSender {
    client: Client,
    url: String,
    headers: HeaderMap,
    gzip: bool,
}

/// The error of a destination that no client can be made for.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error(transparent)]
    Client(#[from] reqwest::Error),
}

impl HttpSender {
    pub(super) fn new(destination: &Destination, connect: Duration) -> Result<Self, HttpError> {
        let tls = match destination.is_tls {
            true => client_tls(destination.authorities.as_deref())?,
            false => no_tls()?,
        };
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("sidespan-sink/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(connect)
            .redirect(Policy::none())
            .no_proxy()
            .build()?;
        let mut headers = destination.headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
        if destination.gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let url = destination.url();
        // An address that the client refuses is told at the start.
        client.post(&url).build()?;
        Ok(Self {
            client,
            url,
            headers,
            gzip: destination.gzip,
        })
    }

    pub(super) async fn send(&self, body: Bytes) -> Answer {
        let body = match self.gzip {
            true => match gzip(body).await {
                Ok(packed) => packed,
                Err(error) => return Answer::absent(&error),
            },
            false => body,
        };
        let request = self.client.post(&self.url).headers(self.headers.clone());
        let mut response = match request.body(body).send().await {
            Ok(response) => response,
            Err(error) => return Answer::absent(&error.without_url()),
        };
        match beginning(&mut response).await {
            Ok(body) => meaning(response.status(), response.headers(), &body),
            Err(error) => Answer::absent(&error.without_url()),
        }
    }
}

/// Compresses a message, beside the threads that serve connections.
async fn gzip(body: Bytes) -> std::io::Result<Bytes> {
    let packed = tokio::task::spawn_blocking(move || {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&body)?;
        encoder.finish().map(Bytes::from)
    });
    packed.await.map_err(std::io::Error::other)?
}

/// Reads an answer, of which more than its beginning is not of interest.
async fn beginning(response: &mut Response) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = MAX_ANSWER.saturating_sub(body.len());
        body.extend(chunk.iter().take(room));
        if chunk.len() >= room {
            break;
        }
    }
    Ok(body)
}

/// Returns what a status, its headers and its body mean.
fn meaning(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Answer {
    if status.is_success() {
        // A body that is no response is that of a server that has the spans.
        return Answer::success(Message::decode(body).unwrap_or_default());
    }
    let told = tonic_types::Status::decode(body).map(|status| status.message);
    let told = told.or_else(|_| std::str::from_utf8(body).map(str::to_owned));
    let cause = match told.as_deref().map(str::trim) {
        Ok("") | Err(_) => format!("HTTP {status}"),
        Ok(told) => format!("HTTP {status}: {}", printable(told)),
    };
    match status.as_u16() {
        429 | 502 | 503 | 504 => Answer::Again {
            after: retry_after(headers, SystemTime::now()),
            cause,
        },
        _ => Answer::Refused { cause },
    }
}

/// Returns the delay that a server asks for, in seconds or as a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?;
            // A date that has passed asks for no delay.
            Some(date.duration_since(now).unwrap_or_default())
        }
    }
}

const PROTOBUF: &str = "application/x-protobuf";
/// The most bytes of an answer that are read.
const MAX_ANSWER: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &[u8]) -> Answer {
        meaning(
            StatusCode::from_u16(status).unwrap(),
            &HeaderMap::new(),
            body,
        )
    }

    #[test]
    fn statuses_mean_what_the_specification_says() {
        for status in 200..600 {
            let found = of(status, b"");
            let expected = match status {
                200..=299 => matches!(found, Answer::Taken { rejected: 0, .. }),
                429 | 502 | 503 | 504 => matches!(found, Answer::Again { after: None, .. }),
                _ => matches!(found, Answer::Refused { .. }),
            };
            assert!(expected, "{status}: {found:?}");
        }
    }

    #[test]
    fn a_cause_is_told_in_protobuf_or_text() {
        let status = tonic_types::Status {
            code: 3,
            message: "bad\u{1b} span".to_owned(),
            details: vec![],
        };
        for (body, expected) in [
            (status.encode_to_vec(), "HTTP 400 Bad Request: bad  span"),
            (b"no\n".to_vec(), "HTTP 400 Bad Request: no"),
            (vec![], "HTTP 400 Bad Request"),
            (vec![0xff, 0xfe], "HTTP 400 Bad Request"),
        ] {
            let Answer::Refused { cause } = of(400, &body) else {
                panic!("{body:?}");
            };
            assert_eq!(cause, expected);
        }
    }

    #[test]
    fn a_delay_is_in_seconds_or_until_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        for (text, expected) in [
            ("7", Some(7)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            let found = retry_after(&headers, now);
            assert_eq!(found, expected.map(Duration::from_secs), "{text}");
        }
    }
}
