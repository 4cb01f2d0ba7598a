//! Modules that load, and each way in which Envoy refuses one, in the words of its log.

use super::*;
use crate::host::Host;

const GOOD: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) i32.const 1024)
    (func (export "proxy_on_tick") (param i32)))"#;

fn load(change: impl Fn(&str) -> String) -> Result<Module, LoadError> {
    Module::compile(&wat::parse_str(change(GOOD)).unwrap())
}

#[test]
fn loads_a_module_and_knows_its_version() {
    assert_eq!(
        load(str::to_owned).unwrap().abi_version(),
        AbiVersion::V0_2_1
    );
}

#[test]
fn takes_the_first_version_that_is_exported() {
    let both = |good: &str| {
        good.replacen(
            "(memory",
            r#"(func (export "proxy_abi_version_0_1_0")) (memory"#,
            1,
        )
    };
    assert_eq!(load(both).unwrap().abi_version(), AbiVersion::V0_1_0);
}

#[test]
fn refuses_what_is_no_module_in_the_words_of_envoys_log() {
    let corrupted = "Failed to parse corrupted Wasm module";
    let no_version = "Missing or unknown Proxy-Wasm ABI version";
    let bytecode = "Failed to load Wasm bytecode";
    let good = wat::parse_str(GOOD).unwrap();
    let with = |bytes: &[u8]| [&good[..], bytes].concat();
    let odd = |from: usize, byte: u8| {
        let mut odd = good.clone();
        odd[from] = byte;
        odd
    };
    let constant = good.windows(3).position(|bytes| bytes == [0x41, 0x80, 8]);
    for (bytes, cause) in [
        (Vec::new(), no_version),
        (b"MZ".to_vec(), no_version),
        (b"\0asm\x01\0".to_vec(), no_version),
        (b"\0asm\x01\0\0\0".to_vec(), no_version),
        // A component, as preview 2 of WASI has them.
        (b"\0asm\x0d\0\x01\0".to_vec(), no_version),
        (b"\0asm\x01\0\0\0\x7f".to_vec(), corrupted),
        (with(&[5]), corrupted),
        (good[..good.len() - 3].to_vec(), corrupted),
        (odd(4, 2), bytecode),
        // Another type of constant, and no instruction at all.
        (odd(constant.unwrap(), 0x42), bytecode),
        (odd(constant.unwrap(), 0xff), bytecode),
    ] {
        let error = Module::compile(&bytes).unwrap_err();
        let says = [
            format!("Wasm VM failed {cause}"),
            "Wasm VM failed Failed to load Wasm code".to_owned(),
        ];
        assert_eq!(error.envoy_says(), says, "{bytes:?}");
        let text = error.to_string();
        assert!(text.starts_with(cause), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn refuses_what_does_not_fit_in_the_words_of_envoys_log() {
    let importing = |name: &str, signature: &str| {
        load(|good| {
            let import = format!(r#"(import "env" "{name}" (func {signature})) (memory"#);
            good.replacen("(memory", &import, 1)
        })
    };
    let retyped = |from: &str, to: &str| load(|good| good.replace(from, to));
    for (loaded, says) in [
        (
            retyped("_0_2_1", "_0_9_0"),
            "Wasm VM failed Missing or unknown Proxy-Wasm ABI version",
        ),
        (
            retyped(
                r#"(func (export "proxy_abi_version_0_2_1"))"#,
                r#"(global (export "proxy_abi_version_0_2_1") i32 (i32.const 0))"#,
            ),
            "Wasm VM failed Missing or unknown Proxy-Wasm ABI version",
        ),
        (
            retyped(
                r#"(memory (export "memory") 1)"#,
                r#"(memory (export "memory") 20000)"#,
            ),
            "Failed to create new Wasm instance",
        ),
        (
            retyped("malloc", "valloc"),
            "Wasm VM failed Wasm module is missing malloc function.",
        ),
        (
            retyped(
                r#""proxy_on_tick") (param i32)"#,
                r#""proxy_on_tick") (param i64)"#,
            ),
            "Bad function signature for: proxy_on_tick, want: i32 -> void, but the module exports: i64 -> void",
        ),
        (
            retyped(
                r#""proxy_on_tick") (param i32)"#,
                r#""proxy_on_request_headers") (param i32 i32) (result i32) i32.const 0"#,
            ),
            "Bad function signature for: proxy_on_request_headers, want: i32 i32 i32 -> i32, but the module exports: i32 i32 -> i32",
        ),
        (
            importing("proxy_nothing", ""),
            "Failed to load Wasm module due to a missing import: env.proxy_nothing",
        ),
        (
            // Of ABI 0.1.0 alone.
            importing("proxy_continue_request", "(result i32)"),
            "Failed to load Wasm module due to a missing import: env.proxy_continue_request",
        ),
        (
            load(|good| good.replacen("(memory", r#"(import "env" "g" (global i32)) (memory"#, 1)),
            "Failed to load Wasm module due to a missing import: env.g",
        ),
        (
            importing("proxy_done", "(param i32) (result i32)"),
            "Failed to load Wasm module due to an import type mismatch: env.proxy_done, want: i32 -> i32, but host exports: void -> i32",
        ),
    ] {
        assert_eq!(loaded.unwrap_err().envoy_says()[0], says);
    }
}

#[test]
fn gives_a_module_the_functions_of_its_version() {
    let importing = |version: &str, name: &str, signature: &str| {
        load(|good| {
            let import = format!(r#"(import "env" "{name}" (func {signature})) (memory"#);
            good.replace("_0_2_1", version)
                .replacen("(memory", &import, 1)
        })
        .is_ok()
    };
    for (name, signature, versions) in [
        (
            "proxy_get_log_level",
            "(param i32) (result i32)",
            [false, false, true],
        ),
        (
            "proxy_continue_stream",
            "(param i32) (result i32)",
            [false, true, true],
        ),
        (
            "proxy_close_stream",
            "(param i32) (result i32)",
            [false, true, true],
        ),
        (
            "proxy_get_configuration",
            "(param i32 i32) (result i32)",
            [true, false, false],
        ),
        (
            "proxy_continue_request",
            "(result i32)",
            [true, false, false],
        ),
        (
            "proxy_continue_response",
            "(result i32)",
            [true, false, false],
        ),
        (
            "proxy_clear_route_cache",
            "(result i32)",
            [true, false, false],
        ),
    ] {
        let found =
            ["_0_1_0", "_0_2_0", "_0_2_1"].map(|version| importing(version, name, signature));
        assert_eq!(found, versions, "{name}");
    }
}

#[test]
fn the_types_of_wasi_are_those_that_are_linked() {
    // A function whose type is noted wrongly is refused when the module is linked, or for its type.
    for module in ["wasi_snapshot_preview1", "wasi_unstable"] {
        for (name, parameters) in [
            ("fd_write", "(param i32 i32 i32 i32) (result i32)"),
            ("clock_time_get", "(param i32 i64 i32) (result i32)"),
            ("clock_res_get", "(param i32 i32) (result i32)"),
            ("poll_oneoff", "(param i32 i32 i32 i32) (result i32)"),
            ("proc_exit", "(param i32)"),
            // With the types of Envoy, not of the standard.
            ("path_link", "(param i32 i32 i32 i32 i32 i32) (result i32)"),
            ("path_symlink", "(param i32 i32 i32 i32) (result i32)"),
        ] {
            let import = format!(r#"(import "{module}" "{name}" (func {parameters})) (memory"#);
            let loaded = load(|good| good.replacen("(memory", &import, 1));
            assert!(loaded.is_ok(), "{name}: {loaded:?}");
        }
    }
    let standard = r#"(import "wasi_snapshot_preview1" "path_symlink" (func (param i32 i32 i32 i32 i32) (result i32))) (memory"#;
    let error = load(|good| good.replacen("(memory", standard, 1)).unwrap_err();
    assert_eq!(
        error.envoy_says()[0],
        "Failed to load Wasm module due to an import type mismatch: wasi_snapshot_preview1.path_symlink, \
         want: i32 i32 i32 i32 i32 -> i32, but host exports: i32 i32 i32 i32 -> i32"
    );
}

#[test]
fn makes_a_memory_and_a_table_for_a_module_that_imports_them() {
    let wasm = wat::parse_str(
        r#"(module
            (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
            (import "env" "memory" (memory 1))
            (import "env" "table" (table 1 funcref))
            (data (i32.const 16) "seen")
            (elem (i32.const 0) $say)
            (func $say (drop (call $log (i32.const 2) (i32.const 16) (i32.const 4))))
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const 64))
            (func (export "proxy_on_configure") (param i32 i32) (result i32)
                (call_indirect (i32.const 0)) (i32.const 1)))"#,
    );
    let module = Module::compile(&wasm.unwrap()).unwrap();
    for _ in 0..2 {
        let mut host = Host::builder(&module).start().unwrap();
        assert_eq!(host.logs()[0].text, "seen");
        assert_eq!(host.memory_bytes(), 65_536);
    }
}
