//! The configuration of the Envoy that a scenario runs on.
//!
//! Everything that Envoy would write by itself into messages is off where it can be turned off, so that only the filters
//! show.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};
use sidespan_envoy::{
    Bootstrap, Cluster, Direction as ListenerDirection, FailurePolicy, Listener, Node, Protocol,
    Route, Wasm,
};

use super::names::{FENCE, LISTENER, UPSTREAM};
use super::server::Server;
use super::{access_log, guest_log};
use crate::run::answers::Answers;
use crate::run::modules::Loaded;
use crate::run::scenario::{
    Direction, Ending, Filter, Level, Policy, Protocol as HttpVersion, Scenario,
};

/// Everything that the configuration depends on.
pub(super) struct Plan<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) file: &'a Path,
    pub(super) modules: &'a [Loaded],
    /// A folder for the modules' files.
    pub(super) folder: &'a Path,
    pub(super) upstream: SocketAddr,
    pub(super) clusters: &'a [Server],
}

impl Plan<'_> {
    /// Returns the configuration, and writes the files that it names.
    ///
    /// # Errors
    /// When a file cannot be written or read.
    pub(super) fn bootstrap(&self) -> anyhow::Result<Bootstrap> {
        let scenario = self.scenario;
        let level = match scenario.log_level {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warning",
            Level::Error => "error",
            Level::Critical => "critical",
        };
        let mut bootstrap = Bootstrap::new(self.node()?)
            .concurrency(scenario.workers().try_into()?)
            .log_levels(&format!("wasm:{level}"))
            .log_format(guest_log::FORMAT)
            .listener(self.listener()?)
            .cluster(
                Cluster::new(UPSTREAM, self.upstream_address())
                    .protocol(spoken(scenario.upstream_protocol())),
            );
        if !scenario.connections.is_empty() {
            bootstrap = bootstrap.listener(Listener::new(FENCE).route(Route::answer(200, "")));
        }
        for server in self.clusters {
            bootstrap = bootstrap.cluster(http2(server.name(), server.address()));
        }
        let served = |name: &String| self.clusters.iter().any(|server| server.name() == name);
        let answers = scenario.calls.as_ref().map(Answers::new);
        for name in scenario.calls.iter().flat_map(|calls| calls.keys()) {
            if answers
                .as_ref()
                .is_some_and(|answers| answers.is_empty(name))
            {
                bootstrap = bootstrap.cluster(Cluster::empty(name).protocol(Protocol::Http2));
            } else if !served(name) {
                bootstrap = bootstrap.cluster(http2(name, nowhere()));
            }
        }
        Ok(bootstrap)
    }

    /// Returns the beginnings of the guests' log lines, the longest first: a stream's with the plugin's name, and those of
    /// root contexts without.
    pub(super) fn prefixes(&self) -> Vec<String> {
        let mut prefixes = Vec::new();
        for (filter, module) in self.scenario.chain().iter().zip(self.modules) {
            let name = filter.name.as_deref().unwrap_or(module.name);
            let root_id = filter.root_id.as_deref().unwrap_or(module.root_id);
            for parts in [
                [name, root_id, filter.vm_id.as_str()].as_slice(),
                &[root_id, &filter.vm_id],
            ] {
                let parts = parts.iter().filter(|part| !part.is_empty());
                let parts: String = parts.map(|part| format!(" {part}")).collect();
                prefixes.push(format!("wasm log{parts}: "));
            }
        }
        prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
        prefixes
    }

    fn upstream_address(&self) -> SocketAddr {
        let first = self.scenario.requests().first();
        match first.is_some_and(|step| step.ending == Ending::ConnectFailure) {
            true => nowhere(),
            false => self.upstream,
        }
    }

    fn node(&self) -> anyhow::Result<Node> {
        let node = &self.scenario.node;
        let id = node.id.as_deref().unwrap_or("sidespan-run");
        let mut plain = Node::plain(id, node.cluster.as_deref().unwrap_or_default());
        for (name, value) in &node.metadata {
            plain = plain.metadata(name, serde_json::to_value(value)?);
        }
        Ok(plain)
    }

    fn listener(&self) -> anyhow::Result<Listener> {
        let scenario = self.scenario;
        let is_slow = |step: &crate::run::scenario::Step| step.ending == Ending::UpstreamTimeout;
        let timeout = match scenario.requests().iter().any(is_slow) {
            true => "0.3s",
            false => "0s",
        };
        if !scenario.connections.is_empty() {
            let listener = Listener::new(LISTENER).tcp(UPSTREAM);
            let chain = scenario.chain();
            let mut filters = chain.iter().zip(self.modules).enumerate();
            return filters.try_fold(listener, |listener, (at, (filter, module))| {
                Ok(listener.network_filter(&self.wasm(at, filter, module)?))
            });
        }
        let mut listener = Listener::new(LISTENER)
            .route(Route::to(UPSTREAM).with("timeout", timeout.into()))
            .access_log(access_log::FORMAT)
            .router("suppress_envoy_headers", true.into())
            .with("generate_request_id", false.into())
            .with("server_header_transformation", "PASS_THROUGH".into())
            .with("skip_xff_append", true.into());
        match scenario.requests().first().map(|step| step.direction) {
            Some(Direction::Inbound) => listener = listener.direction(ListenerDirection::Inbound),
            Some(Direction::Outbound) => listener = listener.direction(ListenerDirection::Outbound),
            Some(Direction::None) | None => {}
        }
        match (scenario.buffer_limit, scenario.protocol) {
            (Some(bytes), HttpVersion::Http1) => listener = listener.buffer_limit(bytes),
            (Some(bytes), HttpVersion::Http2) => {
                let options = json!({"initial_stream_window_size": bytes});
                listener = listener.with("http2_protocol_options", options);
            }
            (None, _) => {}
        }
        for (at, (filter, module)) in scenario.chain().iter().zip(self.modules).enumerate() {
            listener = listener.filter(self.wasm(at, filter, module)?.filter());
        }
        Ok(listener)
    }

    fn wasm(&self, at: usize, filter: &Filter, module: &Loaded) -> anyhow::Result<Wasm> {
        let path = self.folder.join(format!("{at}.wasm"));
        fs::write(&path, &module.wasm)?;
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes)
                .context("Envoy takes configurations as text, and this one is none")
        };
        let name = filter.name.as_deref().unwrap_or(module.name);
        let mut wasm = Wasm::new(name, &path)
            .root_id(filter.root_id.as_deref().unwrap_or(module.root_id))
            .vm_id(&filter.vm_id)
            .configuration(&text(filter.configuration(self.file)?)?)
            .vm_configuration(&text(filter.vm_configuration(self.file)?)?);
        for (name, value) in &filter.environment {
            wasm = wasm.environment(name, &value.0);
        }
        for name in &filter.capabilities {
            wasm = wasm.capability(name);
        }
        if filter.allow_on_headers_stop_iteration {
            wasm = wasm.with("allow_on_headers_stop_iteration", true.into());
        }
        Ok(match filter.failure_policy {
            Policy::Closed => wasm,
            Policy::Open => wasm.failure_policy(FailurePolicy::Open),
            Policy::Reload => wasm.failure_policy(FailurePolicy::Reload),
            Policy::OldOpen => wasm
                .with("failure_policy", Value::Null)
                .with("fail_open", true.into()),
        })
    }
}

fn spoken(protocol: HttpVersion) -> Protocol {
    match protocol {
        HttpVersion::Http1 => Protocol::Http1,
        HttpVersion::Http2 => Protocol::Http2,
    }
}

fn http2(name: &str, address: SocketAddr) -> Cluster {
    Cluster::new(name, address).protocol(Protocol::Http2)
}

/// Returns an address at which nothing listens.
fn nowhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9))
}
