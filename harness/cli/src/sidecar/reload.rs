//! Reloads: files are looked at twice a second, and what has changed is loaded, started, and only then takes new streams.
//!
//! Looking is what works everywhere: a notice by the kernel (inotify, kqueue) does not come for network and shared folders or
//! through the links of a ConfigMap, and is lost with a file that is replaced by its name. A few files cost nothing.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sidespan_host::HostBuilder;
use tokio::time::sleep;

use super::running::Sidecar;
use crate::output;
use crate::run::chain::{Chain, Single};

/// The origin of the filters.
#[derive(Clone, Debug)]
pub(super) enum Filters {
    /// The flags of the command line.
    Single(Single),
    /// A chain file.
    Chain(PathBuf),
}

/// Filters that are ready to start, and what they were read from.
pub(super) struct Loaded {
    pub(super) chain: Chain,
    pub(super) filters: Vec<HostBuilder>,
    pub(super) files: Files,
}

/// Number of reloads by their outcome.
#[derive(Debug, Default)]
pub(super) struct Reloads {
    taken: u64,
    refused: u64,
}

/// The state of all files that the filters are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Files {
    names: BTreeSet<PathBuf>,
    stamps: Vec<Option<(SystemTime, u64)>>,
    contents: u64,
}

impl Filters {
    /// Reads everything, and compiles the modules.
    ///
    /// # Errors
    /// When a file cannot be read, or is no filter that Envoy would load.
    pub(super) fn load(&self) -> anyhow::Result<Loaded> {
        let chain = self.chain()?;
        // Stamped before they are read, so that a change in between is seen.
        let files = self.files(&chain);
        let filters = chain.install()?;
        Ok(Loaded {
            chain,
            filters,
            files,
        })
    }

    fn chain(&self) -> anyhow::Result<Chain> {
        match self {
            Self::Single(single) => Ok(Chain::of(single.clone())),
            Self::Chain(file) => Chain::read(file),
        }
    }

    fn files(&self, chain: &Chain) -> Files {
        let own = match self {
            Self::Single(_) => None,
            Self::Chain(file) => Some(file.clone()),
        };
        Files::of(own.into_iter().chain(chain.files()).collect())
    }
}

impl Files {
    fn of(names: BTreeSet<PathBuf>) -> Self {
        let stamps = names.iter().map(|name| stamp(name)).collect();
        let mut hasher = DefaultHasher::new();
        for name in &names {
            // A file that cannot be read has no contents, and loading says why.
            fs::read(name).ok().hash(&mut hasher);
        }
        Self {
            names,
            stamps,
            contents: hasher.finish(),
        }
    }

    /// Returns true if a file was written to, or has come or gone.
    fn are_touched(&self) -> bool {
        let stamps = self.names.iter().map(|name| stamp(name));
        !stamps.eq(self.stamps.iter().copied())
    }
}

impl Reloads {
    /// Returns a line on all reloads; `None` if there was none.
    pub(super) fn summary(&self) -> Option<String> {
        let Self { taken, refused } = self;
        (taken + refused > 0).then(|| format!("reloads: {taken} taken, {refused} refused"))
    }
}

/// Reloads the filters whenever a file has changed, for ever, and says so in the chain and the counts.
pub(super) async fn follow(
    sidecar: &Sidecar,
    filters: &Filters,
    files: Files,
    (chain, reloads): (&mut Chain, &mut Reloads),
) {
    let mut running = files;
    let mut last = running.clone();
    loop {
        sleep(PERIOD).await;
        if !last.are_touched() {
            if last.contents != running.contents {
                let (files, taken) = reload(sidecar, filters, last).await;
                match taken {
                    Some(taken) => {
                        *chain = taken;
                        reloads.taken += 1;
                    }
                    None => reloads.refused += 1,
                }
                running = files;
                last = running.clone();
            }
            continue;
        }
        // A file that is being written to is left alone until it rests.
        last = Files::of(last.names);
    }
}

/// Loads and starts the filters anew; returns the files that this was done with, and the filters if they have started.
async fn reload(sidecar: &Sidecar, filters: &Filters, seen: Files) -> (Files, Option<Chain>) {
    let filters = filters.clone();
    let loading = tokio::task::spawn_blocking(move || filters.load());
    let loaded = match loading.await {
        Ok(loaded) => loaded,
        Err(error) => Err(error.into()),
    };
    let outcome = match loaded {
        Ok(Loaded {
            chain,
            filters,
            files,
        }) => {
            let started = sidecar.reload(filters).await;
            (files, started.map(|()| chain))
        }
        Err(error) => (seen, Err(error)),
    };
    match outcome {
        (files, Ok(chain)) => {
            output::tell("reloaded: new requests go through the new filters");
            (files, Some(chain))
        }
        (files, Err(error)) => {
            output::tell(format_args!(
                "not reloaded, requests go through the old filters: {error:#}"
            ));
            (files, None)
        }
    }
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Time between two looks.
const PERIOD: Duration = Duration::from_millis(500);
