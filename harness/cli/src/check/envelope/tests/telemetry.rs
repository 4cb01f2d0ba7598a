//! Telemetry.

use super::{says, told};

pub(super) const TELEMETRY: &str = "\
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh, namespace: istio-system}
spec:
  tracing:
  - disableSpanReporting: true
    randomSamplingPercentage: 10
";

#[test]
fn keys_types_and_words() {
    let entry = "disableSpanReporting: true";
    says(
        TELEMETRY,
        &[
            ("telemetry.istio.io/v1", "telemetry.istio.io/v1alpha1", &[]),
            (entry, "disableSpanReporting: null", &[]),
            (
                entry,
                "disableSpanReporting: \"true\"",
                &[
                    "error: $.spec.tracing[0].disableSpanReporting: expected true or false, found a string; leave the quotes out",
                ],
            ),
            (
                entry,
                "match: {mode: server}",
                &[
                    "error: $.spec.tracing[0].match.mode: expected CLIENT_AND_SERVER, CLIENT or SERVER; did you mean `SERVER`?",
                ],
            ),
            (
                "disableSpanReporting: true\n    randomSamplingPercentage: 10",
                "match: {mode: server}\n    randomSamplingPercentage: 500",
                &[
                    "error: $.spec.tracing[0].match.mode: expected CLIENT_AND_SERVER, CLIENT or SERVER; did you mean `SERVER`?",
                    "error: $.spec.tracing[0].randomSamplingPercentage: expected a percentage from 0 to 100, found 500; Istio refuses it",
                ],
            ),
            (
                entry,
                "mode: SERVER",
                &[
                    "error: $.spec.tracing[0].mode: unknown key; it belongs into `spec.tracing[].match`",
                ],
            ),
            (
                "randomSamplingPercentage",
                "randomSamplingPercent",
                &[
                    "error: $.spec.tracing[0].randomSamplingPercent: unknown key; did you mean `randomSamplingPercentage`?",
                ],
            ),
            (
                "randomSamplingPercentage",
                "sampling",
                &[
                    "error: $.spec.tracing[0].sampling: unknown key; write `randomSamplingPercentage`",
                ],
            ),
            (
                "  tracing:",
                "  randomSamplingPercentage: 5\n  tracing:",
                &[
                    "error: $.spec.randomSamplingPercentage: unknown key; it belongs into `spec.tracing[]`",
                ],
            ),
            (
                entry,
                "providers: {jaeger: {}}",
                &[
                    "error: $.spec.tracing[0].providers: expected a list, found an object; write `[{name: …}]`",
                ],
            ),
            (
                entry,
                "providers: [jaeger]",
                &[
                    "error: $.spec.tracing[0].providers[0]: expected an object, found a string; write `{name: …}`",
                ],
            ),
            (
                entry,
                "provider: [{name: jaeger}]",
                &["error: $.spec.tracing[0].provider: unknown key; did you mean `providers`?"],
            ),
            (
                "  tracing:",
                "  selector: {app: x}\n  tracing:",
                &[
                    "error: $.spec.selector.app: unknown key; a label belongs into matchLabels: `selector: {matchLabels: {app: …}}`",
                ],
            ),
            (
                "  tracing:",
                "  workloadSelector: {labels: {app: x}}\n  tracing:",
                &[
                    "error: $.spec.workloadSelector: unknown key; write `selector: {matchLabels: {…}}`, for without it every workload is meant",
                ],
            ),
            (
                entry,
                "customTags: {a: {literal: {value: b}, header: {name: c}}, d: {environment: {}}, e: {header: {name: x, defaultValue: z}}}",
                &[
                    "error: $.spec.tracing[0].customTags.a.header: not beside `literal`; give one of literal, environment, header or formatter",
                    "error: $.spec.tracing[0].customTags.d.environment.name: missing; an API server refuses the resource without it",
                ],
            ),
            (
                "  tracing:",
                "  metrics: [{overrides: [{tagOverrides: {a: {operation: UPSERT}, b: {operation: REMOVE, value: c}}}], reportingInterval: 5}, \
                 {reportingInterval: 100us}, {reportingInterval: 1m30s, providers: [{name: prometheus}]}]\n  tracing:",
                &[
                    "error: $.spec.metrics[0].overrides[0].tagOverrides.a.value: missing; operation UPSERT sets the tag to it",
                    "error: $.spec.metrics[0].overrides[0].tagOverrides.b.value: not with operation REMOVE; leave it out",
                    "error: $.spec.metrics[0].reportingInterval: expected a string, found a number; quote it",
                    "error: $.spec.metrics[1].reportingInterval: expected a duration of at least 1ms, such as 15s",
                ],
            ),
        ],
    );
    let map = "\
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh, namespace: istio-system}
spec:
  tracing: {randomSamplingPercentage: 10}
";
    assert_eq!(
        told(map),
        (
            1,
            vec![
                "error: $.spec.tracing: expected a list, found an object; put `- ` in front of its first key"
                    .into()
            ]
        )
    );
}

#[test]
fn of_a_percentage_there_is_one_sentence() {
    for value in ["500", "-1", "'10'", "[]"] {
        let text = TELEMETRY.replace("Percentage: 10", &format!("Percentage: {value}"));
        let (code, lines) = told(&text);
        assert_eq!((code, lines.len()), (1, 1), "{lines:?}");
        assert!(
            lines[0].starts_with("error: $.spec.tracing[0].randomSamplingPercentage: "),
            "{lines:?}"
        );
    }
}
