//! Istio's `Telemetry`, as far as it is about tracing.

use super::{Document, Labels, Place, Settings, Weight, identity, labels};

/// One resource. One that names several gateways is several.
#[derive(Clone, Debug, PartialEq)]
pub struct Telemetry {
    /// The resource.
    pub place: Place,
    /// Where it is.
    pub namespace: String,
    /// What it is called.
    pub name: String,
    /// `creationTimestamp`, by which Istio orders them; empty in a file that was never applied.
    pub created: String,
    /// The workloads that it is for; `None` for all of its namespace, and in the root namespace for all of the mesh.
    pub selector: Option<Labels>,
    /// `spec.tracing`, in order.
    pub tracing: Vec<Tracing>,
}

/// One entry of `spec.tracing`; what is `None` leaves what was there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tracing {
    /// The entry.
    pub place: Place,
    /// `match.mode`; `None` for both.
    pub mode: Option<Mode>,
    /// The first of `providers`: Istio takes no other.
    pub provider: Option<String>,
    /// `randomSamplingPercentage`
    pub percentage: Option<f64>,
    /// `disableSpanReporting`
    pub disabled: Option<bool>,
    /// `disableContextPropagation`
    pub silent: Option<bool>,
}

/// Which side of a workload: Istio's `WorkloadMode`. A gateway counts as client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What the workload sends.
    Client,
    /// What it receives.
    Server,
}

impl Mode {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Client, Self::Server];

    /// Istio's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "CLIENT",
            Self::Server => "SERVER",
        }
    }
}

/// The label of the pods of a gateway that the Gateway API made, by which Istio finds them for `targetRefs`.
pub const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

pub(super) fn read(settings: &mut Settings, place: Place, tree: &Document) {
    let (namespace, name) = identity(tree);
    let place = place.named("Telemetry", &namespace, &name);
    let entries = tree
        .at(&["spec"])
        .map_or(&[][..], |spec| spec.items("tracing"));
    let tracing: Vec<_> = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| {
            let place = place.at(&format!(".spec.tracing[{index}]"));
            tracing(settings, place, entry)
        })
        .collect();
    let created = tree.at(&["metadata", "creationTimestamp"]);
    let created = created.and_then(Document::text).unwrap_or_default();
    for selector in scopes(settings, &place, tree) {
        settings.telemetries.push(Telemetry {
            place: place.clone(),
            namespace: namespace.clone(),
            name: name.clone(),
            created: created.into(),
            selector,
            tracing: tracing.clone(),
        });
    }
}

fn tracing(settings: &mut Settings, place: Place, entry: &Document) -> Tracing {
    let mode = entry.at(&["match", "mode"]).and_then(Document::text);
    let providers = entry.items("providers");
    let provider = |index: usize| providers.get(index)?.get("name")?.text();
    if providers.len() > 1 {
        settings.note(
            Weight::Warning,
            place.at(".providers"),
            format!(
                "Istio takes the first provider of a list, {}, and leaves the others out",
                provider(0).unwrap_or_default()
            ),
        );
    }
    let at = place.at(".randomSamplingPercentage");
    Tracing {
        mode: match mode {
            Some("CLIENT") => Some(Mode::Client),
            Some("SERVER") => Some(Mode::Server),
            _ => None,
        },
        provider: provider(0).map(Into::into),
        percentage: settings.percentage(&at, entry.get("randomSamplingPercentage")),
        disabled: entry
            .get("disableSpanReporting")
            .and_then(Document::boolean),
        silent: entry
            .get("disableContextPropagation")
            .and_then(Document::boolean),
        place,
    }
}

/// For which workloads it is: one entry a selector.
fn scopes(settings: &mut Settings, place: &Place, tree: &Document) -> Vec<Option<Labels>> {
    let Some(spec) = tree.get("spec") else {
        return vec![None];
    };
    let refs: Vec<_> = spec
        .get("targetRef")
        .into_iter()
        .chain(spec.items("targetRefs"))
        .collect();
    if refs.is_empty() {
        let selector = labels(spec.at(&["selector", "matchLabels"]));
        return vec![(!selector.is_empty()).then_some(selector)];
    }
    let mut scopes = Vec::new();
    for target in refs {
        let of = |key: &str| target.get(key).and_then(Document::text).unwrap_or_default();
        if of("kind") == "Gateway" {
            scopes.push(Some(Labels::from([(
                GATEWAY_NAME.into(),
                of("name").into(),
            )])));
        } else {
            settings.note(
                Weight::Skipped,
                place.at(".spec.targetRefs"),
                format!(
                    "for {} {} nothing is worked out: which waypoint that is cannot be seen here; give a WasmPlugin the same \
                     targetRefs, and the percentage from here",
                    of("kind"),
                    of("name")
                ),
            );
        }
    }
    scopes
}
