//! `jaeger.storage.v2`, which Jaeger 2 speaks: `TraceReader` and `DependencyReader`. What writes is OTLP's own service, which
//! every address has.

use http::{Request, Response};
use hyper::body::Incoming;
use opentelemetry_proto::tonic::trace::v1::TracesData;
use tonic::Status;
use tonic::body::Body;

use super::call::{Pieces, failure, streamed, unary};
use super::chunks::chunks;
use super::time::Time;
use super::v2_messages::{
    Dependency, FindTraceIdsResponse, FindTracesRequest, FoundTraceId, GetDependenciesRequest,
    GetDependenciesResponse, GetOperationsRequest, GetOperationsResponse, GetServicesRequest,
    GetServicesResponse, GetTracesRequest, Operation, TraceQueryParameters,
};
use crate::jaeger::dependencies::{BACKWARDS, between};
use crate::jaeger::operations::operations_of;
use crate::jaeger::search::{Search, SearchError};
use crate::jaeger::value::text_of;
use crate::store::Store;

/// Answers a call of a method: its service and name.
pub(super) async fn serve(
    store: Store,
    method: &str,
    request: Request<Incoming>,
) -> Response<Body> {
    match method {
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

async fn find_traces(
    store: Store,
    wanted: FindTracesRequest,
) -> Result<Pieces<TracesData>, Status> {
    let ids = found(&store, wanted).await?;
    Ok(Pieces::of(store, ids, chunks))
}

async fn get_traces(store: Store, wanted: GetTracesRequest) -> Result<Pieces<TracesData>, Status> {
    let ids = wanted
        .query
        .iter()
        .map(|it| it.trace_id.as_slice().try_into());
    let ids = ids.collect::<Result<Vec<[u8; 16]>, _>>();
    let ids = ids.map_err(|_| Status::invalid_argument("expected trace ids of 16 bytes"))?;
    Ok(Pieces::of(store, ids, chunks))
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
        from: query.start_time_min.and_then(|it| it.as_time()),
        to: query.start_time_max.and_then(|it| it.as_time()),
        shortest: nanos(query.duration_min),
        longest: nanos(query.duration_max),
        limit: i64::from(query.search_depth),
        service: query.service_name,
        operation: query.operation_name,
    }
}

const UNKNOWN: &str = "this sink serves TraceReader and DependencyReader of jaeger.storage.v2";
