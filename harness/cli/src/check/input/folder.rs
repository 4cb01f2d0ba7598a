//! Folders that people name in place of files, each with the command that makes a file of it.

use std::path::Path;

/// Returns what to do with a folder, which cannot be read by itself.
///
/// What renders a folder of manifests reads plugins, remote bases and values as well, so it is run in front and not built in.
pub(in crate::check) fn advice(folder: &Path) -> String {
    let has = |names: &[&str]| names.iter().any(|name| folder.join(name).is_file());
    let shown = folder.display();
    if has(&["kustomization.yaml", "kustomization.yml", "Kustomization"]) {
        return format!(
            "a folder of kustomize; render it first: kubectl kustomize {shown} | sidespan check -"
        );
    }
    if has(&["Chart.yaml"]) {
        return format!(
            "a Helm chart; render it first, with your values: helm template sidespan {shown} | sidespan check -"
        );
    }
    format!("a folder; name the files in it, such as {shown}/*.yaml")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::advice;

    #[test]
    fn a_folder_is_told_by_its_files() {
        for (file, expected) in [
            (
                "kustomization.yaml",
                "a folder of kustomize; render it first: kubectl kustomize DIR | sidespan check -",
            ),
            (
                "Chart.yaml",
                "a Helm chart; render it first, with your values: helm template sidespan DIR | sidespan check -",
            ),
            (
                "wasmplugin.yaml",
                "a folder; name the files in it, such as DIR/*.yaml",
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(file), "").unwrap();
            let said = advice(folder.path());
            let said = said.replace(&folder.path().display().to_string(), "DIR");
            assert_eq!(said, expected);
        }
    }
}
