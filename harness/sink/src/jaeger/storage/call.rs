//! The calls of gRPC, with one answer or a stream of them.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use hyper::body::Incoming;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::Status;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::server::Grpc;
use tonic_prost::ProstCodec;
use tower::service_fn;

use crate::jaeger::sanitize::sanitize;
use crate::jaeger::search::read;
use crate::store::{Store, StoreError};

/// Answers a call that has one answer.
pub(super) async fn unary<M, R, F>(
    request: Request<Incoming>,
    answer: impl FnOnce(M) -> F + Send + 'static,
) -> Response<Body>
where
    M: Message + Default + 'static,
    R: Message + Default + 'static,
    F: Future<Output = Result<R, Status>> + Send + 'static,
{
    let mut answer = Some(answer);
    let service = service_fn(move |request: tonic::Request<M>| {
        let answer = answer.take().map(|answer| answer(request.into_inner()));
        async move {
            let answer = answer.ok_or_else(|| Status::internal(TWICE))?;
            answer.await.map(tonic::Response::new)
        }
    });
    grpc::<M, R>().unary(service, request).await
}

/// Answers a call whose answer is a stream.
pub(super) async fn streamed<M, T, F>(
    request: Request<Incoming>,
    answer: impl FnOnce(M) -> F + Send + 'static,
) -> Response<Body>
where
    M: Message + Default + 'static,
    T: Message + Default + Send + 'static,
    F: Future<Output = Result<Pieces<T>, Status>> + Send + 'static,
{
    let mut answer = Some(answer);
    let service = service_fn(move |request: tonic::Request<M>| {
        let answer = answer.take().map(|answer| answer(request.into_inner()));
        async move {
            let answer = answer.ok_or_else(|| Status::internal(TWICE))?;
            answer.await.map(tonic::Response::new)
        }
    });
    grpc::<M, T>().server_streaming(service, request).await
}

fn grpc<M, R>() -> Grpc<ProstCodec<R, M>>
where
    M: Message + Default + 'static,
    R: Message + Default + 'static,
{
    Grpc::new(ProstCodec::default())
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip)
}

/// The pieces of traces, which are made while they are read: the work belongs to the stream and ends with it.
pub(super) struct Pieces<T> {
    work: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    pieces: mpsc::Receiver<Result<T, Status>>,
}

impl<T: Send + 'static> Pieces<T> {
    /// Returns the pieces into which traces are cut; one that is not here has none.
    pub(super) fn of(
        store: Store,
        ids: Vec<[u8; 16]>,
        cut: fn(Vec<ResourceSpans>) -> Vec<T>,
    ) -> Self {
        let (sender, pieces) = mpsc::channel(1);
        Self {
            work: Some(Box::pin(send(store, ids, cut, sender))),
            pieces,
        }
    }
}

async fn send<T: Send + 'static>(
    store: Store,
    ids: Vec<[u8; 16]>,
    cut: fn(Vec<ResourceSpans>) -> Vec<T>,
    pieces: mpsc::Sender<Result<T, Status>>,
) {
    for id in ids {
        let cut = match read(&store, id).await {
            Err(failed) => vec![Err(failure(&failed))],
            Ok(None) => continue,
            Ok(Some(mut data)) => {
                sanitize(&mut data);
                cut(data).into_iter().map(Ok).collect()
            }
        };
        for piece in cut {
            let is_last = piece.is_err();
            if pieces.send(piece).await.is_err() || is_last {
                return;
            }
        }
    }
}

impl<T> Stream for Pieces<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(work) = &mut self.work
            && work.as_mut().poll(context).is_ready()
        {
            self.work = None;
        }
        self.pieces.poll_recv(context)
    }
}

/// Returns the status of a store that cannot be read.
pub(super) fn failure(failed: &StoreError) -> Status {
    log::error!("Jaeger's remote storage cannot answer: {failed}");
    Status::unavailable(failed.to_string())
}

const TWICE: &str = "a call has one answer";
