//! The address of a collector in Istio, where a proxy has a cluster for each port of each service, under a name that
//! Istio makes: `outbound|PORT|SUBSET|HOST`.

use sidespan_core::export::settings::Protocol;

use super::destination::Destination;
use crate::check::istio::settings::{Settings, Weight};

type Problem = Option<(Weight, String)>;

/// Returns the problems with the address of a cluster that the filter calls: a key of its settings, of which `text` gives
/// the text, and a sentence.
pub(super) fn problems<'a>(
    settings: &Settings,
    called: &Destination<'_>,
    text: impl Fn(&str) -> Option<&'a str>,
    is_in_istio: bool,
) -> Vec<(&'static str, (Weight, String))> {
    let mut problems = Vec::new();
    let (service, named) = (text("service"), text("cluster"));
    let istios = of_cluster(called.cluster);
    if let Some(problem) = istios.and_then(|(host, _)| upper_case(settings, called, host)) {
        let key = if service.is_some() {
            "service"
        } else {
            "cluster"
        };
        return vec![(key, problem)];
    }
    if is_in_istio {
        if let Some(problem) = service.and_then(|name| host(settings, called, name)) {
            problems.push(("service", problem));
        }
        if let Some(problem) = named.and_then(|name| cluster(settings, name)) {
            problems.push(("cluster", problem));
        }
    }
    if let Some((host, port)) = istios {
        let problem = service_port(settings, called, host, port);
        if let Some(problem) = problem.or_else(|| conventional(called, port)) {
            problems.push(("port", problem));
        }
    }
    problems
}

/// Returns the problem with upper case, in which neither Kubernetes has a name nor Istio a cluster. A host of a
/// ServiceEntry may have it.
fn upper_case(settings: &Settings, called: &Destination<'_>, host: &str) -> Problem {
    let is_known = |host: &str| settings.services.iter().any(|service| service.is_for(host));
    let lower = host.to_ascii_lowercase();
    if lower == host || is_known(host) {
        return None;
    }
    let weight = match is_known(&lower) || lower.contains(".svc.") || lower.ends_with(".svc") {
        true => Weight::Error,
        false => Weight::Warning,
    };
    let loss = called.loss;
    Some((
        weight,
        format!(
            "names of Kubernetes are in lower case, and Envoy tells the names of clusters apart by their case, so {loss}; \
             write {lower}"
        ),
    ))
}

/// Returns the problem with `service`.
fn host(settings: &Settings, called: &Destination<'_>, host: &str) -> Problem {
    let is_known = settings.services.iter().any(|service| service.is_for(host));
    let parts: Vec<_> = host.split('.').collect();
    let full = match parts.as_slice() {
        _ if is_known => return None,
        [name] => format!("{name}.NAMESPACE.svc.cluster.local"),
        [name, namespace] | [name, namespace, "svc"] => {
            format!("{name}.{namespace}.svc.cluster.local")
        }
        _ => return None,
    };
    Some((
        Weight::Error,
        format!(
            "no proxy has a cluster of this name, so {}, for Istio names clusters by the whole name of a \
             service; write {full}, or give the ServiceEntry among the files",
            called.loss
        ),
    ))
}

/// Returns the problem with `cluster`.
fn cluster(settings: &Settings, name: &str) -> Problem {
    let is_added = settings
        .services
        .iter()
        .any(|service| service.ports.is_empty() && service.hosts.iter().any(|host| host == name));
    let is_istios = of_cluster(name).is_some() || BOOTSTRAP.contains(&name);
    (!is_added && !is_istios).then(|| {
        (
            Weight::Warning,
            "is none of the clusters that Istio makes, which are named outbound|PORT||HOST; write service and port in its place, \
             or give the EnvoyFilter that adds it among the files"
                .into(),
        )
    })
}

/// Returns host and port of a cluster that Istio makes.
fn of_cluster(cluster: &str) -> Option<(&str, u64)> {
    let mut parts = cluster.split('|');
    let (Some("outbound"), Some(port), Some(_), Some(host), None) = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return None;
    };
    Some((host, port.parse().ok()?))
}

/// Returns the problem with the port, where the service is among the files.
fn service_port(settings: &Settings, called: &Destination<'_>, host: &str, number: u64) -> Problem {
    let loss = called.loss;
    let service = settings
        .services
        .iter()
        .find(|service| service.is_for(host))?;
    let ports = || service.ports.iter().filter(|port| port.number == number);
    let Some(port) = ports().find(|port| !port.is_udp).or_else(|| ports().next()) else {
        let numbers: Vec<_> = service
            .ports
            .iter()
            .map(|port| port.number.to_string())
            .collect();
        return Some((
            Weight::Error,
            format!(
                "{} has no port {number}, so no proxy has a cluster for it and {loss}; it has {}",
                service.resource,
                numbers.join(", ")
            ),
        ));
    };
    if port.is_udp {
        return Some((
            Weight::Error,
            format!(
                "port {number} of {} is UDP, for which Istio makes no cluster, so {loss}; set protocol: TCP there",
                service.resource
            ),
        ));
    }
    (called.protocol == Protocol::Grpc && !port.is_http2()).then(|| {
        (
            Weight::Error,
            format!(
                "Istio speaks HTTP/1.1 to port {number} of {}, over which no gRPC arrives; name that port grpc-otlp, or give it \
                 appProtocol: grpc",
                service.resource
            ),
        )
    })
}

/// Returns the problem with a port that OpenTelemetry, Jaeger or Zipkin has given to another protocol.
fn conventional(called: &Destination<'_>, port: u64) -> Problem {
    let (is, cure) = match (port, called.protocol, called.is_exporter()) {
        (4318, Protocol::Grpc, true) => (
            "4318 is OTLP's port for HTTP, and this exporter speaks gRPC",
            "set port: 4317, or protocol: http/protobuf",
        ),
        (4317, Protocol::HttpProtobuf, true) => (
            "4317 is OTLP's port for gRPC, and this exporter speaks HTTP",
            "set port: 4318, or leave protocol out",
        ),
        (9411, _, true) => (
            "9411 is Zipkin's port, and this exporter speaks OTLP",
            "set the port of the collector's OTLP receiver, 4317 for gRPC",
        ),
        (14250, _, false) => (
            "14250 is Jaeger's port for gRPC, and percentages are fetched by HTTP",
            "set port: 5778",
        ),
        _ => return None,
    };
    Some((Weight::Warning, format!("{is}; {cure}")))
}

/// Clusters of Istio's own bootstrap, of which some forward what they get.
const BOOTSTRAP: [&str; 7] = [
    "prometheus_stats",
    "agent",
    "sds-grpc",
    "xds-grpc",
    "zipkin",
    "lightstep",
    "datadog_agent",
];
