//! OTLP/gRPC. The bytes of a message go as they are, so that fields of later versions pass.

use std::error::Error;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{Extensions, Response, StatusCode};
use hyper::body::{Buf, Bytes};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use prost::bytes::BufMut;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use tower::ServiceExt;
use tower::util::MapResponse;

use super::answer::{Answer, printable};
use super::destination::Destination;
use super::short_answer::{LongAnswer, ShortAnswer};

/// A client of one gRPC server. It connects when it sends, and again after a connection has broken.
#[derive(Clone, Debug)]
pub(super) struct GrpcSender {
    client: Grpc<MapResponse<Channel, Answered>>,
    metadata: MetadataMap,
}

impl GrpcSender {
    pub(super) fn new(
        destination: &Destination,
        connect: Duration,
    ) -> Result<Self, tonic::transport::Error> {
        let mut endpoint = Endpoint::from_shared(destination.origin())?
            .user_agent(concat!("sidespan-sink/", env!("CARGO_PKG_VERSION")))?
            .connect_timeout(connect)
            // A peer that has gone without a word is noticed while a request waits.
            .http2_keep_alive_interval(connect)
            .keep_alive_timeout(connect);
        if destination.is_tls {
            let tls = ClientTlsConfig::new();
            endpoint = endpoint.tls_config(match &destination.authorities {
                Some(pem) => tls.ca_certificate(Certificate::from_pem(pem)),
                None => tls.with_native_roots(),
            })?;
        }
        let channel = endpoint.connect_lazy().map_response(answered as Answered);
        let mut client = Grpc::new(channel).accept_compressed(CompressionEncoding::Gzip);
        if destination.gzip {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        Ok(Self {
            client,
            metadata: MetadataMap::from_headers(destination.headers.clone()),
        })
    }

    pub(super) async fn send(&self, body: Bytes) -> Answer {
        let mut client = self.client.clone();
        if let Err(error) = client.ready().await {
            return Answer::absent(&error);
        }
        let request = Request::from_parts(self.metadata.clone(), Extensions::default(), body);
        let path = PathAndQuery::from_static(EXPORT);
        match client.unary(request, path, Raw).await {
            Ok(response) => Answer::success(response.into_inner()),
            Err(status) => meaning(&status),
        }
    }
}

type Answered = fn(Response<Body>) -> Response<Body>;

/// Returns the answer of a server that does not speak gRPC, as a gateway that has no backend, as gRPC's document on HTTP
/// statuses has it; tonic would read its text as a message, and call it an internal error.
fn answered(response: Response<Body>) -> Response<Body> {
    let status = response.status();
    if status == StatusCode::OK || response.headers().contains_key("grpc-status") {
        return response.map(|body| Body::new(ShortAnswer::new(body)));
    }
    let code = match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    };
    Status::new(code, format!("HTTP {status}")).into_http()
}

/// Returns what a status means.
fn meaning(status: &Status) -> Answer {
    // Only a failure of this side has a cause in it: then the server has said nothing.
    if let Some(cause) = status.source() {
        return match cause.downcast_ref::<LongAnswer>() {
            // Only what a server has taken is answered with a message.
            Some(long) => Answer::Taken {
                rejected: 0,
                message: long.to_string(),
            },
            None => Answer::absent(cause),
        };
    }
    let cause = format!("gRPC {:?}: {}", status.code(), printable(status.message()));
    let info = status.get_details_retry_info();
    let after = info.as_ref().and_then(|info| info.retry_delay);
    match status.code() {
        // What servers of tonic say of a message over their limit, which never becomes smaller.
        Code::OutOfRange if status.message().contains("message length too large") => {
            Answer::Refused { cause }
        }
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => Answer::Again { after, cause },
        // Without a RetryInfo the message itself is too much.
        Code::ResourceExhausted if info.is_some() => Answer::Again { after, cause },
        _ => Answer::Refused { cause },
    }
}

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Sends bytes as they are, and reads the response. A response that cannot be read is that of a server that has the spans.
#[derive(Clone, Copy, Debug)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = ExportTraceServiceResponse;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, body: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(body);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = ExportTraceServiceResponse;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Status> {
        let bytes = from.copy_to_bytes(from.remaining());
        Ok(Some(Message::decode(bytes).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::ErrorDetails;

    #[test]
    fn codes_mean_what_the_specification_says() {
        let again = [1, 4, 10, 11, 14, 15];
        for code in 1..=16 {
            let found = meaning(&Status::new(Code::from(code), "why"));
            let is_again =
                matches!(&found, Answer::Again { after: None, cause } if cause.ends_with(": why"));
            assert_eq!(is_again, again.contains(&code), "{code}: {found:?}");
            assert_eq!(!is_again, matches!(found, Answer::Refused { .. }));
        }
        for code in [Code::ResourceExhausted, Code::Unavailable] {
            let delay = Some(Duration::from_millis(1_500));
            let details = ErrorDetails::with_retry_info(delay);
            let status = Status::with_error_details(code, "later", details);
            let found = meaning(&status);
            assert!(
                matches!(&found, Answer::Again { after, .. } if *after == delay),
                "{found:?}"
            );
        }
    }
}
