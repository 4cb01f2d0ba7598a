//! The address of a collector in Istio, where a proxy has a cluster for each port of each service, under a name that
//! Istio makes: `outbound|PORT|SUBSET|HOST`.

use sidespan_core::export::settings::Protocol;

use crate::check::istio::settings::{Settings, Weight};

type Problem = Option<(Weight, String)>;

/// Returns the problem with `service`.
pub(super) fn host(settings: &Settings, host: &str) -> Problem {
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
            "no proxy has a cluster of this name, so every span would be lost, for Istio names clusters by the whole name of a \
             service; write {full}, or give the ServiceEntry among the files"
        ),
    ))
}

/// Returns the problem with `cluster`.
pub(super) fn cluster(settings: &Settings, name: &str) -> Problem {
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
pub(super) fn of_cluster(cluster: &str) -> Option<(&str, u64)> {
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
pub(super) fn service_port(
    settings: &Settings,
    host: &str,
    number: u64,
    protocol: Protocol,
) -> Problem {
    let service = settings
        .services
        .iter()
        .find(|service| service.is_for(host))?;
    let Some(port) = service.ports.iter().find(|port| port.number == number) else {
        let numbers: Vec<_> = service
            .ports
            .iter()
            .map(|port| port.number.to_string())
            .collect();
        return Some((
            Weight::Error,
            format!(
                "{} has no port {number}, so no proxy has a cluster for it and every span would be lost; it has {}",
                service.resource,
                numbers.join(", ")
            ),
        ));
    };
    (protocol == Protocol::Grpc && !port.is_http2()).then(|| {
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
