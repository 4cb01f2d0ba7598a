//! The URL of a request as a whole and in parts, without its secrets.
//!
//! User information leaves as `REDACTED:REDACTED@` (RD-1), values of query keys that carry signatures or are configured
//! as secrets as `REDACTED` (RD-2). Both rules work on the received bytes: nothing is decoded, and a key is secret in
//! its literal spelling alone. A part that `spans.omit` names is left out of the whole, too.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::forwarded::Forwarded;
use super::last_server::LastServers;
use crate::codec::{number, scan};
use crate::headers::target::split_authority;
use crate::headers::{Name, RequestHeaders};
use crate::semconv::known_text;
use crate::semconv::names::{AttributeKey, AttributeWriter, NameSet};
use crate::span::SpanKind;

pub(super) struct Url<'a> {
    // On a SERVER span the client's scheme, before proxies in front of this one ended its encryption; on a CLIENT span
    // the scheme of the request.
    scheme: &'a [u8],
    authority: &'a [u8],
    path: &'a [u8],
    query: Option<&'a [u8]>,
    // The authority that the client asked for.
    host: &'a [u8],
    secrets: &'a [String],
}

impl<'a> Url<'a> {
    #[inline]
    pub(super) fn new(
        kind: SpanKind,
        headers: &RequestHeaders<'a>,
        forwarded: &Forwarded<'a>,
        secrets: &'a [String],
    ) -> Self {
        let authority = headers.first(Name::Authority).unwrap_or_default();
        let (path, query) = headers.target();
        Self {
            scheme: forwarded
                .scheme()
                .filter(|_| kind == SpanKind::Server)
                .or(headers.first(Name::Scheme))
                .unwrap_or(b"http"),
            authority,
            path,
            query,
            host: forwarded.host().unwrap_or(authority),
            secrets,
        }
    }

    /// Adds `url.path`, `url.query` and `url.scheme`, or the one old name for the first two.
    #[inline]
    pub(super) fn describe_parts(&self, writer: &mut AttributeWriter<'_>) {
        writer.text(AttributeKey::Path, self.path);
        let query = self.query.filter(|query| !query.is_empty());
        if let Some(query) = query {
            writer.text(AttributeKey::Query, &self.redacted(query));
        }
        if writer.vocabulary.is_old && !writer.vocabulary.omits(AttributeKey::Path) {
            let mut target = Vec::new();
            self.write_target(&mut target, writer.vocabulary);
            writer.out.text("http.target", &target);
        }
        match known_text::scheme(self.scheme) {
            Some(scheme) => writer.known(AttributeKey::Scheme, scheme),
            None => writer.text(AttributeKey::Scheme, self.scheme),
        }
    }

    /// Adds `url.full`.
    #[inline]
    pub(super) fn describe_whole(&self, writer: &mut AttributeWriter<'_>) {
        if writer.vocabulary.omits(AttributeKey::FullUrl) {
            return;
        }
        let mut url = Vec::with_capacity(
            self.scheme
                .len()
                .saturating_add(self.authority.len())
                .saturating_add(self.path.len())
                .saturating_add(self.query.map_or(0, <[u8]>::len))
                .saturating_add(8),
        );
        url.extend_from_slice(self.scheme);
        url.extend_from_slice(b"://");
        match scan::last_position(self.authority, b'@') {
            Some(at) => {
                url.extend_from_slice(b"REDACTED:REDACTED");
                url.extend_from_slice(self.authority.get(at..).unwrap_or_default());
            }
            None => url.extend_from_slice(self.authority),
        }
        self.write_target(&mut url, writer.vocabulary);
        writer.text(AttributeKey::FullUrl, &url);
    }

    /// Adds `server.address` and `server.port`: on a SERVER span of the authority that the client asked for, on a
    /// CLIENT span of the request's authority.
    #[inline]
    pub(super) fn describe_server(&self, writer: &mut AttributeWriter<'_>, servers: &LastServers) {
        let authority = match writer.side.kind {
            SpanKind::Server => self.host,
            SpanKind::Client => self.authority,
        };
        if authority.is_empty() {
            return;
        }
        let default_port = match self.scheme {
            b"http" => Some(80),
            b"https" => Some(443),
            _ => None,
        };
        servers.describe(writer, authority, default_port, |writer| {
            let (address, port) = split_authority(authority);
            writer.text(AttributeKey::ServerAddress, address);
            if let Some(port) = port.map_or(default_port, number::parse) {
                writer.number(AttributeKey::ServerPort, i64::from(port));
            }
        });
    }

    #[inline]
    fn write_target(&self, out: &mut Vec<u8>, vocabulary: NameSet) {
        if vocabulary.omits(AttributeKey::Path) {
            return;
        }
        out.extend_from_slice(self.path);
        if let Some(query) = self
            .query
            .filter(|_| !vocabulary.omits(AttributeKey::Query))
        {
            out.push(b'?');
            out.extend_from_slice(&self.redacted(query));
        }
    }

    #[inline]
    fn redacted<'q>(&self, query: &'q [u8]) -> Cow<'q, [u8]> {
        let is_secret = |pair: &[u8]| {
            let key = key_of(pair);
            key.len() < pair.len()
                && (is_secret_key(key)
                    || self.secrets.iter().any(|secret| secret.as_bytes() == key))
        };
        if !scan::split(query, b'&').any(is_secret) {
            return Cow::Borrowed(query);
        }
        let mut out = Vec::with_capacity(query.len());
        for (index, pair) in scan::split(query, b'&').enumerate() {
            if index > 0 {
                out.push(b'&');
            }
            if is_secret(pair) {
                out.extend_from_slice(key_of(pair));
                out.extend_from_slice(b"=REDACTED");
            } else {
                out.extend_from_slice(pair);
            }
        }
        Cow::Owned(out)
    }
}

#[inline]
fn key_of(pair: &[u8]) -> &[u8] {
    scan::first_part(pair, b'=')
}

/// Returns true for a key of the conventions' own list (`url.query`), with the two keys that were added to the list after
/// 1.44.0.
#[inline]
fn is_secret_key(key: &[u8]) -> bool {
    matches!(
        key,
        b"AWSAccessKeyId"
            | b"Signature"
            | b"X-Amz-Credential"
            | b"X-Amz-Security-Token"
            | b"X-Amz-Signature"
            | b"X-Goog-Signature"
            | b"sig"
    )
}
