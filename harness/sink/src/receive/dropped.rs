//! Logs and metrics: their records are counted, and no message is made of them.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::media::Media;
use super::refusal::Refusal;
use super::signal::Signal;

/// The numbers of the fields that lead from a request to a log record: resource, scope, record.
const LOG_RECORDS: [&[u32]; 3] = [&[1], &[2], &[2]];
/// The numbers of the fields that lead from a request to a data point: resource, scope, metric, the five kinds of data,
/// data point.
const DATA_POINTS: [&[u32]; 5] = [&[1], &[2], &[2], &[5, 7, 9, 10, 11], &[1]];

/// Counts the log records or data points of a request.
///
/// # Errors
/// A refusal, when the request is broken.
pub(crate) fn count(signal: Signal, media: Media, body: &[u8]) -> Result<u64, Refusal> {
    match media {
        Media::Json => count_json(signal, body).map_err(|e| Refusal::broken(e.to_string())),
        Media::Protobuf => {
            let path = match signal {
                Signal::Metrics => &DATA_POINTS[..],
                _ => &LOG_RECORDS[..],
            };
            count_fields(body, path).map_err(Refusal::broken)
        }
    }
}

fn count_fields(mut message: &[u8], path: &[&[u32]]) -> Result<u64, String> {
    let Some((wanted, deeper)) = path.split_first() else {
        return Ok(1);
    };
    let broken = |error: prost::DecodeError| error.to_string();
    let mut count = 0;
    while !message.is_empty() {
        let (number, kind) = decode_key(&mut message).map_err(broken)?;
        if kind != WireType::LengthDelimited || !wanted.contains(&number) {
            skip_field(kind, number, &mut message, DecodeContext::default()).map_err(broken)?;
            continue;
        }
        let length = decode_varint(&mut message).map_err(broken)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some((value, rest)) = message.split_at_checked(length) else {
            return Err("failed to decode Protobuf message: buffer underflow".into());
        };
        message = rest;
        count += count_fields(value, deeper)?;
    }
    Ok(count)
}

/// A list whose elements may be of no interest, and may be absent or `null`.
type List<T> = Option<Vec<T>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Logs {
    resource_logs: List<ResourceLogs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogs {
    scope_logs: List<ScopeLogs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogs {
    log_records: List<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    resource_metrics: List<ResourceMetrics>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceMetrics {
    scope_metrics: List<ScopeMetrics>,
}

#[derive(Deserialize)]
struct ScopeMetrics {
    metrics: List<Metric>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric {
    gauge: Option<Data>,
    sum: Option<Data>,
    histogram: Option<Data>,
    exponential_histogram: Option<Data>,
    summary: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    data_points: List<IgnoredAny>,
}

fn count_json(signal: Signal, body: &[u8]) -> serde_json::Result<u64> {
    let count = if signal == Signal::Metrics {
        let request: Metrics = serde_json::from_slice(body)?;
        let resources = request.resource_metrics.into_iter().flatten();
        let scopes = resources.flat_map(|it| it.scope_metrics.into_iter().flatten());
        let metrics = scopes.flat_map(|it| it.metrics.into_iter().flatten());
        metrics
            .flat_map(|it| {
                let data = [
                    it.gauge,
                    it.sum,
                    it.histogram,
                    it.exponential_histogram,
                    it.summary,
                ];
                data.into_iter().flatten()
            })
            .map(|data| data.data_points.unwrap_or_default().len())
            .sum::<usize>()
    } else {
        let request: Logs = serde_json::from_slice(body)?;
        let resources = request.resource_logs.into_iter().flatten();
        let scopes = resources.flat_map(|it| it.scope_logs.into_iter().flatten());
        scopes
            .map(|it| it.log_records.unwrap_or_default().len())
            .sum()
    };
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
    use opentelemetry_proto::tonic::metrics::v1::{
        ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint,
        Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint,
        metric::Data,
    };
    use prost::Message;

    use super::*;

    fn logs() -> ExportLogsServiceRequest {
        let scope = |records| ScopeLogs {
            log_records: vec![LogRecord::default(); records],
            ..ScopeLogs::default()
        };
        ExportLogsServiceRequest {
            resource_logs: vec![
                ResourceLogs {
                    scope_logs: vec![scope(2), scope(1)],
                    schema_url: "a schema".into(),
                    ..ResourceLogs::default()
                },
                ResourceLogs::default(),
            ],
        }
    }

    fn metrics() -> ExportMetricsServiceRequest {
        let data = [
            Data::Gauge(Gauge {
                data_points: vec![NumberDataPoint::default(); 2],
            }),
            Data::Sum(Sum {
                data_points: vec![NumberDataPoint::default()],
                aggregation_temporality: 2,
                is_monotonic: true,
            }),
            Data::Histogram(Histogram {
                data_points: vec![HistogramDataPoint::default()],
                aggregation_temporality: 2,
            }),
            Data::ExponentialHistogram(ExponentialHistogram {
                data_points: vec![ExponentialHistogramDataPoint::default()],
                aggregation_temporality: 2,
            }),
            Data::Summary(Summary {
                data_points: vec![SummaryDataPoint::default()],
            }),
        ];
        let metrics = data.map(|data| Metric {
            name: "one".into(),
            data: Some(data),
            ..Metric::default()
        });
        ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                scope_metrics: vec![ScopeMetrics {
                    metrics: metrics.into(),
                    ..ScopeMetrics::default()
                }],
                ..ResourceMetrics::default()
            }],
        }
    }

    #[test]
    fn counts_log_records_and_data_points_of_every_kind_in_both_encodings() {
        let (logs, metrics) = (logs(), metrics());
        let rows = [
            (
                Signal::Logs,
                logs.encode_to_vec(),
                serde_json::to_vec(&logs),
                3,
            ),
            (
                Signal::Metrics,
                metrics.encode_to_vec(),
                serde_json::to_vec(&metrics),
                6,
            ),
        ];
        for (signal, protobuf, json, expected) in rows {
            assert_eq!(count(signal, Media::Protobuf, &protobuf), Ok(expected));
            assert_eq!(count(signal, Media::Json, &json.unwrap()), Ok(expected));
            assert_eq!(count(signal, Media::Protobuf, b""), Ok(0));
            assert_eq!(count(signal, Media::Json, b"{}"), Ok(0));
        }
        let nulls = br#"{"resourceLogs":[{"scopeLogs":null}]}"#;
        assert_eq!(count(Signal::Logs, Media::Json, nulls), Ok(0));
    }

    #[test]
    fn refuses_what_is_broken() {
        let whole = logs().encode_to_vec();
        for end in 1..whole.len() {
            // A message that ends between two fields is a whole one.
            let cut = count(Signal::Logs, Media::Protobuf, &whole[..end]);
            assert!(cut.is_err() || cut.is_ok_and(|count| count <= 3));
        }
        for broken in [&b"\xff\xff\xff"[..], b"\x0a\x05\x01"] {
            let refused = count(Signal::Metrics, Media::Protobuf, broken).unwrap_err();
            assert_eq!(refused.http.as_u16(), 400);
        }
        for broken in [&b"{"[..], b"[]x", b"{\"resourceLogs\":1}"] {
            assert!(count(Signal::Logs, Media::Json, broken).is_err());
        }
    }
}
