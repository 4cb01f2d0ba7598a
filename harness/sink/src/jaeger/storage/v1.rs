//! `jaeger.storage.v1`, which Jaeger 1 speaks: readers, a writer whose spans are kept as OTLP, and what the sink can.
//!
//! Each written span is answered when it is kept. The writer that streams is not offered: it answers nothing until it ends,
//! and what is lost on the way is told to nobody.

use http::{Request, Response};
use hyper::body::Incoming;
use tonic::Status;
use tonic::body::Body;

use super::call::{Pieces, failure, streamed, unary};
use super::from_model::request as exported;
use super::model::DependencyLink;
use super::time::Time;
use super::to_model::pieces;
use super::v1_messages::{
    CapabilitiesResponse, FindTraceIdsResponse, FindTracesRequest, GetDependenciesRequest,
    GetDependenciesResponse, GetOperationsRequest, GetOperationsResponse, GetServicesResponse,
    GetTraceRequest, Nothing, Operation, SpansResponseChunk, TraceQueryParameters,
    WriteSpanRequest,
};
use crate::jaeger::dependencies::{BACKWARDS, between};
use crate::jaeger::operations::operations_of;
use crate::jaeger::search::{Search, SearchError};
use crate::store::{SpanBatch, Store};

/// Answers a call of a method: its service and name. `kept` is called when a written span is kept.
pub(super) async fn serve(
    store: Store,
    method: &str,
    request: Request<Incoming>,
    kept: impl FnOnce() + Send + 'static,
) -> Response<Body> {
    match method {
        "SpanReaderPlugin/GetTrace" => {
            streamed(request, move |wanted| get_trace(store, wanted)).await
        }
        "SpanReaderPlugin/FindTraces" => {
            streamed(request, move |wanted| find_traces(store, wanted)).await
        }
        "SpanReaderPlugin/FindTraceIDs" => {
            unary(request, move |wanted| find_ids(store, wanted)).await
        }
        "SpanReaderPlugin/GetServices" => {
            unary(request, move |wanted| services(store, wanted)).await
        }
        "SpanReaderPlugin/GetOperations" => {
            unary(request, move |wanted| operations(store, wanted)).await
        }
        "DependenciesReaderPlugin/GetDependencies" => {
            unary(request, move |wanted| dependencies(store, wanted)).await
        }
        "SpanWriterPlugin/WriteSpan" => unary(request, move |span| write(store, span, kept)).await,
        "SpanWriterPlugin/Close" => unary(request, async |_: Nothing| Ok(Nothing {})).await,
        "PluginCapabilities/Capabilities" => {
            let answer = CapabilitiesResponse {
                streaming_span_writer: false,
            };
            unary(request, async move |_: Nothing| Ok(answer)).await
        }
        _ => Status::unimplemented(UNKNOWN).into_http(),
    }
}

async fn write(
    store: Store,
    wanted: WriteSpanRequest,
    kept: impl FnOnce() + Send + 'static,
) -> Result<Nothing, Status> {
    let Some(span) = wanted.span else {
        return Err(Status::invalid_argument("expected a span"));
    };
    let batch = SpanBatch::from_request(&exported(span));
    if let (_, Some(reason)) = batch.invalid() {
        store.count(|counts| counts.invalid += 1);
        return Err(Status::invalid_argument(reason));
    }
    let inserted = store.insert(batch, move |_| kept()).await;
    let inserted = inserted.map_err(|refused| Status::unavailable(refused.to_string()))?;
    match inserted.reason {
        Some(reason) => Err(Status::resource_exhausted(reason)),
        None => Ok(Nothing {}),
    }
}

async fn services(store: Store, _: Nothing) -> Result<GetServicesResponse, Status> {
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
    let dependencies = found.into_iter().map(|it| DependencyLink {
        parent: it.parent,
        child: it.child,
        call_count: it.call_count,
        source: String::new(),
    });
    Ok(GetDependenciesResponse {
        dependencies: dependencies.collect(),
    })
}

async fn get_trace(
    store: Store,
    wanted: GetTraceRequest,
) -> Result<Pieces<SpansResponseChunk>, Status> {
    let id = wanted.trace_id.as_slice().try_into();
    let id = id.map_err(|_| Status::invalid_argument("expected a trace id of 16 bytes"))?;
    let summary = store.summary(id).await.map_err(|failed| failure(&failed))?;
    match summary {
        Some(_) => Ok(Pieces::of(store, vec![id], pieces)),
        // Jaeger goes by these words.
        None => Err(Status::not_found("trace not found")),
    }
}

async fn find_traces(
    store: Store,
    wanted: FindTracesRequest,
) -> Result<Pieces<SpansResponseChunk>, Status> {
    let ids = found(&store, wanted).await?;
    Ok(Pieces::of(store, ids, pieces))
}

async fn find_ids(store: Store, wanted: FindTracesRequest) -> Result<FindTraceIdsResponse, Status> {
    let ids = found(&store, wanted).await?;
    Ok(FindTraceIdsResponse {
        trace_ids: ids.iter().map(|id| id.to_vec()).collect(),
    })
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
    Search {
        service: query.service_name,
        operation: query.operation_name,
        tags: query.tags.into_iter().collect(),
        from: query.start_time_min.and_then(|it| it.as_time()),
        to: query.start_time_max.and_then(|it| it.as_time()),
        shortest: nanos(query.duration_min),
        longest: nanos(query.duration_max),
        limit: i64::from(query.num_traces),
    }
}

const UNKNOWN: &str = "this sink serves SpanReaderPlugin, DependenciesReaderPlugin, SpanWriterPlugin and PluginCapabilities of jaeger.storage.v1";
