//! Small guests for the tests: WebAssembly text around the few lines that a test is about.
//!
//! Every guest has `$check`, which traps unless its two numbers are equal, `$log` and `$text`, which log a number in
//! decimal or a part of memory, and an allocator that never frees. Memory below 4096 is the test's own.

use crate::abi_types::AbiVersion;
use crate::builder::HostBuilder;
use crate::host::Host;
use crate::module::Module;
use crate::transcript::Detail;

/// The additions of a test to a guest that does nothing.
pub(crate) struct Guest<'a> {
    pub(crate) abi: AbiVersion,
    pub(crate) imports: &'a str,
    pub(crate) data: &'a [(u32, &'a str)],
    /// The body of `proxy_on_configure`, which then answers true.
    pub(crate) on_configure: &'a str,
    /// More fields of the module, such as other callbacks.
    pub(crate) more: &'a str,
}

impl Default for Guest<'_> {
    fn default() -> Self {
        Self {
            abi: AbiVersion::V0_2_1,
            imports: "",
            data: &[],
            on_configure: "",
            more: "",
        }
    }
}

impl Guest<'_> {
    pub(crate) fn module(&self) -> Module {
        let version = match self.abi {
            AbiVersion::V0_1_0 => "0_1_0",
            AbiVersion::V0_2_0 => "0_2_0",
            AbiVersion::V0_2_1 => "0_2_1",
        };
        let Self {
            imports,
            on_configure,
            more,
            ..
        } = self;
        let data: String = self
            .data
            .iter()
            .map(|(at, text)| format!("(data (i32.const {at}) \"{text}\")"))
            .collect();
        let text = format!(
            r#"(module
            (import "env" "proxy_log" (func $proxy_log (param i32 i32 i32) (result i32)))
            {imports}
            (memory (export "memory") 2)
            {data}
            (global $heap (mut i32) (i32.const 4096))
            (func (export "proxy_abi_version_{version}"))
            (func (export "malloc") (param $size i32) (result i32)
                (global.get $heap)
                (global.set $heap (i32.add (global.get $heap) (local.get $size))))
            (func $check (param $found i32) (param $expected i32)
                (if (i32.ne (local.get $found) (local.get $expected))
                    (then (call $log (local.get $found)) unreachable)))
            (func $text (param $at i32) (param $size i32)
                (drop (call $proxy_log (i32.const 2) (local.get $at) (local.get $size))))
            (func $log (param $word i32)
                (local $at i32)
                (local.set $at (i32.const 4000))
                (loop $digits
                    (local.set $at (i32.sub (local.get $at) (i32.const 1)))
                    (i32.store8 (local.get $at)
                        (i32.add (i32.const 48) (i32.rem_u (local.get $word) (i32.const 10))))
                    (local.set $word (i32.div_u (local.get $word) (i32.const 10)))
                    (br_if $digits (local.get $word)))
                (call $text (local.get $at) (i32.sub (i32.const 4000) (local.get $at))))
            (func (export "proxy_on_configure") (param i32 i32) (result i32)
                {on_configure}
                (i32.const 1))
            {more})"#
        );
        Module::compile(&wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}")))
            .unwrap()
    }

    pub(crate) fn builder(&self) -> HostBuilder {
        Host::builder(&self.module())
            .plugin_name("name")
            .root_id("root")
            .vm_id("vm")
            .vm_configuration("vm config")
            .plugin_configuration("plugin config")
            .cluster("collector")
            .transcript(Detail::Lines)
    }
}

/// Starts a guest; a trap fails the test with the guest's log and transcript.
pub(crate) fn start(guest: &Guest<'_>) -> Host {
    guest.builder().start().unwrap_or_else(|mut error| {
        let logs = texts(&mut error.host);
        panic!("{error}\n{logs:#?}\n{:#?}", error.host.transcript().lines())
    })
}

/// Returns the log so far, as text alone.
pub(crate) fn texts(host: &mut Host) -> Vec<String> {
    host.logs().iter().map(|line| line.text.clone()).collect()
}
