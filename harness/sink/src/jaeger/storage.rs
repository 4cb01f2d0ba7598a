//! Jaeger's remote storage, `jaeger.storage.v2`: the sink as the place where a Jaeger keeps and finds its spans.
//!
//! Here is what reads, `TraceReader` and `DependencyReader`. What writes is OTLP's own service, which every address has.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use hyper::body::Incoming;
use opentelemetry_proto::tonic::trace::v1::TracesData;
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::Status;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::server::Grpc;
use tonic_prost::ProstCodec;
use tower::service_fn;

use super::chunks::chunks;
use super::dependencies::{BACKWARDS, between};
use super::route::operations_of;
use super::sanitize::sanitize;
use super::search::{Search, SearchError, read};
use super::storage_messages::{
    Dependency, FindTraceIdsResponse, FindTracesRequest, FoundTraceId, GetDependenciesRequest,
    GetDependenciesResponse, GetOperationsRequest, GetOperationsResponse, GetServicesRequest,
    GetServicesResponse, GetTracesRequest, Operation, Time, TraceQueryParameters,
};
use super::value::text_of;
use crate::store::{Store, StoreError};

/// Returns true if a path of gRPC is of the remote storage.
pub(crate) fn is_of_storage(path: &str) -> bool {
    path.starts_with("/jaeger.storage.v2.")
}

/// Answers a call.
pub(crate) async fn serve(store: &Store, request: Request<Incoming>) -> Response<Body> {
    let store = store.clone();
    let path = request.uri().path().to_owned();
    match path.strip_prefix("/jaeger.storage.v2.").unwrap_or_default() {
        "TraceReader/GetTraces" => streamed(request, move |wanted| get_traces(store, wanted)).await,
        "TraceReader/FindTraces" => {
            streamed(request, move |wanted| find_traces(store, wanted)).await
        }
        "TraceReader/FindTraceIDs" => unary(request, move |wanted| find_ids(store, wanted)).await,
        "TraceReader/GetServices" => unary(request, move |wanted| services(store, wanted)).await,
        "TraceReader/GetOperations" => {
            unary(request, move |wanted| operations(store, wanted)).await
        }
        "DependencyReader/GetDependencies" => {
            unary(request, move |wanted| dependencies(store, wanted)).await
        }
        _ => Status::unimplemented(UNKNOWN).into_http(),
    }
}

async fn services(store: Store, _: GetServicesRequest) -> Result<GetServicesResponse, Status> {
    let services = store.services().await.map_err(|failed| failure(&failed))?;
    Ok(GetServicesResponse { services })
}

async fn operations(
    store: Store,
    wanted: GetOperationsRequest,
) -> Result<GetOperationsResponse, Status> {
    let found = operations_of(&store, &wanted.service, &wanted.span_kind).await;
    let found = found.map_err(|failed| failure(&failed))?;
    let operations = found.into_iter().map(|(name, kind)| Operation {
        name,
        span_kind: kind.to_owned(),
    });
    Ok(GetOperationsResponse {
        operations: operations.collect(),
    })
}

async fn dependencies(
    store: Store,
    wanted: GetDependenciesRequest,
) -> Result<GetDependenciesResponse, Status> {
    let from = wanted.start_time.map_or(i64::MIN, |it| it.as_nanos());
    let to = wanted.end_time.map_or(i64::MAX, |it| it.as_nanos());
    if to < from {
        return Err(Status::invalid_argument(BACKWARDS));
    }
    let found = between(&store, from, to).await;
    let found = found.map_err(|failed| failure(&failed))?;
    let dependencies = found.into_iter().map(|it| Dependency {
        parent: it.parent,
        child: it.child,
        call_count: it.call_count,
        source: String::new(),
    });
    Ok(GetDependenciesResponse {
        dependencies: dependencies.collect(),
    })
}

async fn find_ids(store: Store, wanted: FindTracesRequest) -> Result<FindTraceIdsResponse, Status> {
    let ids = found(&store, wanted).await?;
    let trace_ids = ids.iter().map(|id| FoundTraceId {
        trace_id: id.to_vec(),
        start: None,
        end: None,
    });
    Ok(FindTraceIdsResponse {
        trace_ids: trace_ids.collect(),
    })
}

async fn find_traces(store: Store, wanted: FindTracesRequest) -> Result<Pieces, Status> {
    let ids = found(&store, wanted).await?;
    Ok(Pieces::of(store, ids))
}

async fn get_traces(store: Store, wanted: GetTracesRequest) -> Result<Pieces, Status> {
    let ids = wanted
        .query
        .iter()
        .map(|it| it.trace_id.as_slice().try_into());
    let ids = ids.collect::<Result<Vec<[u8; 16]>, _>>();
    let ids = ids.map_err(|_| Status::invalid_argument("expected trace ids of 16 bytes"))?;
    Ok(Pieces::of(store, ids))
}

async fn found(store: &Store, wanted: FindTracesRequest) -> Result<Vec<[u8; 16]>, Status> {
    let search = search(wanted.query.unwrap_or_default());
    search.run(store).await.map_err(|error| match error {
        SearchError::Depth => Status::invalid_argument(error.to_string()),
        SearchError::Store(failed) => failure(&failed),
    })
}

fn search(query: TraceQueryParameters) -> Search {
    let nanos = |time: Option<Time>| time.map_or(0, |it| it.as_nanos());
    let tags = query.attributes.iter().map(|pair| {
        let value = pair.value.as_ref().and_then(|it| it.value.as_ref());
        (pair.key.clone(), text_of(value))
    });
    Search {
        tags: tags.collect(),
        from: query.start_time_min.map(|it| it.as_nanos()),
        // Go's zero of a time, which stands for none.
        to: query
            .start_time_max
            .filter(|it| it.seconds > ZERO_TIME)
            .map(|it| it.as_nanos()),
        shortest: nanos(query.duration_min),
        longest: nanos(query.duration_max),
        limit: i64::from(query.search_depth),
        service: query.service_name,
        operation: query.operation_name,
    }
}

fn failure(failed: &StoreError) -> Status {
    log::error!("Jaeger's remote storage cannot answer: {failed}");
    Status::unavailable(failed.to_string())
}

async fn unary<M, R, F>(
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

async fn streamed<M, F>(
    request: Request<Incoming>,
    answer: impl FnOnce(M) -> F + Send + 'static,
) -> Response<Body>
where
    M: Message + Default + 'static,
    F: Future<Output = Result<Pieces, Status>> + Send + 'static,
{
    let mut answer = Some(answer);
    let service = service_fn(move |request: tonic::Request<M>| {
        let answer = answer.take().map(|answer| answer(request.into_inner()));
        async move {
            let answer = answer.ok_or_else(|| Status::internal(TWICE))?;
            answer.await.map(tonic::Response::new)
        }
    });
    grpc::<M, TracesData>()
        .server_streaming(service, request)
        .await
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
struct Pieces {
    work: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    pieces: mpsc::Receiver<Result<TracesData, Status>>,
}

impl Pieces {
    fn of(store: Store, ids: Vec<[u8; 16]>) -> Self {
        let (sender, pieces) = mpsc::channel(1);
        Self {
            work: Some(Box::pin(send(store, ids, sender))),
            pieces,
        }
    }
}

async fn send(store: Store, ids: Vec<[u8; 16]>, pieces: mpsc::Sender<Result<TracesData, Status>>) {
    for id in ids {
        let cut = match read(&store, id).await {
            Err(failed) => vec![Err(failure(&failed))],
            Ok(None) => continue,
            Ok(Some(mut data)) => {
                sanitize(&mut data);
                chunks(data).into_iter().map(Ok).collect()
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

impl Stream for Pieces {
    type Item = Result<TracesData, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(work) = &mut self.work
            && work.as_mut().poll(context).is_ready()
        {
            self.work = None;
        }
        self.pieces.poll_recv(context)
    }
}

/// The seconds of Go's zero of a time, 0001-01-01.
const ZERO_TIME: i64 = -62_135_596_800;
const UNKNOWN: &str = "this sink serves TraceReader and DependencyReader of jaeger.storage.v2";
const TWICE: &str = "a call has one answer";
