//! The examples of `sidespan run --help`.

pub(super) const EXAMPLES: &str = r#"Examples:
  sidespan run examples/*/scenario.yaml                   every example
  sidespan run scenario.yaml --module other.wasm          the same through another filter
  sidespan run scenario.yaml --on envoy                   the same on a real Envoy
  sidespan run s.yaml --json | jq '.scenarios[].spans'    the spans that were exported
  sidespan run tests/*.yaml --junit results.xml           for continuous integration
  sidespan run --schema > scenario.schema.json            for editors

A scenario:
  name: a caller that speaks B3
  configuration: config.json              # or the object itself
  node: {metadata: {NAMESPACE: payments}}
  let: {trace: 4bf92f3577b34da6a3ce929d0e0e4736}
  requests:
    - direction: inbound                  # or outbound, or none
      request:
        path: /orders/42
        headers: {b3: "{trace}-00f067aa0ba902b7-1"}
      response: {status: 503, after: 20ms}
      expect:
        upstream:
          traceparent: "00-{trace}-{span}-01"   # {span} is remembered
          x-b3-parentspanid: null               # must not be there
  expect:
    spans:
      - {kind: server, trace: "{trace}", span: "{span}", status: error}
    counters: {sidespan.spans.exported: 1}
    logs: {lack: [panicked]}

A scenario for any filter:
  name: who has no token is sent away
  filter: {module: auth.wasm, rootId: auth, failurePolicy: FAIL_OPEN, configuration: {realm: shop}}
  calls:
    tokens:                               # a cluster, and its answers in their order
      - {status: 403, body: no, after: 20ms}
  requests:
    - request: {method: POST, chunks: [one, {text: two, after: 10ms}], trailers: {x-end: "1"}}
      expect:
        reachesUpstream: false
        downstream: {":status": "403"}
        downstreamBody: "no*"
        details: auth_denied
  expect:
    calls: [{cluster: tokens, headers: {":path": /check}}]
    logs: {contain: ["warn: no token"]}

harness/scenarios.md explains every key. On Envoy time is real: waits beyond 30s, `seed` and `properties` run on the
built-in host only.

Exit codes: 0 all as expected, 1 something is not, 2 a scenario or a filter makes no sense, or cannot run there."#;
