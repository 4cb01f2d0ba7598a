//! Entries that are loaded, and each way in which one is not ours.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::module::Prepared;
use crate::{Fuel, Module as Compiled, ModuleCache};

struct Scene {
    folder: tempfile::TempDir,
    directory: Directory,
    engine: &'static Engine,
    wasm: Vec<u8>,
}

impl Scene {
    /// Returns a directory with an entry for a module.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::new(&folder.path().join("cache"));
        let engine = &Prepared::with(Fuel::Unmetered).unwrap().engine;
        let wasm = wasm("1");
        let module = Module::from_binary(engine, &wasm).unwrap();
        directory.store(engine, &wasm, &module).unwrap();
        Self {
            folder,
            directory,
            engine,
            wasm,
        }
    }

    fn entry(&self) -> PathBuf {
        self.directory.0.join(name(self.engine, &self.wasm))
    }

    fn load(&self) -> io::Result<Option<Module>> {
        self.directory.load(self.engine, &self.wasm)
    }

    fn refusal(&self) -> String {
        self.load().unwrap_err().to_string()
    }

    fn files(&self) -> usize {
        fs::read_dir(&self.directory.0).unwrap().count()
    }
}

fn wasm(number: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(module
            (memory (export "memory") 1)
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const {number})))"#
    ))
    .unwrap()
}

#[test]
fn loads_what_it_has_stored_and_nothing_else() {
    let scene = Scene::new();
    let module = scene.load().unwrap().unwrap();
    assert!(module.get_export("malloc").is_some());
    let none = Directory::new(&scene.folder.path().join("none"));
    assert!(none.load(scene.engine, &scene.wasm).unwrap().is_none());
    let other = scene.directory.load(scene.engine, &wasm("2"));
    assert!(other.unwrap().is_none());
    let metered = &Prepared::with(Fuel::Metered).unwrap().engine;
    let other = scene.directory.load(metered, &scene.wasm);
    assert!(other.unwrap().is_none(), "an engine of other settings");
}

#[test]
fn creates_directory_and_entry_for_this_user_alone() {
    let scene = Scene::new();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&scene.directory.0), 0o700);
    assert_eq!(mode(&scene.entry()), 0o600);
    assert_eq!(scene.files(), 1, "no draft is left");
}

#[test]
fn refuses_what_others_may_write_to() {
    let scene = Scene::new();
    fs::set_permissions(scene.entry(), Permissions::from_mode(0o620)).unwrap();
    assert_eq!(scene.refusal(), "others may write to the entry (mode 620)");
    fs::set_permissions(scene.entry(), Permissions::from_mode(0o600)).unwrap();
    assert!(scene.load().unwrap().is_some());
    fs::set_permissions(&scene.directory.0, Permissions::from_mode(0o703)).unwrap();
    assert_eq!(
        scene.refusal(),
        "others may write to the directory (mode 703)"
    );
}

#[test]
fn refuses_what_belongs_to_another_user() {
    let scene = Scene::new();
    let stranger = Some(rustix::fs::Uid::from_raw(65_534));
    match rustix::fs::chown(scene.entry(), stranger, None) {
        Ok(()) => assert!(scene.refusal().contains("belongs to user 65534, not to")),
        // Only the superuser can give a file away; then there is nothing to refuse.
        Err(error) => assert_eq!(error, rustix::io::Errno::PERM),
    }
}

#[test]
fn follows_no_link() {
    let scene = Scene::new();
    let elsewhere = scene.folder.path().join("elsewhere");
    fs::rename(scene.entry(), &elsewhere).unwrap();
    symlink(&elsewhere, scene.entry()).unwrap();
    assert!(scene.load().is_err());
    let link = scene.folder.path().join("link");
    symlink(&scene.directory.0, &link).unwrap();
    let linked = Directory::new(&link).load(scene.engine, &scene.wasm);
    assert!(linked.is_err());
}

#[test]
fn refuses_an_entry_that_is_not_whole() {
    let incomplete = "the entry is incomplete, or of another version of this host";
    let scene = Scene::new();
    let whole = fs::read(scene.entry()).unwrap();
    for (bytes, reason) in [
        (&whole[..whole.len() - 1], incomplete),
        (&whole[1..], incomplete),
        (&[whole.as_slice(), b"x"].concat(), incomplete),
        (&whole[..20], "the entry is too short"),
        (&[], "the entry is too short"),
    ] {
        fs::write(scene.entry(), bytes).unwrap();
        assert_eq!(scene.refusal(), reason, "{} bytes", bytes.len());
    }
}

#[test]
fn refuses_the_code_of_another_module_under_the_same_name() {
    let scene = Scene::new();
    let other = wasm("2");
    let module = Module::from_binary(scene.engine, &other).unwrap();
    scene
        .directory
        .store(scene.engine, &other, &module)
        .unwrap();
    let of_other = scene.directory.0.join(name(scene.engine, &other));
    fs::rename(of_other, scene.entry()).unwrap();
    assert_eq!(
        scene.refusal(),
        "the entry is of another module with the same hash"
    );
}

#[test]
fn compiles_anew_what_is_refused_and_puts_it_in_its_place() {
    let scene = Scene::new();
    OpenOptions::new()
        .append(true)
        .open(scene.entry())
        .unwrap()
        .write_all(b"x")
        .unwrap();
    let cache = ModuleCache::directory(&scene.directory.0);
    Compiled::builder()
        .cache(cache)
        .compile(&scene.wasm)
        .unwrap();
    assert!(scene.load().unwrap().is_some());
}

#[test]
fn removes_what_was_not_used_for_longest() {
    let scene = Scene::new();
    let second = wasm("2");
    let module = Module::from_binary(scene.engine, &second).unwrap();
    scene
        .directory
        .store(scene.engine, &second, &module)
        .unwrap();
    // The first is used last.
    let now = SystemTime::now() + std::time::Duration::from_secs(1);
    File::open(scene.entry())
        .unwrap()
        .set_modified(now)
        .unwrap();
    let size = fs::metadata(scene.entry()).unwrap().len();
    let directory = scene.directory.open().unwrap().unwrap();
    prune(&directory, size).unwrap();
    assert!(scene.load().unwrap().is_some());
    assert_eq!(scene.files(), 1);
}
