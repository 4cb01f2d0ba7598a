//! The cache of compiled modules: a private directory with one file for each module and engine.
//!
//! Wasmtime runs compiled code as it is given, so that loading it from a file is as dangerous as calling a library of that
//! name. An entry is therefore loaded only if nobody else can have written it:
//!
//! - The directory, opened without following a link, belongs to this user, and nobody else may write to it. The same holds
//!   for the entry, a file opened in that very directory without following a link. What was checked is the open file, and
//!   the same open file is loaded, so that nothing can be put in its place meanwhile.
//! - It ends with a trailer of this version of the format, with the lengths of all that is in front of it. It was written
//!   under another name, flushed and renamed, so that it is whole or absent.
//! - The wasm bytes that it was compiled from are in it, and are compared with those to be loaded: no hash is trusted. The
//!   name of the entry has a hash of the engine's version and settings
//!   (`Engine::precompile_compatibility_hash`), which wasmtime checks once more.
//!
//! Who can write such a file is this user or the superuser, and both can already run code as this user.
//!
//! ```text
//! compiled code (ELF)   the module's wasm   length of the code, u64   length of the wasm, u64   magic, 16 bytes
//! ```

use std::fs::File;
use std::hash::BuildHasher;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use wasmtime::{Engine, Module};

/// The end of every entry: this format, and nothing that wasmtime or another version of this file would write.
const MAGIC: &[u8; 16] = b"sidespan module1";
const TRAILER: u64 = 8 + 8 + 16;

/// The bytes of a directory, beyond which the entries that were not used for longest are removed.
const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// One directory of compiled modules.
#[derive(Clone, Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Loads the code of a module, if there is an entry that only this user can have written.
    ///
    /// # Errors
    /// The reason for which an entry that is there is not loaded, and any error of the system.
    pub(super) fn load(&self, engine: &Engine, wasm: &[u8]) -> io::Result<Option<Module>> {
        let Some(directory) = self.open()? else {
            return Ok(None);
        };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let entry = match rustix::fs::openat(&directory, name(engine, wasm), flags, Mode::empty()) {
            Ok(entry) => File::from(entry),
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        check_entry(&entry, wasm)?;
        // The time of the last use, for `prune`. An entry that cannot be marked is as good as another.
        let _ = entry.set_modified(SystemTime::now());
        #[expect(
            unsafe_code,
            reason = "an entry is this process's own code, as the checks above prove; see the head of this file"
        )]
        // SAFETY: the open file belongs to this user, nobody else may write to it or could have put it into the directory, and
        // it was renamed into place as a whole, after `Module::serialize` of the same version of wasmtime had written it.
        let module = unsafe { Module::deserialize_open_file(engine, entry) };
        module.map(Some).map_err(io::Error::other)
    }

    /// Keeps the code of a module.
    ///
    /// # Errors
    /// Any error of the system; the directory is then as it was, but perhaps for a file that `prune` removes later.
    pub(super) fn store(&self, engine: &Engine, wasm: &[u8], module: &Module) -> io::Result<()> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let code = module.serialize().map_err(io::Error::other)?;
        self.create()?;
        let Some(directory) = self.open()? else {
            return Ok(());
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let draft = format!(".{}-{number}", std::process::id());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = File::from(rustix::fs::openat(&directory, &draft, flags, mode)?);
        let written = write_entry(&file, &code, wasm).and_then(|()| {
            rustix::fs::renameat(&directory, &draft, &directory, name(engine, wasm))
                .map_err(io::Error::from)
        });
        if written.is_err() {
            let _ = rustix::fs::unlinkat(&directory, &draft, AtFlags::empty());
        }
        written?;
        prune(&directory, MAX_BYTES)
    }

    /// Creates the directory for this user alone.
    fn create(&self) -> io::Result<()> {
        use std::os::unix::fs::DirBuilderExt;

        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
    }

    /// Opens the directory; `None` if there is none.
    fn open(&self) -> io::Result<Option<File>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = match rustix::fs::open(&self.0, flags, Mode::empty()) {
            Ok(directory) => File::from(directory),
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        check_owner(&directory, "directory")?;
        Ok(Some(directory))
    }
}

/// Returns the name of a module's entry: equal names say little, for `check_entry` compares the modules.
fn name(engine: &Engine, wasm: &[u8]) -> String {
    let hashes = foldhash::quality::FixedState::default();
    let settings = hashes.hash_one(engine.precompile_compatibility_hash());
    let content = hashes.hash_one(wasm);
    format!("{settings:016x}-{content:016x}")
}

/// Checks that an open file or directory is this user's, and that nobody else may write to it. A list of access rights that
/// lets somebody write shows in the bits of the group.
fn check_owner(file: &File, what: &str) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    let metadata = file.metadata()?;
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        return refuse(format!("the {what} belongs to user {owner}, not to {user}"));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o022 != 0 {
        return refuse(format!("others may write to the {what} (mode {mode:o})"));
    }
    Ok(())
}

fn check_entry(entry: &File, wasm: &[u8]) -> io::Result<()> {
    check_owner(entry, "entry")?;
    let metadata = entry.metadata()?;
    if !metadata.is_file() {
        return refuse("the entry is no file".to_owned());
    }
    let Some(at) = metadata.len().checked_sub(TRAILER) else {
        return refuse("the entry is too short".to_owned());
    };
    let mut lengths = [[0; 8]; 2];
    let mut magic = [0; MAGIC.len()];
    let [code, module] = &mut lengths;
    entry.read_exact_at(code, at)?;
    entry.read_exact_at(module, at + 8)?;
    entry.read_exact_at(&mut magic, at + 16)?;
    let [code, module] = lengths.map(u64::from_le_bytes);
    if magic != *MAGIC || code.checked_add(module) != Some(at) {
        return refuse("the entry is incomplete, or of another version of this host".to_owned());
    }
    if !holds(entry, code, wasm)? || u64::try_from(wasm.len()) != Ok(module) {
        return refuse("the entry is of another module with the same hash".to_owned());
    }
    Ok(())
}

/// Returns true if the file has these bytes at a place.
fn holds(entry: &File, mut at: u64, wasm: &[u8]) -> io::Result<bool> {
    let mut buffer = vec![0; 64 * 1024];
    for chunk in wasm.chunks(buffer.len()) {
        let read = &mut buffer[..chunk.len()];
        entry.read_exact_at(read, at)?;
        if read != chunk {
            return Ok(false);
        }
        at += chunk.len() as u64;
    }
    Ok(true)
}

fn write_entry(file: &File, code: &[u8], wasm: &[u8]) -> io::Result<()> {
    let mut at = 0;
    let lengths = [code, wasm].map(|part| (part.len() as u64).to_le_bytes());
    for part in [code, wasm, &lengths[0], &lengths[1], MAGIC] {
        file.write_all_at(part, at)?;
        at += part.len() as u64;
    }
    // A file that is renamed before its bytes are on the disk can be full of zeros after a loss of power.
    file.sync_data()
}

/// Removes the files that were not used for longest, until the rest is small enough.
fn prune(directory: &File, max_bytes: u64) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let stat = rustix::fs::statat(directory, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
        if rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() {
            let bytes = u64::try_from(stat.st_size).unwrap_or_default();
            files.push((stat.st_mtime, bytes, entry.file_name().to_owned()));
        }
    }
    files.sort();
    let mut total: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
    for (_, bytes, name) in files {
        if total <= max_bytes {
            break;
        }
        rustix::fs::unlinkat(directory, &name, AtFlags::empty())?;
        total -= bytes;
    }
    Ok(())
}

fn refuse<T>(reason: String) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
}

#[cfg(test)]
mod tests;
