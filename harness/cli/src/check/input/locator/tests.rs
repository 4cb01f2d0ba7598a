//! Lines and resources in all forms that a file has.

use super::{Located, locate};

fn at(name: &str, text: &str, document: usize, path: &str) -> (Option<usize>, Option<String>) {
    let Located { line, resource } = locate(name, text, &[(document, path)]).remove(0);
    (line, resource)
}

const LIST: &str = "\
# what kubectl prints
kind: List
metadata: {resourceVersion: \"\"}
items:
- kind: Namespace
  metadata: {name: shop}
- spec:
    pluginConfig:
      sampling:
        namespaces:
          no: 5
          \"team-*\": 500
  metadata:
    name: sidespan-cart
    namespace: shop
  kind: WasmPlugin
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: istio
data:
  mesh: |-

    defaultConfig:
      tracing:
        sampling: -5
";

#[test]
fn a_line_and_a_resource_are_found_in_lists_and_documents() {
    let cart = Some("WasmPlugin shop/sidespan-cart");
    for (document, path, line, resource) in [
        (1, "$", 2, None),
        (1, "$.items[0]", 5, Some("Namespace shop")),
        (1, "$.items[1].spec.pluginConfig", 8, cart),
        (
            1,
            "$.items[1].spec.pluginConfig.sampling.namespaces[\"team-*\"]",
            12,
            cart,
        ),
        (
            1,
            "$.items[1].spec.pluginConfig.sampling.namespaces.false",
            11,
            cart,
        ),
        (1, "$.items[1].spec.failStrategy", 7, cart),
        (1, "$.items[1].metadata.name", 14, cart),
        (1, "$.items[7].spec", 4, None),
        (2, "$", 18, Some("ConfigMap istio")),
        (2, "$.data.mesh", 23, Some("ConfigMap istio")),
        (
            2,
            "$.data.mesh.defaultConfig.tracing.sampling",
            27,
            Some("ConfigMap istio"),
        ),
    ] {
        let found = at("-", LIST, document, path);
        assert_eq!(found, (Some(line), resource.map(Into::into)), "{path}");
    }
    assert_eq!(at("-", LIST, 3, "$"), (None, None));
}

#[test]
fn json_has_lines_too() {
    let json = "{\n\t\"kind\": \"List\",\n\t\"items\": [\n\t\t{\"kind\": \"Telemetry\",\n\t\t\t\"metadata\": {\"name\": \"a\", \"namespace\": \"b\"},\n\
        \t\t\t\"note\": \"with \\\"quotes\\\" and {\", \"spec\": {\"tracing\": [1, true,\n{\"x\"\n:\n-1.5e3}]}}]}";
    let resource = Some("Telemetry b/a".to_owned());
    for (path, line) in [
        ("$.items[0].kind", 4),
        ("$.items[0].spec", 6),
        ("$.items[0].spec.tracing[1]", 6),
        ("$.items[0].spec.tracing[2]", 7),
        ("$.items[0].spec.tracing[2].x", 7),
    ] {
        for name in ["a.json", "-"] {
            assert_eq!(
                at(name, json, 1, path),
                (Some(line), resource.clone()),
                "{path}"
            );
        }
    }
    assert_eq!(at("-", "{a: 1,\n b: 2}", 1, "$.b"), (Some(2), None));
}

#[test]
fn what_an_alias_repeats_is_placed_where_it_is_repeated() {
    let text = "a: &a\n  b: 1\nc: *a\nd:\n  <<: *a\n";
    for (path, line) in [("$.a.b", 2), ("$.c.b", 3), ("$.d.b", 4)] {
        assert_eq!(at("-", text, 1, path).0, Some(line), "{path}");
    }
}

#[test]
fn many_findings_in_a_long_list_need_no_longer_than_the_list() {
    const ITEMS: usize = 50_000;
    let text = "- {a: x}\n".repeat(ITEMS);
    let paths: Vec<_> = (0..ITEMS).map(|index| format!("$[{index}].a")).collect();
    let wanted: Vec<_> = paths.iter().map(|path| (1, path.as_str())).collect();
    let found = locate("-", &text, &wanted);
    let lines = found.iter().map(|found| found.line);
    assert!(lines.eq((1..=ITEMS).map(Some)));
}
