//! The destination of a gRPC call: a serialised `envoy.config.core.v3.GrpcService`, or else the name of a cluster.
//!
//! Envoy tries the message first, so that a name that happens to be a message (`mimir`: a field 13 of four bytes) is one
//! without a destination, which ends Envoy 1.40 with an abort.

use prost::Message;

use crate::abi_types::{Answer, Status, refuse};
use crate::headers::Headers;
use crate::settings::Clusters;

/// The fields of `envoy.config.core.v3.GrpcService` that say where a call goes and with what headers.
#[derive(Clone, PartialEq, Message)]
struct GrpcService {
    #[prost(message, optional, tag = "1")]
    envoy_grpc: Option<EnvoyGrpc>,
    #[prost(message, optional, tag = "2")]
    google_grpc: Option<GoogleGrpc>,
    #[prost(message, repeated, tag = "5")]
    initial_metadata: Vec<HeaderValue>,
}

#[derive(Clone, PartialEq, Message)]
struct EnvoyGrpc {
    #[prost(string, tag = "1")]
    cluster_name: String,
    #[prost(string, tag = "2")]
    authority: String,
}

#[derive(Clone, PartialEq, Message)]
struct GoogleGrpc {
    #[prost(string, tag = "1")]
    target_uri: String,
}

#[derive(Clone, PartialEq, Message)]
struct HeaderValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// A destination that Envoy accepts.
pub(super) struct Destination {
    pub(super) cluster: String,
    /// The headers that the service adds to those of the guest.
    pub(super) initial_metadata: Headers,
    /// False if Envoy gives the call a token, and then finds no such cluster.
    pub(super) is_known: bool,
}

/// Reads a destination as Envoy does.
pub(super) fn destination(clusters: &Clusters, bytes: &[u8]) -> Answer<Destination> {
    let Ok(service) = GrpcService::decode(bytes) else {
        let cluster = String::from_utf8_lossy(bytes).into_owned();
        if !clusters.contains(&cluster) {
            let reason = format!(
                "`{cluster}` is neither a GrpcService nor a cluster. The Rust SDK returns this answer as an error"
            );
            return refuse(Status::ParseFailure, reason);
        }
        return Ok(Destination {
            cluster,
            initial_metadata: Headers::new(),
            is_known: true,
        });
    };
    let fields = service.initial_metadata.into_iter();
    let initial_metadata = fields.map(|field| (field.key, field.value)).collect();
    if let Some(envoy) = service.envoy_grpc {
        let is_known = clusters.contains(&envoy.cluster_name);
        return Ok(Destination {
            cluster: envoy.cluster_name,
            initial_metadata,
            is_known,
        });
    }
    if let Some(google) = service.google_grpc {
        return Ok(Destination {
            cluster: google.target_uri,
            initial_metadata,
            is_known: true,
        });
    }
    let name = String::from_utf8_lossy(bytes);
    refuse(
        Status::InternalFailure,
        format!(
            "`{name}` can be read as a GrpcService without a destination, and Envoy 1.40 aborts on it, with all its \
             streams: give a serialised GrpcService in place of the name of this cluster"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<(String, bool), Status> {
        let clusters = Clusters::Named(["collector".to_owned()].into());
        let found = destination(&clusters, bytes);
        found
            .map(|found| (found.cluster, found.is_known))
            .map_err(|failure| match failure {
                crate::abi_types::Failure::Status(status, _) => status,
                crate::abi_types::Failure::Trap(trap) => panic!("{trap}"),
            })
    }

    #[test]
    fn takes_a_message_before_a_name() {
        for (bytes, expected) in [
            (&b"collector"[..], Ok(("collector".to_owned(), true))),
            (b"nobody", Err(Status::ParseFailure)),
            (
                b"\x0a\x0b\x0a\x09collector",
                Ok(("collector".to_owned(), true)),
            ),
            (b"\x0a\x04\x0a\x02no", Ok(("no".to_owned(), false))),
            (b"\x12\x04\x0a\x02go", Ok(("go".to_owned(), true))),
            (b"mimir", Err(Status::InternalFailure)),
            (b"", Err(Status::InternalFailure)),
        ] {
            assert_eq!(read(bytes), expected, "{}", bytes.escape_ascii());
        }
    }
}
