//! Documents of others that people check by mistake, each with what is read instead.

use sidespan_core::config::suggest::nearest;
use sidespan_core::config::{ConfigError, SECTIONS};

use super::document::Document;

/// Returns a sentence on a document that has nothing of Sidespan's by its kind.
pub(in crate::check) fn foreign(document: &Document) -> Option<&'static str> {
    let text = |key: &str| {
        document
            .get(key)
            .and_then(Document::text)
            .unwrap_or_default()
    };
    let (group, kind) = (text("apiVersion"), text("kind"));
    match kind {
        "Application" | "ApplicationSet" if group.starts_with("argoproj.io/") => Some(ARGO),
        "Kustomization" | "Component" if group.starts_with("kustomize.config.k8s.io/") => {
            Some(KUSTOMIZE)
        }
        "HelmRelease" if group.starts_with("helm.toolkit.fluxcd.io/") => Some(FLUX),
        "" if is_compose(document) => Some(COMPOSE),
        "" if is_chart(document) => Some(CHART),
        "" if is_dump(document) => Some(DUMP),
        _ => None,
    }
}

/// Returns true for Docker's compose file: services, each with an image or the way to build it.
fn is_compose(document: &Document) -> bool {
    let Some(Document::Object(services)) = document.get("services") else {
        return false;
    };
    let mut services = services.iter();
    services.any(|(_, service)| {
        ["image", "build", "extends"]
            .iter()
            .any(|key| service.get(key).is_some())
    })
}

/// Returns true for values of Sidespan's own chart, by keys that no configuration has.
fn is_chart(document: &Document) -> bool {
    let has = |key: &str| document.get(key).is_some();
    let is_text = |key: &str| document.get(key).and_then(Document::text).is_some();
    document.at(&["collector", "service"]).is_some()
        || is_text("istioTracing")
        || is_text("install")
        || is_text("image") && (has("sampling") || has("configuration"))
}

/// Returns true for lines `key=value` alone, as kustomize takes them for the settings of a folder.
pub(in crate::check) fn is_assignments(text: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.'))
    };
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .peekable();
    lines.peek().is_some()
        && lines.all(|line| line.split_once('=').is_some_and(|(name, _)| is_name(name)))
}

/// Returns true for what a proxy says of itself: `/config_dump`, and `istioctl proxy-config … -o json`.
fn is_dump(document: &Document) -> bool {
    let is_part = |part: &Document| part.get("@type").is_some() || part.get("name").is_some();
    match document {
        Document::List(parts) => !parts.is_empty() && parts.iter().all(is_part),
        _ if matches!(document.get("configs"), Some(Document::List(_))) => {
            document.items("configs").iter().all(is_part)
        }
        _ => matches!(document.get("bootstrap"), Some(Document::Object(_))),
    }
}

/// Returns true if a document without a kind is somebody's values, settings or data, and no mistyped configuration: no
/// key is the filter's or like one of the filter's, and of a few keys none is like a word from within a configuration.
pub(in crate::check) fn are_others(tree: &Document, errors: &[ConfigError]) -> bool {
    let is_like = |key: &str| nearest(key, &SECTIONS).or(nearest(key, &WORDS)).is_some();
    let is_unlike = |error: &ConfigError| error.message.starts_with("unknown key; known here");
    match tree {
        Document::Object(pairs) if pairs.len() >= 3 => {
            errors.len() >= pairs.len() && errors.iter().all(is_unlike)
        }
        Document::Object(pairs) => {
            !pairs.is_empty()
                && errors.len() == pairs.len()
                && errors.iter().all(is_unlike)
                && !pairs.iter().any(|(key, _)| is_like(key))
                && !tree.to_json().contains("pluginConfig")
        }
        Document::List(items) => {
            let is_theirs = |item: &Document| match item {
                Document::Object(pairs) => !pairs.iter().any(|(key, _)| is_like(key)),
                _ => false,
            };
            !items.is_empty() && items.iter().all(is_theirs)
        }
        _ => false,
    }
}

/// Words that somebody may write at the top who means the filter: its own from within, and those of its neighbours.
const WORDS: [&str; 38] = [
    "percentage",
    "namespaces",
    "rules",
    "exclude",
    "rateLimit",
    "keep",
    "consistent",
    "remote",
    "extract",
    "inject",
    "mirror",
    "baggage",
    "keep64bit",
    "restoreTracestate",
    "context",
    "decision",
    "requestId",
    "serviceName",
    "attributes",
    "routes",
    "omit",
    "otlp",
    "batch",
    "queue",
    "retry",
    "service",
    "cluster",
    "headers",
    "config",
    "configuration",
    "pluginConfig",
    "plugin",
    "sidespan",
    "tracing",
    "sampler",
    "propagators",
    "telemetry",
    "traces",
];

/// The kinds that are read, for messages on files without any of them.
pub(in crate::check) const READ: &str = "read are the filter's configuration, WasmPlugin, TrafficExtension, EnvoyFilter, \
    EnvoyExtensionPolicy, Envoy's configuration and dumps; and beside them Telemetry, MeshConfig (ConfigMap istio, IstioOperator, Helm values), \
    Instrumentation, workloads, and files of OTEL_ variables";
const ARGO: &str = "an Argo CD application, whose chart and values are not read; render it first: argocd app manifests NAME | sidespan check -";
const FLUX: &str = "a HelmRelease of Flux, whose chart and values are not read; render it first: helm template … | sidespan check -";
const KUSTOMIZE: &str = "a kustomization, whose resources and patches are not read; render its folder first: kubectl kustomize FOLDER | sidespan check -";
const CHART: &str = "values of Sidespan's chart, which are read once it is rendered: helm template sidespan istio/chart -f FILE | sidespan check -";
pub(in crate::check) const ASSIGNMENTS: &str = "lines of key=value, as kustomize takes them for the settings of a folder, of which nothing is read by itself; \
    render the folder: kubectl kustomize FOLDER | sidespan check -";
const COMPOSE: &str = "a compose file, of which nothing is read; check the configuration of the Envoy in it, and put OTEL_ variables into an env_file";
const DUMP: &str = "no filter of Sidespan in this dump of a proxy; where one should be, see whether selector, namespace and phase of the \
    plugin reach this pod, whether istioctl proxy-config ecds POD has it, and istio_agent_wasm_remote_fetch_count at \
    :15020/stats/prometheus of the pod";

#[cfg(test)]
mod tests {
    use sidespan_core::config::Config;

    use super::{ARGO, COMPOSE, DUMP, FLUX, KUSTOMIZE, are_others, foreign};
    use crate::check::input::document::Document;

    #[test]
    fn documents_of_others_are_named() {
        for (text, expected) in [
            (
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\n",
                Some(ARGO),
            ),
            (
                "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\n",
                Some(ARGO),
            ),
            ("apiVersion: app.k8s.io/v1beta1\nkind: Application\n", None),
            (
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n",
                Some(FLUX),
            ),
            (
                "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
                Some(KUSTOMIZE),
            ),
            (
                "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
                Some(KUSTOMIZE),
            ),
            (
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n",
                None,
            ),
            ("services: {cart: {image: cart:1}}\n", Some(COMPOSE)),
            (
                "version: '3'\nservices: {cart: {build: .}}\n",
                Some(COMPOSE),
            ),
            (
                r#"{"configs": [{"@type": "x", "dynamic_listeners": []}]}"#,
                Some(DUMP),
            ),
            (r#"{"bootstrap": {"node": {"id": "sidecar"}}}"#, Some(DUMP)),
            (r#"[{"name": "0.0.0.0_80", "address": {}}]"#, Some(DUMP)),
            ("[1]", None),
            ("configs: {a: 1}\n", None),
            ("services: [cart]\n", None),
            ("sampling: {percentage: 1}\n", None),
        ] {
            let documents = Document::parse("-", text).unwrap();
            assert_eq!(foreign(&documents[0]), expected, "{text}");
        }
    }
    #[test]
    fn values_and_data_of_others_are_told_from_mistyped_configurations() {
        for (text, expected) in [
            ("cni: {cniBinDir: /opt}", true),
            (
                "pilot: {env: {X: 'true'}}\nexperimental: {stableValidationPolicy: true}",
                true,
            ),
            ("_internal_defaults_do_not_set: {a: 1}", true),
            ("global: {meshID: a}", true),
            ("spec: {components: {}}", true),
            ("keys: [{kty: RSA}]", true),
            ("[{kind: a, clusterName: b}]", true),
            ("a: 1\nb: 2\nc: 3", true),
            ("smapling: {percentage: 5}", false),
            ("percentage: 5", false),
            ("tracing: {sampling: 10}", false),
            ("propagators: [b3]", false),
            ("config: {sampling: {}}", false),
            ("spec: {pluginConfig: {sampling: {}}}", false),
            ("[{sampling: {percentage: 5}}]", false),
            ("[]", false),
            ("word", false),
        ] {
            let tree = &Document::parse("-", text).unwrap()[0];
            let errors = Config::parse(tree.to_json().as_bytes()).unwrap_err();
            assert_eq!(are_others(tree, &errors), expected, "{text}: {errors:?}");
        }
    }
}
