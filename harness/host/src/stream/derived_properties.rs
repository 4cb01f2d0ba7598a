//! The properties that Envoy derives from a stream (`expr/context.cc`), and the moments at which Envoy knows them.
//!
//! A property from a header map exists only while the guest may read that map: `request.path` is gone as soon as the
//! request headers have passed, and is back in `proxy_on_log`.

use std::collections::BTreeMap;

use super::local_reply::grpc_status_of;
use super::state::Stream;
use crate::headers::Headers;
use crate::value::Value;

/// Returns the value that Envoy would derive for this path at this moment.
pub(crate) fn derive(stream: &Stream, path: &[&[u8]]) -> Option<Value> {
    match path {
        [b"request", name] => request(stream, name),
        // `host` is another name of `:authority` in Envoy.
        [b"request", b"headers", b"host"] => {
            joined(stream.visible_request_headers()?, b":authority")
        }
        [b"request", b"headers", name] => joined(stream.visible_request_headers()?, name),
        [b"response", name] => response(stream, name),
        [b"response", b"headers", name] => joined(stream.visible_response_headers()?, name),
        [b"response", b"trailers", name] => joined(stream.visible_response_trailers()?, name),
        [b"connection", b"mtls"] => Some(Value::Bool(false)),
        [b"connection", b"requested_server_name"] => Some("".into()),
        [b"connection", b"id"] | [b"connection_id"] => {
            Some(Value::Uint(u64::from(stream.id().context())))
        }
        [b"upstream", name] => upstream(stream, name),
        [b"xds", name] => xds(stream, name),
        [b"metadata"] => Some("".into()),
        [b"metadata", b"filter_metadata" | b"typed_filter_metadata"] => {
            Some(Value::Map(BTreeMap::new()))
        }
        [
            b"xds",
            name @ (b"listener_metadata"
            | b"route_metadata"
            | b"virtual_host_metadata"
            | b"cluster_metadata"),
            b"filter_metadata" | b"typed_filter_metadata",
        ] => xds(stream, name).map(|_| Value::Map(BTreeMap::new())),
        [b"xds", b"node", b"metadata"] => Some(Value::Map(BTreeMap::new())),
        _ => None,
    }
}

fn upstream(stream: &Stream, name: &[u8]) -> Option<Value> {
    match name {
        b"request_attempt_count" => Some(Value::Uint(u64::from(stream.has_upstream()))),
        b"num_endpoints" if !stream.is_connection() || stream.has_upstream() => {
            Some(Value::Uint(1))
        }
        b"transport_failure_reason" | b"locality" if stream.has_upstream() => Some("".into()),
        b"cx_pool_ready_duration" if stream.has_response() => Some(Value::nanos(0)),
        _ => None,
    }
}

/// Returns what Envoy knows of a configuration that names nothing: empty names, and messages without fields.
fn xds(stream: &Stream, name: &[u8]) -> Option<Value> {
    match name {
        b"listener_direction" => Some(Value::Int(0)),
        b"filter_chain_name" | b"listener_metadata" => Some("".into()),
        b"route_name" | b"route_metadata" | b"virtual_host_name" | b"virtual_host_metadata"
            if !stream.is_connection() =>
        {
            Some("".into())
        }
        b"cluster_metadata" if !stream.is_connection() || stream.has_upstream() => Some("".into()),
        // A host without metadata has no message at all, which nothing stands for.
        b"upstream_host_metadata" | b"upstream_host_locality_metadata" if stream.has_upstream() => {
            Some(Value::Null)
        }
        _ => None,
    }
}

fn request(stream: &Stream, name: &[u8]) -> Option<Value> {
    match name {
        b"time" => return Some(Value::nanos(stream.shown_start)),
        b"protocol" => return (!stream.is_connection()).then(|| "HTTP/1.1".into()),
        b"headers" => return Some(all(stream.visible_request_headers())),
        b"headers_bytes" => return Some(bytes(stream.visible_request_headers())),
        b"total_size" => {
            let headers = stream.visible_request_headers();
            let size = headers.map_or(0, Headers::byte_size) + stream.request().body_bytes();
            return Some(Value::count(size));
        }
        b"duration" => {
            return stream
                .completed
                .map(|end| Value::nanos(end.saturating_sub(stream.started)));
        }
        b"size" => {
            return size(
                stream.visible_request_headers(),
                stream.request().body_bytes(),
            );
        }
        _ => {}
    }
    let headers = stream.visible_request_headers()?;
    let path = headers.get(":path");
    match name {
        b"path" => path.map(Value::from),
        b"url_path" => path
            .and_then(|path| path.split(|byte| *byte == b'?').next())
            .map(Value::from),
        b"query" => Some(query(path.unwrap_or_default()).into()),
        b"host" => headers.get(":authority").map(Value::from),
        b"scheme" => headers.get(":scheme").map(Value::from),
        b"method" => headers.get(":method").map(Value::from),
        b"referer" => headers.get("referer").map(Value::from),
        b"useragent" => headers.get("user-agent").map(Value::from),
        b"id" => headers.get("x-request-id").map(Value::from),
        _ => None,
    }
}

fn response(stream: &Stream, name: &[u8]) -> Option<Value> {
    let headers = stream.visible_response_headers();
    match name {
        b"code" => stream.response_code().map(Value::Int),
        b"code_details" => stream.code_details().map(|details| details.as_str().into()),
        b"flags" => Some(Value::Int(stream.response_flags())),
        b"backend_latency" => backend_latency(stream).map(Value::nanos),
        b"grpc_status" => grpc_status(stream).map(Value::Int),
        b"size" => Some(Value::count(stream.sent_bytes())),
        b"headers" => Some(all(headers)),
        b"trailers" => Some(all(stream.visible_response_trailers())),
        b"headers_bytes" => Some(bytes(headers)),
        b"total_size" => {
            let trailers = stream
                .visible_response_trailers()
                .map_or(0, Headers::byte_size);
            let headers = headers.map_or(0, Headers::byte_size);
            Some(Value::count(headers + stream.sent_bytes() + trailers))
        }
        _ => None,
    }
}

/// Returns the time of the upstream, which Envoy knows once the last byte of its response has arrived. Here that is all of
/// the stream's.
fn backend_latency(stream: &Stream) -> Option<u64> {
    let is_received = stream.local_reply.is_none() && stream.response().end_of_stream;
    let end = stream.completed.unwrap_or(stream.started);
    is_received.then(|| end.saturating_sub(stream.started))
}

/// Returns a valid `content-length`, or else the number of bytes received; `None` for an invalid `content-length`.
fn size(headers: Option<&Headers>, received: usize) -> Option<Value> {
    match headers.and_then(|headers| headers.text("content-length")) {
        Some(length) => length.parse().ok().map(Value::Int),
        None => Some(Value::count(received)),
    }
}

fn query(path: &[u8]) -> Vec<u8> {
    let Some(mark) = path.iter().position(|byte| *byte == b'?') else {
        return Vec::new();
    };
    let query = &path[mark + 1..];
    let end = query
        .iter()
        .position(|byte| *byte == b'#')
        .unwrap_or(query.len());
    query[..end].to_vec()
}

fn joined(headers: &Headers, name: &[u8]) -> Option<Value> {
    headers.joined(name).map(Value::Bytes)
}

fn bytes(headers: Option<&Headers>) -> Value {
    Value::count(headers.map_or(0, Headers::byte_size))
}

/// Returns the map of all headers, empty while they are not visible.
fn all(headers: Option<&Headers>) -> Value {
    let Some(headers) = headers else {
        return Value::Map(BTreeMap::new());
    };
    let map: BTreeMap<Vec<u8>, Value> = headers
        .iter()
        .filter_map(|(name, _)| Some((name.to_vec(), joined(headers, name)?)))
        .collect();
    Value::Map(map)
}

/// Returns gRPC's status of the response, or else the one that stands for its HTTP status.
fn grpc_status(stream: &Stream) -> Option<i64> {
    let trailers = stream
        .visible_response_trailers()
        .and_then(|trailers| trailers.text("grpc-status"));
    let headers = || {
        stream
            .visible_response_headers()
            .and_then(|headers| headers.text("grpc-status"))
    };
    let sent = trailers.or_else(headers).and_then(|text| text.parse().ok());
    let of_http = |status| {
        u32::try_from(status)
            .ok()
            .map(grpc_status_of)
            .map(i64::from)
    };
    sent.or_else(|| stream.response_code().and_then(of_http))
}

#[cfg(test)]
mod tests {
    use super::query;

    #[test]
    fn cuts_the_query_at_the_fragment() {
        assert_eq!(query(b"/a?b=c#d"), b"b=c");
        assert_eq!(query(b"/a"), b"");
    }
}
