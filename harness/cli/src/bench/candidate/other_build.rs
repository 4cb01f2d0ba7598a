//! Other builds of Sidespan's filter (`--module`), measured in the configurations of the one in this program: before a change
//! and after it in one run, because figures of two runs cannot be compared.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, ensure};

use super::description::{Build, Candidate, Group, Work};
use super::every::all;

/// Another build of the filter, as `--module` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bench) struct OtherBuild {
    file: PathBuf,
    name: String,
}

impl FromStr for OtherBuild {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (file, name) = text.rsplit_once('=').unwrap_or((text, "other"));
        let is_plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(format!(
                "`{name}` is no name; one has lower-case letters, digits and `-`, as in before.wasm=before"
            ));
        }
        let is_taken = all().iter().any(|it| it.name.starts_with(name));
        if is_taken {
            return Err(format!(
                "candidates' names begin with `{name}`; another one is `before`"
            ));
        }
        Ok(Self {
            file: file.into(),
            name: name.to_owned(),
        })
    }
}

impl OtherBuild {
    /// Returns this build's candidates: one for each of those that have this program's filter, to be measured beside it.
    ///
    /// # Errors
    /// When the file cannot be read, or is no module.
    pub(in crate::bench) fn beside(&self, chosen: &[Candidate]) -> anyhow::Result<Vec<Candidate>> {
        let file = self.file.display();
        let module =
            fs::read(&self.file).with_context(|| format!("--module: cannot read {file}"))?;
        ensure!(
            module.starts_with(MAGIC),
            "--module: {file} is no WebAssembly module; cargo build --release -p sidespan-filter --target wasm32-wasip1 makes one"
        );
        let candidate = |own: &Candidate| {
            let Work::Sidespan(Build::Own, configuration) = &own.work else {
                return None;
            };
            let build = Build::Other {
                name: self.name.clone(),
                module: module.clone().into(),
            };
            Some(Candidate {
                name: own.name.replacen("sidespan", &self.name, 1),
                title: format!("{} ({})", own.title, self.name),
                group: Group::OtherBuild,
                work: Work::Sidespan(build, configuration.clone()),
                floor: own.floor,
                own: Some(own.name.clone()),
            })
        };
        let beside: Vec<_> = chosen.iter().filter_map(candidate).collect();
        ensure!(
            !beside.is_empty(),
            "--module: no candidate of Sidespan is chosen that {file} could be measured beside; --only sidespan has them all"
        );
        Ok(beside)
    }
}

/// The first bytes of every module.
const MAGIC: &[u8] = b"\0asm";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_has_a_name_that_no_candidate_begins_with() {
        let build = |text: &str| text.parse::<OtherBuild>();
        let named = build("a=b.wasm=before").unwrap();
        assert_eq!(
            (named.file, named.name.as_str()),
            ("a=b.wasm".into(), "before")
        );
        assert_eq!(build("b.wasm").unwrap().name, "other");
        for wrong in [
            "b.wasm=",
            "b.wasm=Before",
            "b.wasm=a b",
            "b.wasm=sidespan",
            "b.wasm=least",
        ] {
            assert!(build(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_build_is_measured_in_each_configuration_that_is_chosen() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("before.wasm");
        let build: OtherBuild = format!("{}=before", file.display()).parse().unwrap();
        let all = all();
        let told = |chosen: &[Candidate]| build.beside(chosen).unwrap_err().to_string();
        assert!(told(&all).contains("cannot read"), "{}", told(&all));
        fs::write(&file, "no module").unwrap();
        assert!(told(&all).contains("cargo build"), "{}", told(&all));
        fs::write(&file, crate::embedded::FILTER).unwrap();
        let (ours, others): (Vec<_>, Vec<_>) =
            (all.into_iter()).partition(|it| it.group == Group::Sidespan);
        assert!(told(&others).contains("--only"), "{}", told(&others));
        let beside = build.beside(&ours).unwrap();
        assert_eq!(beside.len(), ours.len());
        for (own, before) in ours.iter().zip(&beside) {
            assert_eq!(before.own.as_ref(), Some(&own.name));
            assert_eq!(before.floor, own.floor);
            assert!(before.name.starts_with("before-"), "{}", before.name);
            assert_eq!(before.exports(), own.exports());
        }
    }
}
