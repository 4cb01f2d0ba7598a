//! Who may send: a bearer token, and the web pages whose browsers may.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method};
use subtle::ConstantTimeEq;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::page::Guard;

/// The senders that a sink takes requests from; by default all, but no web page of another origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The token that every request must bring, in `authorization: Bearer TOKEN`.
    pub token: Option<Token>,
    /// The origins of web pages whose scripts may send and read (CORS).
    pub origins: Vec<Origin>,
}

/// A bearer token, which is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// The error of a text that cannot be sent as a bearer token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a token of visible ASCII characters without spaces")]
pub struct TokenError;

impl FromStr for Token {
    type Err = TokenError;

    /// Takes a token; space around it, as the end of a file's line, is none of it.
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let token = text.trim();
        let is_sendable = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        is_sendable.then(|| Self(token.into())).ok_or(TokenError)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token")
    }
}

/// An origin of web pages, as `https://shop.example` or `http://localhost:3000`, or `*` for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// The error of a text that is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an origin such as https://shop.example:8443 without a path, or *, found {0:?}")]
pub struct OriginError(String);

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let wrong = || OriginError(text.to_owned());
        let host = text.split_once("://").map_or("", |(_, host)| host);
        let is_origin = !host.is_empty() && !host.contains(['/', '*', ' ', '?', '#']);
        if text != "*" && !is_origin {
            return Err(wrong());
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| wrong())
    }
}

impl Access {
    /// Returns true if a request with these headers may pass.
    pub(super) fn allows(&self, headers: &HeaderMap) -> bool {
        let Some(Token(token)) = &self.token else {
            return true;
        };
        let sent = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let Some((scheme, sent)) = sent.and_then(|sent| sent.split_at_checked(7)) else {
            return false;
        };
        // In constant time, because the time of a comparison would tell how much of a token is right.
        scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(sent.ct_eq(token.as_bytes()))
    }

    /// Returns the guard of readers on one address.
    pub(super) fn guard(&self, is_loopback: bool) -> Guard {
        let origins = self.origins.iter().map(|Origin(origin)| origin.clone());
        Guard::new(is_loopback && self.token.is_none(), origins.collect())
    }

    /// Returns the layer that answers browsers, unless there is no origin.
    pub(super) fn cors(&self) -> Option<CorsLayer> {
        const CACHED: Duration = Duration::from_secs(7_200);
        if self.origins.is_empty() {
            return None;
        }
        let origins = match self.origins.iter().any(|Origin(origin)| origin == "*") {
            true => AllowOrigin::any(),
            false => AllowOrigin::list(self.origins.iter().map(|Origin(it)| it.clone())),
        };
        let layer = CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::POST, Method::GET, Method::HEAD, Method::DELETE])
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers([RETRY_AFTER])
            .max_age(CACHED);
        Some(layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_passes_with_the_token_and_no_other() {
        let access = Access {
            token: Some(" secret\n".parse().unwrap()),
            origins: vec![],
        };
        for (sent, passes) in [
            (Some("Bearer secret"), true),
            (Some("bearer secret"), true),
            (Some("Bearer secret "), false),
            (Some("Bearer secre"), false),
            (Some("Bearer"), false),
            (Some("Basic secret"), false),
            (Some(""), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(sent) = sent {
                headers.insert(AUTHORIZATION, HeaderValue::from_static(sent));
            }
            assert_eq!(access.allows(&headers), passes, "{sent:?}");
            assert!(Access::default().allows(&headers));
        }
        assert!(!format!("{access:?}").contains("secret"));
        for wrong in ["", " \n", "two words", "naïve"] {
            assert_eq!(wrong.parse::<Token>(), Err(TokenError), "{wrong}");
        }
    }

    #[test]
    fn takes_origins_and_no_addresses_of_pages() {
        for right in ["*", "https://shop.example", "http://localhost:3000"] {
            assert!(right.parse::<Origin>().is_ok(), "{right}");
        }
        for wrong in [
            "",
            "shop.example",
            "https://",
            "https://a/b",
            "https://*.a",
            "http://a\n",
        ] {
            assert!(wrong.parse::<Origin>().is_err(), "{wrong:?}");
        }
    }
}
