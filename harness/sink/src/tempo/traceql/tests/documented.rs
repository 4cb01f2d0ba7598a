//! Each query of Tempo's own pages on how to construct and tune TraceQL
//! (<https://grafana.com/docs/tempo/latest/traceql/construct-traceql-queries/>): answered, or refused by its limit.

use super::{parse, refusal};

#[test]
fn the_queries_of_one_spanset_are_answered() {
    for query in ANSWERED {
        let read = parse(query);
        assert!(read.is_ok(), "{query}: {}", read.unwrap_err());
    }
}

#[test]
fn the_others_are_refused_by_the_name_of_the_limit() {
    for (what, queries) in REFUSED {
        for query in *queries {
            let error = refusal(query);
            assert!(error.contains(what), "{query}: {error}");
            assert!(
                error.contains("this sink does not answer"),
                "{query}: {error}"
            );
            assert!(error.contains("It answers one spanset"), "{query}: {error}");
        }
    }
    // The place is the first word beyond what is spoken.
    let error = refusal("{ span.http.status_code = 200 } | count() > 3");
    assert!(error.starts_with("TraceQL, character 33: "), "{error}");
}

const ANSWERED: [&str; 58] = [
    "{ }",
    "{resource.service.name = \"frontend\" && name = \"POST /api/orders\"}",
    "{\n  resource.service.namespace = \"ecommerce\" &&\n  resource.service.name = \"frontend\" &&\n  \
     resource.deployment.environment = \"production\" &&\n  name = \"POST /api/orders\"\n}",
    "{\n  resource.service.name=\"frontend\" &&\n  name = \"POST /api/orders\" &&\n  status = error\n}",
    "{\n  resource.service.name=\"frontend\" &&\n  name = \"POST /api/orders\" &&\n  span.http.status_code >= 500\n}",
    "{ span.foo = \"bar\" }",
    "{ span.foo != \"bar\" }",
    "{ span.http.request.header.Accept =~ \"application.*\" }",
    "{ span.http.request.header.Accept !~ \"application.*\" }",
    "{ span:childCount = 0 }",
    "{ resource.service.name = \"frontend\" && span:childCount = 0 }",
    "{ span:childCount > 10 }",
    "{ resource.deployment.environment =~ \"prod-.*\" && span.http.status_code = 200 }",
    "{ trace:duration > 5s }",
    "{ span:name = \"foo\" }",
    "{ event:name = \"foo\" }",
    "{ trace:id = \"1234\" }",
    "{ link:traceID = \"1234\" }",
    "{ resource.foo = \"bar\" }",
    "{ link.foo = \"bar\" }",
    "{ event.foo = \"bar\" }",
    "{ span:status = ok }",
    "{ span:statusMessage = \"Forbidden\" }",
    "{ span:duration > 100ms }",
    "{ span:name = \"HTTP POST\" }",
    "{ span:kind = server }",
    "{ span:id = \"0000000000000001\" }",
    "{ span:parentID = \"000000000000001\" }",
    "{ trace:rootName = \"HTTP GET\" }",
    "{ trace:rootService = \"gateway\" }",
    "{ event:timeSinceStart > 2ms}",
    "{ link:spanID = \"0000000000000001\" }",
    "{ instrumentation:name = \"grpc\" }",
    "{ instrumentation:version = \"1.0.0\" }",
    "{ resource.k8s.cluster.name=\"service-name\" && trace:rootName !~ \".*perf.*\"}",
    "{ span.db.system =~ \"postgresql|mysql\" }",
    "{ event.exception.message =~ \".*something went wrong.*\" }",
    "{ link.opentracing.ref_type = \"child_of\" }",
    "{ instrumentation.language = \"java\" }",
    "{ span.\"attribute name with space\" = \"value\" }",
    "{ span.attribute.\"attribute name with space\" = \"value\" }",
    "{ span.retry_count > -1 }",
    "{ span.value != minInt && span.value != maxInt }",
    "{ event:timeSinceStart > -5s }",
    "{ span.value > 1.5 }",
    "{ span.optional_field = nil }",
    "{ span.required_field != nil }",
    "{ span.http.status_code >= 400 && span.http.status_code < 500 }",
    "{ span.http.status_code >= \"400\" }",
    "{ span.http.method =~ \"DELETE|GET\" }",
    "{ event.exception.message = nil }",
    "{ span.http.method = \"DELETE\" && status != ok }",
    "{ resource.cloud.region = \"us-east-1\" && resource.cloud.region = \"us-west-1\" }",
    "{ resource.cloud.region =~ \"us-east-1|us-west-1\" }",
    "{} with (most_recent=true)",
    "{ span.http.url = \"/api\" && span.http.status_code != 200 }",
    "{ .http.status_code = 500 }",
    "{ trace:duration > 5s && resource.service.name = \"api\" }",
];

const REFUSED: &[(&str, &[&str])] = &[
    (
        "pipelines",
        &[
            "{ span.http.status_code >= 200 && span.http.status_code < 300 } | count() > 2",
            "{ span.http.status_code = 200 } | select(resource.service.name)",
            "{ span:duration < 5ms } | count_over_time() by(resource.service.name) | topk(10)",
            "{ resource.service.name = \"foo\" } | rate() by (instrumentation:name)",
            "{ } | sum(span.bytesProcessed) > 1000000000",
            "{ status = error } | by(resource.service.name) | count() > 1",
            "{ status = error } | select(span.http.status_code, span.http.url)",
            "{ resource.service.name = \"api\" } | quantile_over_time(duration, 0.9) with(sample=true)",
        ],
    ),
    (
        "several spansets",
        &[
            "{span.service.name=\"frontend\" && name = \"GET /api/products/{id}\"} && {span.db.system=\"postgresql\"}",
            "{ resource.deployment.environment = \"production\" } && { resource.deployment.environment = \"staging\" }",
            "{ span.http.method = \"GET\" && status = ok } && { span.http.method = \"DELETE\" && status != ok }",
            "{ resource.cloud.region = \"us-east-1\" } || { resource.cloud.region = \"us-west-1\" }",
        ],
    ),
    (
        "relations between spansets",
        &[
            "{ resource.service.name=\"frontend\" } >> { status = error }",
            "{ } !< { resource.service.name = \"productcatalogservice\" }",
            "{ resource.service.name = \"productcatalogservice\" } ~ { resource.service.name=\"frontend\" }",
            "{ span.http.url = \"/path/of/api\" && status = error } &>> { status = error }",
            "{ span.foo = \"bar\" } >> { status = error } with (most_recent=true)",
            "{ .a = 1 } > { .b = 2 }",
            "{ .a = 1 } !~ { .b = 2 }",
        ],
    ),
    (
        "aggregates",
        &["count() > 10", "avg(duration) > 20ms", "{ count() = 1 }"],
    ),
    (
        "arithmetic",
        &[
            "{ span.http.request_content_length > 10 * 1024 * 1024 }",
            "{ -duration < 5ms }",
        ],
    ),
    ("hints other than", &["{} with (sample=true)"]),
    (
        "fields of the parent",
        &["{ parent.foo = 1 }", "{ parent.span.foo = 1 }"],
    ),
    (
        "fields of the tree",
        &["{ parent = nil }", "{ nestedSetParent < 0 }"],
    ),
    ("spansets in parentheses", &["({ .a = 1 }) && { .b = 2 }"]),
    ("by(…), coalesce() and select(…)", &["select(.a)"]),
];
