//! Hot restart, by which an Envoy takes over the listeners and the statistics of the one before and then ends it.
//!
//! The first Envoy chooses a base id, which is what it and the later ones find each other by, and writes it into its folder. Each later one is
//! of the next epoch, and binds the ports of the one before, because Envoy looks for a listener to take over by its address.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The part of an Envoy in hot restarts.
#[derive(Clone, Debug, Default)]
pub(super) enum HotRestart {
    /// No part.
    #[default]
    None,
    /// The first one, from which another may take over.
    First,
    /// One that takes over.
    Next(Handover),
}

/// The knowledge that the next Envoy has of the one before.
#[derive(Clone, Debug)]
pub(crate) struct Handover {
    pub(crate) base_id: String,
    /// The epoch of the next one.
    pub(crate) epoch: u32,
    /// The ports by the names of listeners.
    pub(crate) ports: BTreeMap<String, u16>,
}

impl HotRestart {
    /// Returns the port of a listener; 0 takes a free one.
    pub(super) fn port(&self, listener: &str) -> u16 {
        match self {
            Self::Next(handover) => handover.ports.get(listener).copied().unwrap_or(0),
            Self::None | Self::First => 0,
        }
    }

    pub(super) fn epoch(&self) -> u32 {
        match self {
            Self::Next(handover) => handover.epoch,
            Self::None | Self::First => 0,
        }
    }

    /// Returns the arguments of the command line.
    pub(super) fn arguments(&self, folder: &Path) -> Vec<OsString> {
        let mut all: Vec<OsString> = match self {
            Self::None => return vec![NO_HOT_RESTART.into()],
            Self::First => vec!["--use-dynamic-base-id".into()],
            Self::Next(Handover { base_id, epoch, .. }) => {
                let epoch = epoch.to_string();
                let all = ["--base-id", base_id, "--restart-epoch", &epoch];
                all.map(OsString::from).into()
            }
        };
        all.extend(["--base-id-path".into(), file(folder).into()]);
        all
    }
}

/// Reads the base id of an Envoy by its folder.
pub(crate) fn base_id(folder: &Path) -> io::Result<String> {
    Ok(fs::read_to_string(file(folder))?.trim().into())
}

/// Removes the memory that the Envoys of a hot restart have shared, which they leave behind.
pub(crate) fn clean_up(folder: &Path) {
    if let Some(memory) = memory(folder)
        && let Err(error) = fs::remove_file(&memory)
    {
        log::warn!("{} stays: {error}", memory.display());
    }
}

/// Returns where that memory is; `None` for an Envoy without a part.
pub(crate) fn memory(folder: &Path) -> Option<PathBuf> {
    let id: u64 = base_id(folder).ok()?.parse().ok()?;
    // Envoy adds the epoch to an id for the names of sockets, and makes room for that.
    let name = format!("envoy_shared_memory_{}", id * 10);
    Some(Path::new("/dev/shm").join(name))
}

fn file(folder: &Path) -> PathBuf {
    folder.join("base-id")
}

/// The argument of an Envoy without a part, because hot restart needs a socket that all Envoys of a machine share.
pub(crate) const NO_HOT_RESTART: &str = "--disable-hot-restart";
