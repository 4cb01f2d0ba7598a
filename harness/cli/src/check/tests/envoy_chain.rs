//! A chain of filters that Envoy refuses, and a VM that it cannot make.

use super::{AT, bootstrap, told, wasm};

#[test]
fn a_chain_ends_with_the_router_and_behind_it_with_the_codec() {
    let ours = |role: &str| {
        format!(
            r#"{{"typed_config": {}}}"#,
            wasm(&format!(
                r#""fail_open": true, "configuration": {{"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "{{{role}}}"}}"#
            ))
        )
    };
    let (request, attempt) = (ours(""), ours(r#"\"role\": \"attempt\""#));
    let of_type = |kind: &str, more: &str| {
        format!(
            r#"{{"name": "x", "typed_config": {{"@type": "type.googleapis.com/envoy.extensions.filters.http.{kind}"{more}}}}}"#
        )
    };
    let router = of_type("router.v3.Router", "");
    let codec = of_type("upstream_codec.v3.UpstreamCodec", "");
    let cors = of_type("cors.v3.Cors", "");
    let named = r#"{"name": "envoy.filters.http.router"}"#.to_owned();
    let custom =
        r#"{"name": "custom", "typed_config": {"@type": "type.googleapis.com/company.Filter"}}"#
            .to_owned();
    let with_attempts = |filters: &[&String]| {
        let filters: Vec<_> = filters.iter().map(|filter| filter.as_str()).collect();
        let more = format!(r#", "upstream_http_filters": [{}]"#, filters.join(", "));
        of_type("router.v3.Router", &more)
    };
    let behind = |end: &str| {
        format!(
            "stands behind envoy.filters.http.{end}, and Envoy refuses a chain in which that is not last; put the filter in front of it"
        )
    };
    let open = |end: &str| {
        format!(
            "its chain ends with none that sends a request on, and Envoy refuses such a chain; put envoy.filters.http.{end} \
             behind all others"
        )
    };
    let manager = AT.trim_end_matches(".http_filters[0].typed_config");
    let upstream = "http_filters[0].typed_config.upstream_http_filters";
    for (filters, expected) in [
        (vec![&request, &router], None),
        (vec![&request, &cors, &named], None),
        (vec![&request, &custom], None),
        (
            vec![&router, &request],
            Some(("http_filters[1]", behind("router"))),
        ),
        (
            vec![&named, &request],
            Some(("http_filters[1]", behind("router"))),
        ),
        (vec![&request], Some(("http_filters[0]", open("router")))),
        (
            vec![&request, &cors],
            Some(("http_filters[0]", open("router"))),
        ),
        (vec![&with_attempts(&[&attempt, &codec])], None),
        (
            vec![&with_attempts(&[&attempt])],
            Some((&*format!("{upstream}[0]"), open("upstream_codec"))),
        ),
        (
            vec![&with_attempts(&[&codec, &attempt])],
            Some((&*format!("{upstream}[1]"), behind("upstream_codec"))),
        ),
    ] {
        let list: Vec<_> = filters.iter().map(|filter| filter.as_str()).collect();
        let text = bootstrap("{}", "").replace(
            r#"{"typed_config": {}}, {"name": "envoy.filters.http.router"}"#,
            &list.join(", "),
        );
        let expected = expected.map(|(at, told)| format!("1: error: {manager}.{at}: {told}"));
        assert_eq!(
            told("envoy.json", &text),
            Vec::from_iter(expected),
            "{text}"
        );
    }
}

#[test]
fn a_vm_has_a_module_and_a_runtime_that_envoy_knows() {
    let with = |vm: &str| {
        let fields = format!(r#""fail_open": true, "vm_config": {vm}"#);
        told("envoy.json", &bootstrap(&wasm(&fields), ""))
    };
    let code = r#""code": {"local": {"filename": "a"}}"#;
    let missing = format!(
        "1: error: {AT}.config.vm_config.code: missing, and Envoy refuses a filter without a module; write \
         code: {{local: {{filename: …}}}} with its file"
    );
    assert_eq!(with(&format!("{{{code}}}")), [""; 0]);
    assert_eq!(with("{}"), [missing.as_str()]);
    assert_eq!(with(r#"{"code": {}}"#), [missing.as_str()]);
    for (runtime, cure) in [
        ("envoy.wasm.runtime.v8", None),
        ("envoy.wasm.runtime.wasmtime", None),
        (
            "envoy.wasm.runtime.v9",
            Some("; did you mean `envoy.wasm.runtime.v8`?"),
        ),
        ("envoy.wasm.runtime.null", Some("")),
        ("v8", Some("")),
    ] {
        let told = with(&format!(r#"{{"runtime": "{runtime}", {code}}}"#));
        let start = format!(
            "1: error: {AT}.config.vm_config.runtime: expected envoy.wasm.runtime.v8, envoy.wasm.runtime.wasmtime or \
             envoy.wasm.runtime.wamr"
        );
        match cure {
            None => assert_eq!(told, [""; 0], "{runtime}"),
            Some(cure) => assert!(
                told.len() == 1 && told[0].starts_with(&start) && told[0].contains(cure),
                "{told:?}"
            ),
        }
    }
}
