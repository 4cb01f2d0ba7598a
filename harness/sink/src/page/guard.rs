//! The guard of the readers' APIs against web pages of other origins.
//!
//! A browser lets a foreign page send requests to a loopback address, and by a name that the page's owner lets point there
//! (DNS rebinding) even read the answers. So where loopback is all the protection there is, a request must name the sink
//! as its own machine does: by an address, `localhost`, a name without a dot, which no stranger can own, or the
//! host of an origin that `--cors` allows. What changes something must moreover come from the sink's own page, from an
//! allowed one, or from no page at all. Reading by scripts stays as it is.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::json;
use tonic::body::Body;

use super::json::json;

/// The names and pages that one listener takes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    checks_names: bool,
    origins: Vec<HeaderValue>,
}

impl Guard {
    /// Returns the guard of a listener; `checks_names` where nothing but loopback protects it.
    pub(crate) fn new(checks_names: bool, origins: Vec<HeaderValue>) -> Self {
        Self {
            checks_names,
            origins,
        }
    }

    /// Returns the refusal of a request to a reader's API, if it must not pass.
    pub(crate) fn refusal(&self, request: &Parts) -> Option<Response<Body>> {
        let host = host(request);
        let name = host.as_ref().map_or("", Authority::host);
        if self.checks_names && !is_own(name) && !self.allows_host(name) {
            return Some(refused(&format!(
                "a sink on loopback without a token answers to localhost and addresses, not to {name:?}: ask for 127.0.0.1, \
                 or start the sink with --token-file, or with --cors for a name of yours"
            )));
        }
        let is_read = matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS);
        (!is_read && self.is_foreign(request, host.as_ref())).then(|| {
            refused(
                "only the sink's own page, and those that --cors allows, may change what is here",
            )
        })
    }

    fn is_foreign(&self, request: &Parts, host: Option<&Authority>) -> bool {
        if let Some(origin) = request.headers.get(ORIGIN) {
            let is_allowed = self.origins.iter().any(|one| one == "*" || one == origin);
            let of_page = origin.to_str().ok().and_then(|it| it.split_once("://"));
            let is_same = of_page.is_some_and(|(_, page)| host.is_some_and(|host| host == page));
            return !is_allowed && !is_same;
        }
        let site = request.headers.get("sec-fetch-site");
        site.is_some_and(|site| site != "same-origin" && site != "none")
    }

    fn allows_host(&self, name: &str) -> bool {
        let hosts = self.origins.iter().filter_map(|origin| {
            let (_, host) = origin.to_str().ok()?.split_once("://")?;
            host.parse::<Authority>().ok()
        });
        hosts.into_iter().any(|host| host.host() == name)
    }
}

fn host(request: &Parts) -> Option<Authority> {
    let named = request.headers.get(HOST);
    let named = named.and_then(|host| host.to_str().ok()?.parse().ok());
    named.or_else(|| request.uri.authority().cloned())
}

/// Returns true for the names that only the machine itself gives out. HTTP/1.0 has none.
fn is_own(name: &str) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let name = name.trim_end_matches('.');
    bare.parse::<IpAddr>().is_ok()
        || !name.contains('.')
        || name.to_ascii_lowercase().ends_with(".localhost")
}

fn refused(cause: &str) -> Response<Body> {
    json(StatusCode::FORBIDDEN, &json!({ "error": cause }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(guard: &Guard, method: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = http::Request::builder()
            .method(method)
            .uri("/api/sidespan/v1/traces");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        guard
            .refusal(&parts)
            .map_or(200, |refused| refused.status().as_u16())
    }

    #[test]
    fn names_that_strangers_can_own_are_refused_where_loopback_is_all() {
        let origins = vec![HeaderValue::from_static("http://spans.example:8080")];
        let guard = Guard::new(true, origins);
        for (host, expected) in [
            ("127.0.0.1:4318", 200),
            ("[::1]:4318", 200),
            ("localhost", 200),
            ("LOCALHOST:16686", 200),
            ("sink.localhost:4318", 200),
            ("sink:4318", 200),
            ("spans.example:4318", 200),
            ("evil.example:4318", 403),
            ("evil.example.:4318", 403),
            ("127.0.0.1.evil.example", 403),
        ] {
            assert_eq!(status(&guard, "GET", &[("host", host)]), expected, "{host}");
            let open = Guard::default();
            assert_eq!(status(&open, "GET", &[("host", host)]), 200, "{host}");
        }
        assert_eq!(status(&guard, "GET", &[]), 200);
    }

    #[test]
    fn foreign_pages_change_nothing() {
        let origins = vec![HeaderValue::from_static("https://ours.example")];
        let guard = Guard::new(false, origins);
        let host = ("host", "localhost:4318");
        for (name, value, expected) in [
            ("accept", "*/*", 200),
            ("origin", "http://localhost:4318", 200),
            ("origin", "https://ours.example", 200),
            ("origin", "http://localhost:9999", 403),
            ("origin", "https://evil.example", 403),
            ("origin", "null", 403),
            ("sec-fetch-site", "same-origin", 200),
            ("sec-fetch-site", "none", 200),
            ("sec-fetch-site", "same-site", 403),
            ("sec-fetch-site", "cross-site", 403),
        ] {
            let headers = [host, (name, value)];
            assert_eq!(
                status(&guard, "DELETE", &headers),
                expected,
                "{name} {value}"
            );
            assert_eq!(status(&guard, "GET", &headers), 200, "{name} {value}");
        }
    }
}
