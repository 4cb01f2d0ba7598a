//! Random meshes: the percentages, the tracers and the printed plugins against the second reading.

use std::fmt::Write;

use serde_json::{Value, json};
use sidespan_core::config::Config;
use sidespan_core::sampling::settings::Sampling;

use super::istiod::{Istiod, Proxy, chart_mesh, chart_variable};
use super::read_into;
use crate::check::istio::resolve::Istio;
use crate::check::istio::settings::{Labels, Mode, Settings};
use crate::check::istio::summary::Summary;

const MESHES: u64 = 2_500;
const NAMESPACES: [&str; 4] = ["mesh-root", "istio-system", "payments", "shop"];

/// A generator of random settings: the linear congruential generator of Knuth's books is good enough for that.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn one_of<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }

    fn labels(&mut self) -> Value {
        let mut labels = json!({});
        for (name, values) in [
            ("app", ["cart", "web"]),
            ("tier", ["1", "2"]),
            ("canary", ["yes", "no"]),
        ] {
            if self.below(3) == 0 {
                labels[name] = self.one_of(&values).into();
            }
        }
        labels
    }

    fn telemetry(&mut self, index: usize) -> Value {
        let entries: Vec<_> = (0..self.below(3)).map(|_| self.entry()).collect();
        let mut resource = json!({
            "kind": "Telemetry",
            "metadata": {"name": format!("t{index}"), "namespace": self.one_of(&NAMESPACES)},
            "spec": {"tracing": entries, "selector": {"matchLabels": self.labels()}}
        });
        if self.below(2) == 0 {
            let created = format!("2026-01-0{}T00:00:00Z", 1 + self.below(9));
            resource["metadata"]["creationTimestamp"] = created.into();
        }
        // Where kubectl's -n decides, nothing can be said, and the rest of the mesh is as without.
        if self.below(12) == 0 {
            resource["metadata"]
                .as_object_mut()
                .unwrap()
                .remove("namespace");
        }
        resource
    }

    fn entry(&mut self) -> Value {
        let mut entry = json!({});
        let modes = [
            None,
            None,
            Some("CLIENT"),
            Some("SERVER"),
            Some("CLIENT_AND_SERVER"),
        ];
        if let Some(mode) = self.one_of(&modes) {
            entry["match"] = json!({ "mode": mode });
        }
        if self.below(3) > 0 {
            let percentages = [0.0, 0.01, 1.0, 12.5, 50.0, 100.0];
            entry["randomSamplingPercentage"] = self.one_of(&percentages).into();
        }
        if self.below(5) == 0 {
            entry["disableSpanReporting"] = (self.below(3) > 0).into();
        }
        if self.below(5) == 0 {
            entry["disableContextPropagation"] = (self.below(2) > 0).into();
        }
        if self.below(4) == 0 {
            let first = self.one_of(&PROVIDERS);
            entry["providers"] = json!([{"name": first}, {"name": "second"}]);
        }
        entry
    }

    /// `tracing` of a ProxyConfig; `None` where it has none.
    fn proxy_tracing(&mut self) -> Option<Value> {
        let mut tracing = match self.below(6) {
            0 => return None,
            1 => return Some(Value::Null),
            _ => json!({}),
        };
        let samplings = [
            None,
            Some(json!(0)),
            Some(json!("0")),
            Some(json!(5)),
            Some(json!("12.5")),
            Some(json!(33.0)),
            Some(json!(700)),
            Some(Value::Null),
        ];
        if let Some(sampling) = self.one_of(&samplings) {
            tracing["sampling"] = sampling;
        }
        match self.below(6) {
            0 => tracing["zipkin"] = json!({"address": "zipkin.tracing:9411"}),
            1 => tracing["zipkin"] = json!({}),
            2 => tracing["datadog"] = json!({"address": "$(HOST_IP):8126"}),
            _ => {}
        }
        Some(tracing)
    }

    fn mesh_config(&mut self) -> Value {
        let mut mesh = json!({"trustDomain": "cluster.local"});
        if self.below(2) == 0 {
            mesh["rootNamespace"] = "mesh-root".into();
        }
        if self.below(2) == 0 {
            mesh["enableTracing"] = (self.below(3) > 0).into();
        }
        if let Some(tracing) = self.proxy_tracing() {
            mesh["defaultConfig"] = json!({ "tracing": tracing });
        }
        if self.below(3) == 0 {
            mesh["defaultProviders"] = json!({"tracing": [self.one_of(&PROVIDERS), "second"]});
        }
        if self.below(4) > 0 {
            let all = [
                json!({"name": "otel", "opentelemetry": {"service": "c.o.svc.cluster.local", "port": 4317}}),
                json!({"name": "Zip", "zipkin": {"service": "z.o.svc.cluster.local", "port": 9411}}),
                json!({"name": "als", "envoyOtelAls": {"service": "c.o.svc.cluster.local", "port": 4317}}),
                json!({"name": "authz", "envoyExtAuthzGrpc": {"service": "a.o.svc.cluster.local", "port": 9000}}),
                json!({"name": "sky", "skywalking": {"service": "s.o.svc.cluster.local", "port": 11800}}),
                json!({"name": "prometheus", "datadog": {"service": "d.o.svc.cluster.local", "port": 8126}}),
            ];
            let list: Vec<_> = all.into_iter().filter(|_| self.below(2) == 0).collect();
            mesh["extensionProviders"] = list.into();
        }
        mesh
    }

    /// Values of Istio's chart around a MeshConfig.
    fn helm_values(&mut self, mesh: &Value) -> Value {
        let mut values = json!({ "meshConfig": mesh });
        if self.below(3) == 0 {
            values["global"]["istioNamespace"] = "mesh-root".into();
        }
        if self.below(3) == 0 {
            values["global"]["proxy"]["tracer"] = self.one_of(&["zipkin", "none"]).into();
        }
        let samplings = [json!(0), json!(0.0), json!(""), json!(2), json!("3.5")];
        if self.below(2) == 0 {
            values["traceSampling"] = self.one_of(&samplings);
        }
        if self.below(3) == 0 {
            values["env"]["PILOT_TRACE_SAMPLING"] = self.one_of(&[json!("25"), json!(0)]);
        }
        values
    }
}

/// Names of providers, with one that no mesh has and some of kinds that cannot trace.
const PROVIDERS: [&str; 8] = [
    "otel",
    "OTEL",
    "zip",
    "als",
    "authz",
    "sky",
    "prometheus",
    "nobody",
];

/// A Deployment whose pods have an annotation.
struct Annotated {
    namespace: &'static str,
    labels: Value,
    config: Value,
}

impl Annotated {
    fn resource(&self) -> Value {
        json!({
            "kind": "Deployment",
            "metadata": {"name": "annotated", "namespace": self.namespace},
            "spec": {
                "selector": {"matchLabels": self.labels},
                "template": {"metadata": {
                    "labels": self.labels,
                    "annotations": {"proxy.istio.io/config": self.config.to_string()}
                }}
            }
        })
    }

    fn is_of(&self, namespace: &str, labels: &Value) -> bool {
        let own = self.labels.as_object().unwrap();
        self.namespace == namespace && own.iter().all(|(name, value)| labels[name] == *value)
    }
}

fn workloads() -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    for namespace in NAMESPACES.into_iter().chain(["nobody-names-it"]) {
        for app in [None, Some("cart"), Some("web")] {
            for tier in [None, Some("1"), Some("2")] {
                for canary in [None, Some("yes"), Some("no")] {
                    let mut labels = json!({"other": "label"});
                    for (name, value) in [("app", app), ("tier", tier), ("canary", canary)] {
                        if let Some(value) = value {
                            labels[name] = value.into();
                        }
                    }
                    all.push((namespace, labels));
                }
            }
        }
    }
    all
}

/// Returns the percentage of the plugin that works in a chain; its note tells where a plugin is not to be installed as
/// it is.
fn given(
    chain: &[(usize, &crate::check::istio::translate::Plugin)],
    namespace: &str,
    root: &str,
    samplings: &[Sampling],
) -> f64 {
    let mut chain = chain.iter().filter(|(_, plugin)| {
        let is_only_for_root = plugin.namespace == root && !plugin.selector.is_empty();
        assert!(
            !is_only_for_root
                || plugin
                    .note
                    .is_some_and(|note| note.contains("reaches every namespace"))
        );
        !is_only_for_root || namespace == root
    });
    let (first, plugin) = chain.next().expect("a plugin everywhere");
    let of = |index: usize| samplings[index].percentage_for(Some(namespace));
    for (other, beside) in chain {
        assert!(
            beside.priority < plugin.priority
                || beside.namespace != plugin.namespace
                || of(*other).total_cmp(&of(*first)).is_eq(),
            "{plugin:?} and {beside:?} disagree, and only their names order them"
        );
    }
    of(*first)
}

#[test]
fn random_meshes_are_resolved_as_by_a_second_reading_of_istiod() {
    let workloads = workloads();
    let mut seen = [0; 8];
    for seed in 0..MESHES {
        let mut dice = Dice(seed);
        let count = dice.below(9);
        let telemetries: Vec<_> = (0..count).map(|index| dice.telemetry(index)).collect();
        let config = dice.mesh_config();
        let mut option = None;
        let mut text = String::new();
        let mut variable = dice
            .one_of(&[None, Some("2"), Some("0"), Some("-3"), Some("many")])
            .map(str::to_owned);
        let wrapping = dice.below(4);
        let mut mesh = config.clone();
        match wrapping {
            0 => writeln!(text, "{config}").unwrap(),
            1 => {
                let resource = json!({
                    "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"},
                    "data": {"mesh": config.to_string()}
                });
                writeln!(text, "{resource}").unwrap();
            }
            2 => {
                let values = dice.helm_values(&config);
                mesh = chart_mesh(&values);
                variable = chart_variable(&values);
                writeln!(text, "{values}").unwrap();
            }
            _ => {
                // The operator merges spec.meshConfig into the values.
                let mut values = dice.helm_values(&config);
                mesh = chart_mesh(&values);
                variable = chart_variable(&values);
                values.as_object_mut().unwrap().remove("meshConfig");
                let resource = json!({"kind": "IstioOperator", "spec": {"meshConfig": config, "values": values}});
                writeln!(text, "{resource}").unwrap();
            }
        }
        if let (Some(variable), true) = (&variable, wrapping < 2) {
            let container = json!({"name": "discovery", "env": [
                {"name": "PILOT_TRACE_SAMPLING", "value": "99"}, {"name": "PILOT_TRACE_SAMPLING", "value": variable}
            ]});
            let resource = json!({
                "kind": "Deployment", "metadata": {"name": "istiod", "namespace": "istio-system"},
                "spec": {"template": {"spec": {"containers": [container]}}}
            });
            writeln!(text, "---\n{resource}").unwrap();
        }
        if dice.below(6) == 0 {
            option = Some("payments".to_owned());
            mesh["rootNamespace"] = "payments".into();
        }
        let mut annotated = Vec::new();
        for (namespace, labels) in [
            ("shop", json!({"app": "cart", "tier": "2", "canary": "no"})),
            ("payments", json!({"app": "web"})),
        ] {
            if dice.below(2) == 0 {
                let mut config = json!({"concurrency": 2});
                if let Some(tracing) = dice.proxy_tracing() {
                    config["tracing"] = tracing;
                }
                annotated.push(Annotated {
                    namespace,
                    labels,
                    config,
                });
            }
        }
        let resources = telemetries
            .iter()
            .cloned()
            .chain(annotated.iter().map(Annotated::resource));
        for resource in resources {
            writeln!(text, "---\n{resource}").unwrap();
        }

        let mut settings = Settings::with_root(option);
        read_into(&mut settings, &text);
        let istio = Istio::new(&settings);
        let summary = Summary::of(&settings).expect("Istio's settings");
        let istiod = Istiod::new(&mesh, variable.as_deref(), &telemetries);
        let root = istiod.root();
        assert_eq!(istio.root(), root, "seed {seed}\n{text}");
        let samplings: Vec<_> = summary
            .plugins
            .iter()
            .map(|plugin| {
                let text = json!({ "sampling": plugin.sampling }).to_string();
                let config = Config::parse(text.as_bytes()).expect("a valid configuration");
                config.sampling.expect("percentages")
            })
            .collect();

        let mut all = Vec::new();
        for (namespace, labels) in &workloads {
            let annotation = annotated.iter().find(|own| own.is_of(namespace, labels));
            let proxy = Proxy {
                namespace,
                labels,
                annotation: annotation.map(|own| &own.config),
            };
            for mode in Mode::ALL {
                all.push((*namespace, labels, mode, istiod.tracing(&proxy, mode)));
            }
        }
        // Off everywhere is no wish for 0 %.
        let is_off = all.iter().all(|(.., tracing)| tracing.is_disabled);
        let has = |is_so: &dyn Fn(&super::istiod::Tracing) -> bool| {
            usize::from(all.iter().any(|(.., tracing)| is_so(tracing)))
        };
        for (count, more) in seen.iter_mut().zip([
            usize::from(is_off),
            usize::from(summary.plugins.iter().any(|plugin| plugin.mode.is_some())),
            usize::from(
                summary
                    .plugins
                    .iter()
                    .any(|plugin| plugin.selector.len() > 2),
            ),
            has(&|tracing| tracing.runs),
            has(&|tracing| !tracing.runs && !tracing.is_disabled),
            has(&|tracing| tracing.is_silent),
            usize::from(root == "payments"),
            usize::from(!annotated.is_empty()),
        ]) {
            *count += more;
        }
        for (namespace, labels, mode, tracing) in &all {
            let context = || {
                format!(
                    "seed {seed}, {} of {labels} in {namespace}, root {root}\n{text}\n{:#?}",
                    mode.name(),
                    summary.plugins
                )
            };
            let own: Labels = serde_json::from_value((*labels).clone()).unwrap();
            let side = istio.side(Some(namespace), &own, *mode);
            assert!(
                side.percentage.total_cmp(&tracing.percentage).is_eq(),
                "{side:?} and {tracing:?}: {}",
                context()
            );
            assert_eq!(
                side.native.is_some(),
                tracing.runs,
                "{side:?} and {tracing:?}: {}",
                context()
            );
            assert_eq!(
                (side.disabled, side.silent),
                (tracing.is_disabled, tracing.is_silent),
                "{}",
                context()
            );
            let expected = match tracing.is_disabled && !is_off {
                true => 0.0,
                false => tracing.percentage,
            };
            let proxy = Proxy {
                namespace,
                labels,
                annotation: None,
            };
            let chain = istiod.chain(&proxy, *mode, &summary.plugins);
            let given = given(&chain, namespace, root, &samplings);
            assert!(
                given.total_cmp(&expected).is_eq(),
                "{given} and not {expected}: {}",
                context()
            );
        }
    }
    // Each kind of mesh came up, and often.
    let least = [8, 300, 100, 600, 1_000, 500, 300, 1_000];
    assert!(
        seen.iter().zip(least).all(|(seen, least)| *seen >= least),
        "{seen:?}"
    );
}
