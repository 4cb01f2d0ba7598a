//! OTLP in JSON: requests as `opentelemetry-proto` reads them, and the exact answers of proto3's JSON.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use serde_json::{Map, json};

/// Reads a request.
///
/// # Errors
/// When the text is no JSON, or no request.
pub(crate) fn read_request(json: &[u8]) -> serde_json::Result<ExportTraceServiceRequest> {
    serde_json::from_slice(json)
}

/// Writes an answer, with the count of rejected spans as text because it has 64 bits.
pub(crate) fn write_response(response: &ExportTraceServiceResponse) -> Vec<u8> {
    let mut answer = Map::new();
    if let Some(partial) = &response.partial_success {
        let mut fields = Map::new();
        if partial.rejected_spans != 0 {
            let count = partial.rejected_spans.to_string();
            fields.insert("rejectedSpans".into(), json!(count));
        }
        if !partial.error_message.is_empty() {
            fields.insert("errorMessage".into(), json!(partial.error_message));
        }
        answer.insert("partialSuccess".into(), fields.into());
    }
    serde_json::Value::from(answer).to_string().into_bytes()
}
