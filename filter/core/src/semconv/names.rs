//! The names of attributes, by OpenTelemetry's semantic conventions, stable and old, and the attributes that are left
//! out.
//!
//! *Stable* are the conventions 1.44.0, with those for RPC by its release candidate. *Old* are HTTP's of 1.20 and RPC's
//! of 1.37, which backends and dashboards still ask for; *both* is for the time in between (OpenTelemetry, "HTTP
//! semantic convention stability migration"). Attributes without an old name, `error.type` for example, are not written
//! under the old conventions.
//!
//! | stable | old, SERVER | old, CLIENT |
//! |---|---|---|
//! | `http.request.method`, `http.response.status_code` | `http.method`, `http.status_code` | the same |
//! | `url.scheme`; `url.path` and `url.query`; `url.full` | `http.scheme`; `http.target`; | ; ; `http.url` |
//! | `server.address`, `server.port` | `net.host.name`, `net.host.port` | `net.peer.name`, `net.peer.port` |
//! | `client.address` | `http.client_ip` | |
//! | `network.peer.address`, `network.peer.port` | `net.sock.peer.addr`, `net.sock.peer.port` | the same |
//! | `service.peer.name` | | `peer.service` |
//! | `network.protocol.version` | `net.protocol.version` | |
//! | `http.request.resend_count` | | `http.resend_count` |
//! | `rpc.system.name`, `rpc.method`, `rpc.response.status_code` | `rpc.system`, `rpc.service` and `rpc.method`, `rpc.grpc.status_code` | the same |

use strum::{VariantArray, VariantNames};

use super::known_text::KnownText;
use super::settings::{Conventions, Spans};
use crate::span::SpanKind;
use crate::span::attributes::Attributes;
use crate::span::encoded_key::EncodedKey;

/// An attribute that the filter writes by itself, by its stable name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray, VariantNames)]
pub(crate) enum AttributeKey {
    #[strum(serialize = "http.request.method")]
    Method,
    #[strum(serialize = "http.request.method_original")]
    MethodOriginal,
    #[strum(serialize = "url.path")]
    Path,
    #[strum(serialize = "url.query")]
    Query,
    #[strum(serialize = "url.scheme")]
    Scheme,
    #[strum(serialize = "url.full")]
    FullUrl,
    #[strum(serialize = "url.template")]
    Template,
    #[strum(serialize = "http.route")]
    Route,
    #[strum(serialize = "server.address")]
    ServerAddress,
    #[strum(serialize = "server.port")]
    ServerPort,
    #[strum(serialize = "client.address")]
    ClientAddress,
    #[strum(serialize = "network.peer.address")]
    PeerAddress,
    #[strum(serialize = "network.peer.port")]
    PeerPort,
    #[strum(serialize = "service.peer.name")]
    PeerService,
    #[strum(serialize = "service.peer.namespace")]
    PeerNamespace,
    #[strum(serialize = "network.protocol.version")]
    ProtocolVersion,
    #[strum(serialize = "user_agent.original")]
    UserAgent,
    #[strum(serialize = "http.response.status_code")]
    StatusCode,
    #[strum(serialize = "error.type")]
    ErrorType,
    #[strum(serialize = "http.request.resend_count")]
    ResendCount,
    #[strum(serialize = "rpc.system.name")]
    RpcSystem,
    #[strum(serialize = "rpc.method")]
    RpcMethod,
    #[strum(serialize = "rpc.method_original")]
    RpcMethodOriginal,
    #[strum(serialize = "rpc.response.status_code")]
    RpcStatus,
    #[strum(serialize = "istio.canonical_service")]
    CanonicalService,
    #[strum(serialize = "istio.canonical_revision")]
    CanonicalRevision,
    #[strum(serialize = "istio.mesh_id")]
    MeshId,
    #[strum(serialize = "istio.namespace")]
    Namespace,
    #[strum(serialize = "istio.cluster_id")]
    ClusterId,
}

impl AttributeKey {
    /// All attributes, in the order of their declaration.
    pub(crate) const ALL: [Self; <Self as VariantArray>::VARIANTS.len()] =
        *<Self as VariantArray>::VARIANTS.as_array().unwrap();

    /// Returns the stable name.
    #[inline]
    pub(crate) fn name(self) -> &'static str {
        <Self as VariantNames>::VARIANTS
            .get(self as usize)
            .copied()
            .unwrap_or_default()
    }

    /// Returns the stable name, encoded.
    #[inline]
    fn encoded(self) -> Option<&'static EncodedKey> {
        ENCODED.get(self as usize)
    }

    /// Returns the old names, of whichever kind of span.
    #[inline]
    pub(crate) fn old_names(self) -> &'static [&'static str] {
        match self {
            Self::Method => &["http.method"],
            Self::Path => &["http.target"],
            Self::Scheme => &["http.scheme"],
            Self::FullUrl => &["http.url"],
            Self::ServerAddress => &["net.host.name", "net.peer.name"],
            Self::ServerPort => &["net.host.port", "net.peer.port"],
            Self::ClientAddress => &["http.client_ip"],
            Self::PeerAddress => &["net.sock.peer.addr"],
            Self::PeerPort => &["net.sock.peer.port"],
            Self::PeerService => &["peer.service"],
            Self::ProtocolVersion => &["net.protocol.version"],
            Self::StatusCode => &["http.status_code"],
            Self::ResendCount => &["http.resend_count"],
            Self::RpcSystem => &["rpc.system"],
            Self::RpcMethod => &["rpc.service"],
            Self::RpcStatus => &["rpc.grpc.status_code"],
            _ => &[],
        }
    }

    /// Returns the attribute with this name, stable or old.
    #[inline]
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|key| key.name() == name || key.old_names().contains(&name))
    }

    /// Returns the old name on a span of this side: the stable name where it did not change, `None` where there was no
    /// name.
    #[inline]
    fn old_name(self, side: SpanSide) -> Option<&'static str> {
        match self {
            Self::Route
            | Self::UserAgent
            | Self::CanonicalService
            | Self::CanonicalRevision
            | Self::MeshId
            | Self::Namespace
            | Self::ClusterId => Some(self.name()),
            // RPC's conventions of 1.37 have the names that HTTP's have now.
            Self::ServerAddress | Self::ServerPort | Self::PeerAddress | Self::PeerPort
                if side.is_rpc =>
            {
                Some(self.name())
            }
            Self::ServerAddress | Self::ServerPort => {
                let at = usize::from(side.kind == SpanKind::Client);
                self.old_names().get(at).copied()
            }
            // Attributes with one old name for two attributes, another type of value, or another meaning; their writers
            // write the old name.
            Self::Path | Self::Query | Self::RpcMethod | Self::RpcStatus => None,
            _ => self.old_names().first().copied(),
        }
    }

    #[inline]
    fn bit(self) -> u64 {
        1_u64.wrapping_shl(self as u32)
    }
}

/// The conventions that are used, and the attributes that are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameSet {
    pub(crate) is_stable: bool,
    pub(crate) is_old: bool,
    // One bit for each attribute that is left out, and for each that is written under its stable name.
    omitted: u64,
    stable: u64,
}

/// The kind and the protocol of a span, which old names depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanSide {
    pub(crate) kind: SpanKind,
    pub(crate) is_rpc: bool,
}

impl NameSet {
    /// Returns the configured names.
    #[inline]
    pub(crate) fn new(spans: &Spans) -> Self {
        let omitted = spans
            .omit
            .iter()
            .filter_map(|name| AttributeKey::named(name))
            .fold(0, |bits, key| bits | key.bit());
        let is_stable = spans.conventions != Conventions::Old;
        Self {
            is_stable,
            is_old: spans.conventions != Conventions::Stable,
            omitted,
            stable: if is_stable { !omitted } else { 0 },
        }
    }

    /// Returns true if this attribute is left out.
    #[inline]
    pub(crate) fn omits(self, key: AttributeKey) -> bool {
        self.omitted & key.bit() != 0
    }
}

/// A writer of attributes, under the names that are used.
pub(crate) struct AttributeWriter<'a> {
    pub(crate) vocabulary: NameSet,
    pub(crate) side: SpanSide,
    pub(crate) out: &'a mut Attributes,
}

impl AttributeWriter<'_> {
    #[inline]
    pub(crate) fn text(&mut self, key: AttributeKey, value: &[u8]) {
        if let Some(stable) = self.stable(key) {
            self.out.own_text(stable, value);
        }
        if self.vocabulary.is_old
            && let Some(old) = self.old(key)
        {
            self.out.text(old, value);
        }
    }

    #[inline]
    pub(crate) fn known(&mut self, key: AttributeKey, text: &'static KnownText) {
        if self.vocabulary.is_old {
            self.text(key, text.value.as_bytes());
        } else if !self.vocabulary.omits(key) {
            self.out.whole_text(&text.encoded);
        }
    }

    #[inline]
    pub(crate) fn number(&mut self, key: AttributeKey, value: i64) {
        if let Some(stable) = self.stable(key) {
            self.out.own_number(stable, value);
        }
        if self.vocabulary.is_old
            && let Some(old) = self.old(key)
        {
            self.out.number(old, value);
        }
    }

    /// Returns the stable name, where it is written.
    #[inline]
    fn stable(&self, key: AttributeKey) -> Option<&'static EncodedKey> {
        let is_written = self.vocabulary.stable & key.bit() != 0;
        is_written.then(|| key.encoded()).flatten()
    }

    /// Returns the old name, where old names are written and this one is another.
    #[cold]
    fn old(&self, key: AttributeKey) -> Option<&'static str> {
        if self.vocabulary.omits(key) {
            return None;
        }
        let old = key.old_name(self.side)?;
        (!self.vocabulary.is_stable || old != key.name()).then_some(old)
    }
}

/// The stable names, encoded, in the order of declaration.
static ENCODED: [EncodedKey; AttributeKey::ALL.len()] = {
    let mut all = [const { EncodedKey::new("") }; AttributeKey::ALL.len()];
    let (mut places, mut rest) = (all.as_mut_slice(), <AttributeKey as VariantNames>::VARIANTS);
    while let ([place, places_left @ ..], [name, names_left @ ..]) = (places, rest) {
        *place = EncodedKey::new(name);
        (places, rest) = (places_left, names_left);
    }
    all
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_key_by_each_of_its_names() {
        for key in AttributeKey::ALL {
            assert_eq!(AttributeKey::named(key.name()), Some(key));
            assert_eq!(key.encoded().unwrap().name(), key.name());
            for old in key.old_names() {
                assert_eq!(AttributeKey::named(old), Some(key), "{old}");
            }
        }
        assert_eq!(AttributeKey::named("http.flavor"), None);
    }
}
