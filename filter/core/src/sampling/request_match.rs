//! The conditions of rules and exclusions on a request, and on the workload that the request passes.

use alloc::string::String;
use alloc::vec::Vec;

use crate::direction::Direction;

/// Conditions that must all hold; a condition that is not set always holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// The condition on `:path` up to `?` or `#`.
    pub path: Option<PathMatch>,
    /// The methods; empty for all.
    pub methods: Vec<String>,
    /// The direction of the request.
    pub direction: Option<Direction>,
    /// Names of headers, each with a pattern for one of its lines.
    pub headers: Vec<(String, String)>,
    /// A pattern of `user-agent`.
    pub user_agent: Option<String>,
    /// A pattern of the workload's own namespace.
    pub namespace: Option<String>,
    /// Names of the workload's labels, each with a pattern for its value.
    pub labels: Vec<(String, String)>,
}

/// A condition on a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// A pattern, in which `*` is any run of characters.
    Pattern(String),
    /// A template, in which `{name}` is one segment.
    Template(String),
}

impl Match {
    /// Returns the matches that are excluded by default: probes, collectors of metrics, and exports of telemetry, which are
    /// no traffic of an application's users. Each has a row with its source in the filter's README.
    ///
    /// They are fewer than a list may have, so that a list of one's own may begin with all of them. Where applications use
    /// the same path, too, the method or the content type distinguishes them.
    pub(crate) fn default_excludes() -> Vec<Self> {
        let to = |path: &str| Self {
            path: Some(PathMatch::Pattern(path.into())),
            ..Self::default()
        };
        let sent = |methods: &[&str], path: &str, content: Option<&str>| Self {
            methods: methods.iter().map(|method| (*method).into()).collect(),
            headers: content
                .map(|content| ("content-type".into(), content.into()))
                .into_iter()
                .collect(),
            ..to(path)
        };
        let by_agent = DEFAULT_USER_AGENTS.iter().map(|agent| Self {
            user_agent: Some((*agent).into()),
            ..Self::default()
        });
        let by_path = DEFAULT_PATHS.iter().map(|path| to(path));
        let by_more = [
            sent(&["POST"], "/v1/traces", None),
            sent(&["POST"], "/v1/metrics", Some("application/x-protobuf*")),
            sent(&["POST"], "/v1/logs", Some("application/x-protobuf*")),
            sent(&["POST"], "/api/v2/spans", None),
            sent(&["POST"], "/api/traces", Some("application/*thrift*")),
            sent(&["PUT", "POST"], "/v0*/traces", None),
            sent(&["PUT", "POST"], "/v0.6/stats", None),
        ];
        by_agent.chain(by_path).chain(by_more).collect()
    }
}

const DEFAULT_USER_AGENTS: [&str; 9] = [
    "kube-probe/*",
    "Prometheus/*",
    "ELB-HealthChecker/*",
    "Amazon-Route53-Health-Check-Service*",
    "GoogleHC/*",
    "Edge Health Probe",
    "Load Balancer Agent",
    "Envoy/HC",
    "OTel-OTLP-Exporter-*",
];

const DEFAULT_PATHS: [&str; 10] = [
    "/health",
    "/healthz",
    "/readyz",
    "/livez",
    "/metrics",
    "/grpc.health.v1.Health/*",
    "/opentelemetry.proto.collector*",
    "/jaeger.api_v2.CollectorService/*",
    "/telemetry/proxy/*",
    "/profiling/v1/input",
];
