//! Has the linker write each index in as few bytes as it needs. Otherwise it leaves room for five, which is a twentieth of
//! the module. It does so only where no debug information goes out, because the places in that would be wrong.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |key: &str, wanted: &str| std::env::var(key).is_ok_and(|found| found == wanted);
    if is("CARGO_CFG_TARGET_FAMILY", "wasm") && is("DEBUG", "false") {
        println!("cargo::rustc-link-arg-cdylib=--compress-relocations");
    }
}
