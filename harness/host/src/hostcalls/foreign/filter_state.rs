//! Envoy's foreign functions `set_envoy_filter_state` and `declare_property`.
//!
//! `declare_property` declares on the context that is *called*, whatever the effective context. A property is looked up on
//! the root context, so that what a stream declares has no effect.

use prost::Message;

use crate::abi_types::{Answer, Status, refuse};
use crate::vm_state::{Declared, VmState};

/// `envoy.source.extensions.common.wasm.SetEnvoyFilterStateArguments`, without the span of life, which only Envoy's other
/// filters notice.
#[derive(Clone, PartialEq, Message)]
struct SetArguments {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// `envoy.source.extensions.common.wasm.DeclarePropertyArguments`, without schema and span of life.
#[derive(Clone, PartialEq, Message)]
struct DeclareArguments {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bool, tag = "2")]
    readonly: bool,
    #[prost(int32, tag = "3")]
    kind: i32,
}

/// `WasmType::String`.
const TEXT: i32 = 1;

/// Sets filter state of Envoy's own, as other filters read it.
///
/// # Errors
/// BAD_ARGUMENT: arguments or a value that cannot be read. NOT_FOUND: a name that Envoy has no factory for, or a root
/// context.
pub(super) fn set(state: &mut VmState, arguments: &[u8]) -> Answer {
    let Ok(arguments) = SetArguments::decode(arguments) else {
        return unreadable("SetEnvoyFilterStateArguments");
    };
    let SetArguments { path, value } = arguments;
    let Some((_, form)) = OBJECTS.iter().find(|(name, _)| *name == path) else {
        let reason = format!("Envoy has no factory for filter state named `{path}`");
        return refuse(Status::NotFound, reason);
    };
    if !form.accepts(&value) {
        let reason = format!("`{path}` is no {form:?}: `{value}`");
        return refuse(Status::BadArgument, reason);
    }
    let Some(stream) = state.stream_mut() else {
        return refuse(
            Status::NotFound,
            "a root context has no stream whose filter state could be set",
        );
    };
    if *form != Form::Hidden {
        stream
            .filter_state
            .insert(path.into_bytes(), value.into_bytes());
    }
    Ok(())
}

/// Declares a property for `proxy_set_property`: read-only after its first value, or text for expressions.
///
/// # Errors
/// BAD_ARGUMENT: arguments that cannot be read, or a name that this context has declared before.
pub(super) fn declare(state: &mut VmState, arguments: &[u8]) -> Answer {
    let Ok(arguments) = DeclareArguments::decode(arguments) else {
        return unreadable("DeclarePropertyArguments");
    };
    let name = arguments.name.into_bytes();
    let declared = Declared {
        is_read_only: arguments.readonly,
        is_text: arguments.kind == TEXT,
    };
    let current = state.current;
    let is_new = match state.roots.get_mut(&current) {
        Some(root) => {
            let is_new = !root.declared.contains_key(&name);
            root.declared.entry(name).or_insert(declared);
            is_new
        }
        None => match state.streams.get_mut(current) {
            Some(stream) => stream.declared.insert(name),
            None => true,
        },
    };
    if is_new {
        Ok(())
    } else {
        refuse(
            Status::BadArgument,
            "this context has declared the property before",
        )
    }
}

fn unreadable(message: &str) -> Answer {
    refuse(
        Status::BadArgument,
        format!("the arguments are no {message}"),
    )
}

/// The form of a value that a factory accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    /// Text that no property shows.
    Hidden,
    Number,
    Ip,
    IpAndPort,
    /// A form that this host cannot read, so that every value is refused.
    OfEnvoy,
}

impl Form {
    fn accepts(self, value: &str) -> bool {
        match self {
            Self::Text | Self::Hidden => true,
            Self::Number => value.parse::<u64>().is_ok(),
            Self::Ip => value.parse::<std::net::IpAddr>().is_ok(),
            Self::IpAndPort => value.parse::<std::net::SocketAddr>().is_ok(),
            Self::OfEnvoy => false,
        }
    }
}

/// The factories of Envoy 1.40, each tried there.
const OBJECTS: [(&str, Form); 20] = [
    ("envoy.ai.llm_protocol.request", Form::OfEnvoy),
    ("envoy.ai.model.request", Form::Text),
    (
        "envoy.filters.listener.original_dst.local_ip",
        Form::IpAndPort,
    ),
    (
        "envoy.filters.listener.original_dst.remote_ip",
        Form::IpAndPort,
    ),
    ("envoy.hashable_string", Form::Text),
    ("envoy.network.application_protocols", Form::Hidden),
    ("envoy.network.ip", Form::Ip),
    ("envoy.network.network_namespace", Form::Text),
    (
        "envoy.network.transport_socket.http_11_proxy.info",
        Form::OfEnvoy,
    ),
    (
        "envoy.network.transport_socket.original_dst_address",
        Form::IpAndPort,
    ),
    ("envoy.network.upstream_server_name", Form::Text),
    ("envoy.network.upstream_subject_alt_names", Form::Text),
    ("envoy.ratelimit.hits_addend", Form::Number),
    ("envoy.router.debug_config", Form::Text),
    ("envoy.string", Form::Text),
    ("envoy.tcp_proxy.cluster", Form::Text),
    ("envoy.tcp_proxy.disable_tunneling", Form::Text),
    (
        "envoy.tcp_proxy.per_connection_idle_timeout_ms",
        Form::Number,
    ),
    ("envoy.upstream.dynamic_host", Form::Text),
    ("envoy.upstream.dynamic_port", Form::Number),
];
