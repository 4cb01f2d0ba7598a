//! Istio's resolution of its own settings: the percentage of each side of a workload, and whether Istio's tracer runs
//! there.
//!
//! The rules are istiod's (its [telemetry model] and its [tracing configuration], 1.22 to 1.30):
//!
//! 1. The entries of `tracing` are laid over each other: those of the root namespace's Telemetry without a selector, of
//!    the namespace's, then of all Telemetries whose selector fits, older ones first. A field that an entry sets
//!    replaces the earlier value; `match.mode` limits an entry to one side.
//! 2. Without a `randomSamplingPercentage`, `tracing.sampling` of the workload's ProxyConfig holds, then
//!    `PILOT_TRACE_SAMPLING`, which is 1 by default.
//! 3. Of several Telemetries without a selector in one namespace only the oldest counts. A selector in the root
//!    namespace reaches the root namespace alone.
//!
//! [telemetry model]: https://github.com/istio/istio/blob/master/pilot/pkg/model/telemetry.go
//! [tracing configuration]: https://github.com/istio/istio/blob/master/pilot/pkg/networking/core/tracing.go

use super::settings::{Labels, Mesh, Mode, Place, Settings, Telemetry, Tracing};

/// Istio's settings, sorted for lookups.
#[derive(Debug)]
pub struct Istio<'a> {
    settings: &'a Settings,
    mesh: Option<&'a Mesh>,
    // Oldest first.
    telemetries: Vec<&'a Telemetry>,
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
    /// Key below that place.
    pub key: &'static str,
}

impl<'a> Istio<'a> {
    /// Sorts the settings for lookups.
    pub fn new(settings: &'a Settings) -> Self {
        let mut telemetries: Vec<_> = settings.telemetries.iter().collect();
        telemetries.sort_by_key(|telemetry| (&telemetry.created, &telemetry.name));
        Self {
            settings,
            mesh: settings.meshes.first(),
            telemetries,
        }
    }

    /// Returns the namespace whose Telemetry is for the whole mesh.
    pub fn root(&self) -> &'a str {
        let named = self.mesh.and_then(|mesh| mesh.root_namespace.as_deref());
        named
            .filter(|name| !name.is_empty())
            .unwrap_or("istio-system")
    }

    /// Returns true if a provider of this name samples by itself, so that Istio's percentage is 100.
    pub fn has_own_sampler(&self, provider: &str) -> bool {
        let list = self.mesh.and_then(|mesh| mesh.providers.as_deref());
        list.unwrap_or_default()
            .iter()
            .any(|(name, has_sampler)| *has_sampler && name.eq_ignore_ascii_case(provider))
    }

    /// Returns pairs of Telemetries without a selector in one namespace: the oldest, which counts, and one without
    /// effect.
    pub fn without_effect(&self) -> impl Iterator<Item = (&'a Telemetry, &'a Telemetry)> {
        self.telemetries.iter().filter_map(|telemetry| {
            let first = self.whole(&telemetry.namespace)?;
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
            telemetry.namespace == namespace
                && telemetry
                    .selector
                    .as_ref()
                    .is_some_and(|selector| fits(selector, labels))
        })
    }

    /// Resolves one side of a workload with these labels in this namespace; `None` is a namespace that no setting
    /// names.
    pub fn side(&self, namespace: Option<&str>, labels: &Labels, mode: Mode) -> Side<'a> {
        let entries = self.entries(namespace, labels);
        let default = self
            .mesh
            .and_then(|mesh| Some((mesh.default_provider.as_deref()?, &mesh.place)));
        let (fallback, by) = self.fallback(namespace, labels);
        let mut side = Side {
            percentage: fallback,
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
        side.native = self.native(&side, entries.is_empty());
        side
    }

    fn whole(&self, namespace: &str) -> Option<&'a Telemetry> {
        let is_it = |telemetry: &&&Telemetry| {
            telemetry.namespace == namespace && telemetry.selector.is_none()
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
    fn fallback(&self, namespace: Option<&str>, labels: &Labels) -> (f64, String) {
        let is_it = |selector: &Labels| fits(selector, labels);
        let annotated = self.settings.workloads.iter().find(|workload| {
            workload.sampling.is_some()
                && namespace == Some(&workload.namespace)
                && is_it(&workload.selector)
        });
        let annotation = annotated.and_then(|workload| {
            Some((
                workload.sampling?,
                format!("proxy.istio.io/config of {}", workload.place.name),
            ))
        });
        let mesh = || {
            let mesh = self.mesh?;
            Some((
                mesh.sampling?,
                "MeshConfig defaultConfig.tracing.sampling".to_owned(),
            ))
        };
        let pilot = || {
            let pilot = self.settings.pilots.first()?;
            Some((pilot.percentage, "PILOT_TRACE_SAMPLING".to_owned()))
        };
        annotation
            .or_else(mesh)
            .or_else(pilot)
            .unwrap_or((1.0, PILOT_DEFAULT.into()))
    }

    fn native(&self, side: &Side<'a>, is_legacy: bool) -> Option<Native<'a>> {
        if let Some((provider, place)) = side.provider {
            let known = self.mesh.and_then(|mesh| mesh.providers.as_ref());
            let is_known = known.is_none_or(|list| {
                list.iter()
                    .any(|(name, _)| name.eq_ignore_ascii_case(provider))
            });
            let is_default = self
                .mesh
                .is_some_and(|mesh| std::ptr::eq(&mesh.place, place));
            let key = if is_default {
                ".defaultProviders.tracing"
            } else {
                ".providers"
            };
            return (is_known && !side.disabled).then_some(Native { place, key });
        }
        // Istio reads the older settings of the mesh only where nothing of the Telemetry API is in use.
        let mesh = self.mesh.filter(|_| is_legacy)?;
        let place = &mesh.place;
        match mesh.enable_tracing {
            Some(true) => Some(Native {
                place,
                key: ".enableTracing",
            }),
            None if mesh.has_tracer => Some(Native {
                place,
                key: ".defaultConfig.tracing",
            }),
            _ => None,
        }
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
