//! The search, each condition by itself and with others, against a plain filter over all spans.

use super::*;
use std::time::Duration;

async fn store() -> Store {
    let store = Store::open(Place::Memory, Limits::default()).unwrap();
    let mut seed = 7_u64;
    let mut next = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    for trace in 1..=60u8 {
        for service in ["cart", "shop", "stock"] {
            if next(3) == 0 {
                continue;
            }
            let span = Span {
                trace_id: vec![trace; 16],
                span_id: vec![u8::try_from(next(250)).unwrap() + 1; 8],
                name: format!("GET /{}", next(3)),
                kind: i32::try_from(next(4)).unwrap(),
                start_time_unix_nano: 1_000_000 + next(1_000_000),
                end_time_unix_nano: 2_000_000 + (1 << next(40)),
                attributes: vec![
                    pair(
                        "http.response.status_code",
                        Any::IntValue(i64::try_from(200 + next(3)).unwrap()),
                    ),
                    pair("user", Any::StringValue(format!("u{}", next(5)))),
                    pair("ok", Any::BoolValue(next(2) == 0)),
                ],
                status: Some(opentelemetry_proto::tonic::trace::v1::Status {
                    code: i32::try_from(next(3)).unwrap(),
                    ..Default::default()
                }),
                ..Span::default()
            };
            let batch = SpanBatch::from_request(&request(service, vec![span]));
            store.insert(batch, |_| ()).await.unwrap();
        }
    }
    store
}

/// Answers a query by looking at every span.
fn plain(spans: &[Arc<StoredSpan>], query: &Query) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => String::new(),
    };
    let has = |span: &StoredSpan, key: &str, value: &str| {
        let own = span.attribute(key).map(text);
        let of_resource = span.resource.attribute(key).map(text);
        own.as_deref() == Some(value) || of_resource.as_deref() == Some(value)
    };
    let mut newest: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    for span in spans {
        let duration = Duration::from_nanos(span.duration_nanos());
        let holds = query
            .service
            .as_deref()
            .is_none_or(|service| service == span.service())
            && query.name.as_deref().is_none_or(|name| name == span.name)
            && query.kind.is_none_or(|kind| kind == span.kind)
            && query.status.is_none_or(|status| status == span.status.code)
            && query.min_duration.is_none_or(|least| duration >= least)
            && query.max_duration.is_none_or(|most| duration <= most)
            && query
                .from_unix_nanos
                .is_none_or(|from| span.start_unix_nanos >= from)
            && query
                .to_unix_nanos
                .is_none_or(|to| span.start_unix_nanos <= to)
            && query
                .attributes
                .iter()
                .all(|(key, value)| has(span, key, value));
        if holds {
            let start = newest.entry(&span.trace_id).or_default();
            *start = span.start_unix_nanos.max(*start);
        }
    }
    let mut found: Vec<(u64, &str)> = newest.into_iter().map(|(id, start)| (start, id)).collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
        .into_iter()
        .take(query.limit)
        .map(|(_, id)| id.to_owned())
        .collect()
}

#[tokio::test]
async fn finds_what_a_look_at_every_span_finds_in_the_same_order() {
    let store = store().await;
    let (spans, ()) = store.all(|| ()).unwrap();
    let text = |value: &str| Some(value.to_owned());
    let micros = |micros| Some(Duration::from_micros(micros));
    let pairs = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    let one = Query::default;
    let queries = [
        Query {
            service: text("shop"),
            ..one()
        },
        Query {
            service: text("nobody"),
            ..one()
        },
        Query {
            name: text("GET /1"),
            ..one()
        },
        Query {
            kind: Some(SpanKind::Server),
            ..one()
        },
        Query {
            status: Some(StatusCode::Error),
            ..one()
        },
        Query {
            status: Some(StatusCode::Ok),
            ..one()
        },
        Query {
            min_duration: micros(5_000),
            ..one()
        },
        Query {
            max_duration: micros(1_500),
            ..one()
        },
        Query {
            min_duration: micros(1_100),
            max_duration: micros(9_000_000),
            ..one()
        },
        Query {
            attributes: pairs("user", "u3"),
            ..one()
        },
        Query {
            attributes: pairs("http.response.status_code", "201"),
            ..one()
        },
        Query {
            attributes: pairs("ok", "true"),
            ..one()
        },
        Query {
            attributes: pairs("user", "u"),
            ..one()
        },
        Query {
            attributes: pairs("service.name", "stock"),
            ..one()
        },
        Query {
            service: text("cart"),
            name: text("GET /0"),
            status: Some(StatusCode::Error),
            ..one()
        },
        Query {
            service: text("cart"),
            attributes: pairs("user", "u1"),
            ..one()
        },
        Query {
            status: Some(StatusCode::Error),
            min_duration: micros(2_000),
            ..one()
        },
        Query {
            status: Some(StatusCode::Error),
            attributes: pairs("ok", "false"),
            ..one()
        },
        Query {
            service: text("stock"),
            from_unix_nanos: Some(1_200_000),
            to_unix_nanos: Some(1_400_000),
            ..one()
        },
        Query {
            attributes: pairs("user", "u2"),
            from_unix_nanos: Some(1_500_000),
            ..one()
        },
    ];
    let mut found_any = 0;
    for query in queries {
        for limit in [1, 7, 1_000] {
            let query = Query {
                limit,
                ..query.clone()
            };
            let found = store.search(query.clone()).await.unwrap();
            let ids: Vec<String> = found.into_iter().map(|trace| trace.trace_id).collect();
            assert_eq!(ids, plain(&spans, &query), "{query:?}");
            found_any += ids.len();
        }
    }
    assert!(found_any > 500, "{found_any}");
}

#[tokio::test]
async fn every_condition_but_an_attribute_is_answered_by_an_index() {
    let store = store().await;
    let plans = store
        .read(|connection| {
            let mut plans = Vec::new();
            for select in [
                "SELECT start, duration, status, operation, trace, id FROM span INDEXED BY span_operation WHERE operation = 1 AND start BETWEEN 1 AND 2 ORDER BY start DESC",
                "SELECT start, duration, status, operation, trace, id FROM span INDEXED BY span_magnitude WHERE magnitude = 1 AND start BETWEEN 1 AND 2 ORDER BY start DESC",
                "SELECT start, duration, status, operation, trace, id FROM span INDEXED BY span_error WHERE status = 2 AND 0 = 0 AND start BETWEEN 1 AND 2 ORDER BY start DESC",
                "SELECT id FROM trace WHERE start BETWEEN 1 AND 2 ORDER BY start DESC LIMIT 20",
                "SELECT context, body FROM span WHERE trace = 1 ORDER BY id",
            ] {
                let plan = format!("EXPLAIN QUERY PLAN {select}");
                plans.push(connection.query_row(&plan, [], |row| row.get::<_, String>(3))?);
            }
            Ok(plans)
        })
        .await
        .unwrap();
    for plan in &plans {
        assert!(plan.starts_with("SEARCH"), "{plan}");
    }
    assert!(plans[0].contains("COVERING"), "{}", plans[0]);
}

#[tokio::test]
async fn sums_up_a_trace() {
    let store = Store::open(Place::Memory, Limits::default()).unwrap();
    let root = Span {
        kind: 2,
        name: "GET /cart".into(),
        start_time_unix_nano: 500,
        end_time_unix_nano: 900,
        ..wire('a', 2)
    };
    let failed = Span {
        parent_span_id: vec![0, 0, 0, 0, 0, 0, 0, 2],
        status: Some(opentelemetry_proto::tonic::trace::v1::Status {
            code: 2,
            ..Default::default()
        }),
        ..wire('a', 1)
    };
    keep(&store, vec![failed]).await;
    let early = store.search(Query::default()).await.unwrap();
    assert_eq!(
        (early[0].root.clone(), early[0].errors, early[0].spans),
        (None, 1, 1)
    );
    let other = SpanBatch::from_request(&request("cart", vec![root]));
    store.insert(other, |_| ()).await.unwrap();
    keep(
        &store,
        vec![Span {
            start_time_unix_nano: 3_000,
            end_time_unix_nano: 3_001,
            ..wire('b', 1)
        }],
    )
    .await;
    let found = store.search(Query::default()).await.unwrap();
    assert_eq!(
        found
            .iter()
            .map(|trace| trace.trace_id.as_str())
            .collect::<Vec<_>>(),
        ["62".repeat(16), "61".repeat(16)]
    );
    let trace = found[1].clone();
    assert_eq!(
        trace,
        TraceSummary {
            trace_id: "61".repeat(16),
            start_unix_nanos: 500,
            end_unix_nanos: 2_001,
            spans: 2,
            errors: 1,
            root: Some(Root {
                service: "cart".into(),
                name: "GET /cart".into(),
                kind: SpanKind::Server,
                duration_nanos: 400
            }),
            services: vec!["cart".into(), "shop".into()],
            arrived_unix_nanos: trace.arrived_unix_nanos,
        }
    );
    assert_eq!(store.summary([b'a'; 16]).await.unwrap(), Some(trace));
}

#[tokio::test]
async fn text_from_strangers_is_never_part_of_a_statement() {
    let store = Store::open(Place::Memory, Limits::default()).unwrap();
    let evil = "'; DROP TABLE span; --";
    let span = Span {
        name: evil.into(),
        attributes: vec![pair(evil, Any::StringValue(evil.into()))],
        ..wire('a', 1)
    };
    store
        .insert(SpanBatch::from_request(&request(evil, vec![span])), |_| ())
        .await
        .unwrap();
    let query = Query {
        service: Some(evil.into()),
        name: Some(evil.into()),
        attributes: vec![(evil.into(), evil.into())],
        ..Query::default()
    };
    assert_eq!(store.search(query).await.unwrap().len(), 1);
    assert_eq!(store.operations(evil).await.unwrap().len(), 1);
}
