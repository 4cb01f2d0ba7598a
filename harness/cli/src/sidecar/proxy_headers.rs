//! The headers that Envoy's connection manager writes into a request before the filters see it: `x-forwarded-proto` and
//! `x-request-id`. What the client has sent stays, as in Envoy without `use_remote_address`.

use sidespan_host::Headers;

use super::protocol::Protocol;

/// Adds what is missing. `:scheme` of HTTP/1.1, which has none of its own, is what `x-forwarded-proto` says.
pub(super) fn add(headers: &mut Headers, protocol: Protocol) {
    let forwarded = headers.text("x-forwarded-proto");
    let is_known = |scheme: &str| scheme == "http" || scheme == "https";
    match forwarded.filter(|scheme| is_known(&scheme.to_ascii_lowercase())) {
        Some(scheme) if protocol == Protocol::Http1 => headers.replace(":scheme", scheme),
        Some(_) => {}
        // Envoy replaces what is no scheme of HTTP.
        None => headers.replace("x-forwarded-proto", "http"),
    }
    if headers.get("x-request-id").is_none() {
        headers.add("x-request-id", request_id());
    }
}

/// Returns a random UUID, as Envoy's `UuidRequestIdExtension` makes it.
fn request_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness there is no TLS and no hash map either; a request id that recurs is the least of it.
    if let Err(error) = getrandom::fill(&mut bytes) {
        log::warn!("no randomness for x-request-id: {error}");
    }
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(pairs: &[(&str, &str)], protocol: Protocol) -> Headers {
        let mut headers: Headers = pairs.iter().copied().collect();
        add(&mut headers, protocol);
        headers
    }

    #[test]
    fn a_request_gets_a_scheme_and_an_id_of_its_own() {
        let (one, two) = (added(&[], Protocol::Http1), added(&[], Protocol::Http1));
        assert_eq!(one.get("x-forwarded-proto"), Some(&b"http"[..]));
        let id = one.text("x-request-id").unwrap();
        assert_eq!((id.len(), &id[14..15]), (36, "4"));
        assert_ne!(Some(id), two.text("x-request-id"));
    }

    #[test]
    fn what_the_client_has_sent_stays() {
        let sent = [
            (":scheme", "http"),
            ("x-request-id", "mine"),
            ("x-forwarded-proto", "https"),
        ];
        for (protocol, scheme) in [(Protocol::Http1, "https"), (Protocol::Http2, "http")] {
            let headers = added(&sent, protocol);
            assert_eq!(headers.text(":scheme").as_deref(), Some(scheme));
            assert_eq!(headers.text("x-request-id").as_deref(), Some("mine"));
            assert_eq!(headers.text("x-forwarded-proto").as_deref(), Some("https"));
        }
        let odd = added(&[("x-forwarded-proto", "gopher")], Protocol::Http2);
        assert_eq!(odd.text("x-forwarded-proto").as_deref(), Some("http"));
    }
}
