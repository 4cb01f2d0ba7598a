//! Targets by which a plugin reaches nobody, and nothing but missing spans tells.

use super::compatibility::SidespanConfig;
use super::istio::plugin_scope::{Scope, Target, WAYPOINT};
use super::istio::settings::{Note, Place, Weight};

/// Returns a warning for each class of gateways that Istio does not take a plugin for, by
/// `PolicyMatcher.ShouldAttachPolicy` of its `pilot/pkg/model`.
pub fn notes(root: &str, ours: &[SidespanConfig<'_>]) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    for ours in ours {
        let Some((scope, (resource, _))) = ours.scope.zip(ours.path.rsplit_once(".spec")) else {
            continue;
        };
        let problems = scope
            .targets
            .iter()
            .filter_map(|target| problem(target, scope, root));
        for message in problems {
            let note = Note {
                weight: Weight::Warning,
                message,
                place: Place {
                    file: ours.file,
                    document: ours.document,
                    path: format!("{resource}.spec.targetRefs"),
                    name: String::new(),
                },
            };
            // Each patch of an EnvoyFilter has the same targets.
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}

fn problem(target: &Target, scope: &Scope, root: &str) -> Option<String> {
    if target.kind != "GatewayClass" {
        return None;
    }
    if target.name != WAYPOINT {
        return Some(format!(
            "reaches nobody, for the only GatewayClass that Istio takes here is {WAYPOINT}; write that for all waypoints, or \
             kind: Gateway with the name of one gateway"
        ));
    }
    let namespace = scope.namespace.as_deref()?;
    (namespace != root).then(|| {
        format!(
            "reaches nobody, for Istio takes a GatewayClass from the root namespace alone, which is {root}; put the resource \
             there, or write kind: Gateway with the name of a waypoint in {namespace}"
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::check::results::{Options, Results};

    /// Returns the warnings on a plugin in this namespace with these targets.
    fn warned(namespace: &str, target: &str, root: Option<&str>) -> Vec<String> {
        let yaml = format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: sidespan{namespace}}}\nspec: \
             {{url: 'oci://r.example/sidespan:1', phase: AUTHN, failStrategy: FAIL_OPEN, targetRefs: \
             [{{group: gateway.networking.k8s.io, {target}}}]}}\n"
        );
        let options = Options {
            root_namespace: root,
            ..Options::default()
        };
        let results = Results::of(vec![("a.yaml".into(), Ok(yaml.into_bytes()))], options);
        assert!(results.valid, "{results:#?}");
        let warnings = results.reports[0].warnings.iter();
        warnings
            .map(|found| format!("{}: {}", found.path, found.message))
            .collect()
    }

    #[test]
    fn a_class_of_gateways_is_taken_from_the_root_namespace_alone() {
        let class = "kind: GatewayClass, name: istio-waypoint";
        for (namespace, target, root, told) in [
            (", namespace: istio-system", class, None, None),
            (", namespace: mesh", class, Some("mesh"), None),
            // The namespace that kubectl is told may be the root.
            ("", class, None, None),
            (
                ", namespace: shop",
                "kind: Gateway, name: waypoint",
                None,
                None,
            ),
            (
                ", namespace: shop",
                class,
                None,
                Some("alone, which is istio-system; put the resource there"),
            ),
            (
                ", namespace: istio-system",
                "kind: GatewayClass, name: istio",
                None,
                Some("the only GatewayClass that Istio takes here is istio-waypoint"),
            ),
        ] {
            let warned = warned(namespace, target, root);
            assert_eq!(warned.len(), usize::from(told.is_some()), "{warned:?}");
            let at = "$.spec.targetRefs: reaches nobody, for ";
            let is_told = |told: &str| warned[0].starts_with(at) && warned[0].contains(told);
            assert!(told.is_none_or(is_told), "{warned:?}");
        }
    }
}
