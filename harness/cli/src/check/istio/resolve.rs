//! Istio's resolution of its own settings: the percentage of each side of a workload, and whether Istio's tracer runs
//! there.
//!
//! The rules are istiod's (its [telemetry model] and its [tracing configuration], 1.22 to 1.30):
//!
//! 1. The entries of `tracing` are laid over each other: those of the root namespace's Telemetry without a selector, of
//!    the namespace's, then of all Telemetries whose selector fits, older ones first. A field that an entry sets
//!    replaces the earlier value; `match.mode` limits an entry to one side.
//! 2. Without a `randomSamplingPercentage`, `tracing.sampling` of the workload's ProxyConfig holds, then
//!    `PILOT_TRACE_SAMPLING`, which is 1 by default. The ProxyConfig's `tracing` is that of the workload's annotation,
//!    or else the mesh's: never a mixture.
//! 3. Of several Telemetries without a selector in one namespace only the oldest counts. A selector in the root
//!    namespace reaches the root namespace alone.
//! 4. The tracer is that of the named provider, or else of the first of `defaultProviders`; a name that the mesh does
//!    not have, or whose kind cannot trace, is no tracer. Where no Telemetry and no default provider says anything, the
//!    tracer is that of the proxy's bootstrap, where its ProxyConfig names one and `enableTracing` is not false.
//!
//! [telemetry model]: https://github.com/istio/istio/blob/master/pilot/pkg/model/telemetry.go
//! [tracing configuration]: https://github.com/istio/istio/blob/master/pilot/pkg/networking/core/tracing.go

use super::settings::{
    Labels, Mesh, Mode, Place, Provider, ProxyTracing, Settings, Telemetry, Tracing, Workload,
};

/// Istio's settings, sorted for lookups.
#[derive(Debug)]
pub struct Istio<'a> {
    settings: &'a Settings,
    mesh: Option<&'a Mesh>,
    // Oldest first.
    telemetries: Vec<&'a Telemetry>,
    // Those with an annotation that labels can select, because there may be thousands without.
    annotated: Vec<&'a Workload>,
}

/// The resolved settings of one side of a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Side<'a> {
    /// Percentage of new traces.
    pub percentage: f64,
    /// Source of the percentage, in words.
    pub by: String,
    /// `disableSpanReporting` of the last entry that sets it.
    pub disabled: bool,
    /// The tracer's provider, and the place that names it.
    pub provider: Option<(&'a str, &'a Place)>,
    /// True if Istio's tracer leaves the headers alone.
    pub silent: bool,
    /// The setting that turns Istio's tracer on; `None` where the tracer is off.
    pub native: Option<Native<'a>>,
}

/// The setting that turns Istio's tracer on.
#[derive(Clone, Debug, PartialEq)]
pub struct Native<'a> {
    /// Place of the resource.
    pub place: &'a Place,
    /// Key below that place; empty where the place says all.
    pub key: &'static str,
}

impl<'a> Istio<'a> {
    /// Sorts the settings for lookups; a Telemetry without a namespace holds nowhere.
    pub fn new(settings: &'a Settings) -> Self {
        let placed = settings
            .telemetries
            .iter()
            .filter(|telemetry| telemetry.namespace.is_some());
        let mut telemetries: Vec<_> = placed.collect();
        telemetries.sort_by_key(|telemetry| (&telemetry.created, &telemetry.name));
        Self {
            settings,
            mesh: settings.meshes.first(),
            telemetries,
            annotated: settings
                .workloads
                .iter()
                .filter(|workload| workload.tracing.is_some() && !workload.selector.is_empty())
                .collect(),
        }
    }

    /// Returns the namespace whose Telemetry is for the whole mesh.
    pub fn root(&self) -> &'a str {
        let named = self.mesh.and_then(|mesh| mesh.root_namespace.as_deref());
        let asked = self.settings.root.as_deref();
        asked
            .or(named)
            .or(self.settings.istio_namespace.as_deref())
            .filter(|name| !name.is_empty())
            .unwrap_or("istio-system")
    }

    /// Returns the mesh's provider of this name, whose case does not matter; `None` as well where no file has the mesh.
    pub fn provider(&self, name: &str) -> Option<&'a Provider> {
        let is_it = |provider: &&Provider| provider.name.eq_ignore_ascii_case(name);
        self.mesh?.providers.iter().find(is_it)
    }

    /// Returns the mesh that counts, if a file has one.
    pub fn mesh(&self) -> Option<&'a Mesh> {
        self.mesh
    }

    /// Returns true if a provider of this name samples by itself, so that Istio's percentage is 100.
    pub fn has_own_sampler(&self, provider: &str) -> bool {
        self.provider(provider)
            .is_some_and(|provider| provider.has_sampler)
    }

    /// Returns pairs of Telemetries without a selector in one namespace: the oldest, which counts, and one without
    /// effect.
    pub fn without_effect(&self) -> impl Iterator<Item = (&'a Telemetry, &'a Telemetry)> {
        self.telemetries.iter().filter_map(|telemetry| {
            let first = self.whole(telemetry.namespace.as_deref()?)?;
            let is_shadowed = telemetry.selector.is_none() && first.place != telemetry.place;
            is_shadowed.then_some((first, *telemetry))
        })
    }

    /// Returns the Telemetries that select these labels in this namespace, older ones first.
    pub fn selecting(
        &self,
        namespace: &str,
        labels: &Labels,
    ) -> impl Iterator<Item = &'a Telemetry> {
        self.telemetries.iter().copied().filter(move |telemetry| {
            telemetry.namespace.as_deref() == Some(namespace)
                && telemetry
                    .selector
                    .as_ref()
                    .is_some_and(|selector| fits(selector, labels))
        })
    }

    /// Resolves one side of a workload with these labels in this namespace; `None` is a namespace that no setting
    /// names.
    pub fn side(&self, namespace: Option<&str>, labels: &Labels, mode: Mode) -> Side<'a> {
        let mut annotated = self.annotated.iter().copied();
        let annotated = annotated.find(|workload| {
            namespace.is_some()
                && namespace == workload.namespace.as_deref()
                && fits(&workload.selector, labels)
        });
        self.resolve(namespace, labels, mode, annotated)
    }

    /// Resolves one side of a workload of the files.
    pub fn side_of(&self, workload: &'a Workload, mode: Mode) -> Side<'a> {
        let namespace = workload.namespace.as_deref();
        if workload.tracing.is_none() {
            // A pod template may fit another's selector, and a bare Pod its Deployment's.
            return self.side(namespace, &workload.labels, mode);
        }
        let annotated = Some(workload);
        self.resolve(namespace, &workload.labels, mode, annotated)
    }

    fn resolve(
        &self,
        namespace: Option<&str>,
        labels: &Labels,
        mode: Mode,
        annotated: Option<&'a Workload>,
    ) -> Side<'a> {
        let entries = self.entries(namespace, labels);
        let default = self
            .mesh
            .and_then(|mesh| Some((mesh.default_provider.as_deref()?, &mesh.place)));
        let (percentage, by) = self.fallback(annotated);
        let mut side = Side {
            percentage,
            by,
            disabled: false,
            provider: default,
            silent: false,
            native: None,
        };
        for entry in &entries {
            if entry.mode.is_some_and(|only| only != mode) {
                continue;
            }
            if let Some(provider) = &entry.provider {
                side.provider = Some((provider, &entry.place));
            }
            if let Some(percentage) = entry.percentage {
                side.percentage = percentage;
                side.by = entry.place.name.clone();
            }
            side.disabled = entry.disabled.unwrap_or(side.disabled);
            side.silent = entry.silent.unwrap_or(side.silent);
        }
        let proxy = annotated.and_then(|workload| workload.tracing.as_ref());
        side.native = match side.provider {
            Some((provider, place)) => self.of_provider(provider, place),
            None if entries.is_empty() => self.of_bootstrap(proxy),
            None => None,
        }
        .filter(|_| !side.disabled);
        side
    }

    fn whole(&self, namespace: &str) -> Option<&'a Telemetry> {
        let is_it = |telemetry: &&&Telemetry| {
            telemetry.namespace.as_deref() == Some(namespace) && telemetry.selector.is_none()
        };
        self.telemetries.iter().find(is_it).copied()
    }

    fn entries(&self, namespace: Option<&str>, labels: &Labels) -> Vec<&'a Tracing> {
        let own = namespace.filter(|namespace| *namespace != self.root());
        let whole = self
            .whole(self.root())
            .into_iter()
            .chain(own.and_then(|own| self.whole(own)));
        let selected = namespace
            .into_iter()
            .flat_map(|namespace| self.selecting(namespace, labels));
        whole
            .chain(selected)
            .flat_map(|telemetry| &telemetry.tracing)
            .collect()
    }

    /// Returns the percentage where no Telemetry sets one, and its source.
    fn fallback(&self, annotated: Option<&Workload>) -> (f64, String) {
        let sampling = match annotated {
            Some(workload) => workload.tracing.as_ref().and_then(|tracing| {
                let by = || format!("proxy.istio.io/config of {}", workload.place.name);
                Some((tracing.sampling?, by()))
            }),
            None => self.mesh.and_then(|mesh| {
                let by = "MeshConfig defaultConfig.tracing.sampling";
                Some((mesh.tracing.sampling?, by.to_owned()))
            }),
        };
        let pilot = || {
            let pilot = self.settings.pilots.first()?;
            Some((pilot.percentage, "PILOT_TRACE_SAMPLING".to_owned()))
        };
        sampling
            .or_else(pilot)
            .unwrap_or((1.0, PILOT_DEFAULT.into()))
    }

    /// Returns the setting that turns on a provider's tracer; where no file has the mesh, every provider is taken for one
    /// that traces.
    fn of_provider(&self, name: &str, place: &'a Place) -> Option<Native<'a>> {
        let is_default = self
            .mesh
            .is_some_and(|mesh| std::ptr::eq(&mesh.place, place));
        let key = if is_default {
            ".defaultProviders.tracing"
        } else {
            ".providers"
        };
        let traces = match self.mesh {
            Some(_) => self.provider(name).is_some_and(Provider::can_trace),
            None => true,
        };
        traces.then_some(Native { place, key })
    }

    /// Returns the setting that turns on the tracer of the proxy's bootstrap.
    fn of_bootstrap(&self, proxy: Option<&'a ProxyTracing>) -> Option<Native<'a>> {
        let is_enabled = self.mesh.is_none_or(|mesh| mesh.enable_tracing);
        let tracing = proxy.or(self.mesh.map(|mesh| &mesh.tracing))?;
        (is_enabled && tracing.has_tracer).then_some(Native {
            place: &tracing.place,
            key: "",
        })
    }
}

/// Returns true if a selector fits these labels.
pub fn fits(selector: &Labels, labels: &Labels) -> bool {
    selector
        .iter()
        .all(|(name, value)| labels.get(name) == Some(value))
}

/// Source of the percentage where no setting has one.
pub(super) const PILOT_DEFAULT: &str = "the default of PILOT_TRACE_SAMPLING";
