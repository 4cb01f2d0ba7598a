use std::time::Duration;

use crate::entropy::Entropy;
use crate::host::Host;
use crate::logs::{LogLevel, LogLine};
use crate::stream::{EndOfStream, StreamProperties};
use crate::testing::{Guest, start};

const IMPORTS: &str = r#"
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $stat (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_res_get" (func $resolution (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "wasi_snapshot_preview1" "fd_pwrite" (func $pwrite (param i32 i32 i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_tell" (func $tell (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_sync" (func $sync (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_readdir" (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
    (import "wasi_unstable" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))"#;

fn guest<'a>(body: &'a str, data: &'a [(u32, &'a str)]) -> Guest<'a> {
    Guest {
        imports: IMPORTS,
        data,
        on_configure: body,
        ..Guest::default()
    }
}

#[test]
fn writes_lines_to_the_log() {
    let mut host = start(&guest(
        "(i32.store (i32.const 8) (i32.const 256)) (i32.store (i32.const 12) (i32.const 3))
         (i32.store (i32.const 16) (i32.const 259)) (i32.store (i32.const 20) (i32.const 4))
         (call $check (call $write (i32.const 1) (i32.const 8) (i32.const 2) (i32.const 24)) (i32.const 0))
         (call $check (i32.load (i32.const 24)) (i32.const 7))
         (call $check (call $write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 24)) (i32.const 0))
         (call $check (call $write (i32.const 1) (i32.const 8) (i32.const 0) (i32.const 24)) (i32.const 0))
         (call $check (call $write (i32.const 3) (i32.const 8) (i32.const 1) (i32.const 24)) (i32.const 8))
         (call $check (call $write (i32.const 1) (i32.const -1) (i32.const 1) (i32.const 24)) (i32.const 21))
         (call $check (call $write (i32.const 1) (i32.const 8) (i32.const 0) (i32.const -1)) (i32.const 21))",
        &[(256, "onetwo\\0a")],
    ));
    let line = |level, text: &str| LogLine {
        level,
        prefix: Some("root vm".into()),
        text: text.to_owned(),
    };
    assert_eq!(
        host.logs(),
        [line(LogLevel::Info, "onetwo"), line(LogLevel::Error, "one")]
    );
}

/// Asks for a line of a thousand parts of 2 MiB, all of them the same bytes, and for as many parts as there are numbers.
#[test]
fn a_line_is_no_longer_than_a_memory_whatever_its_parts() {
    let mut host = start(&guest(
        "(local $at i32)
         (drop (memory.grow (i32.const 64)))
         (local.set $at (i32.const 8192))
         (loop $parts
            (i32.store offset=4 (local.get $at) (i32.const 2097152))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if $parts (i32.lt_u (local.get $at) (i32.const 16384))))
         (call $check (call $write (i32.const 1) (i32.const 8192) (i32.const 1000) (i32.const 24)) (i32.const 28))
         (call $check (call $write (i32.const 1) (i32.const 16384) (i32.const -1) (i32.const 24)) (i32.const 21))",
        &[],
    ));
    assert!(host.logs().is_empty(), "nothing of either was logged");
}

#[test]
fn describes_the_two_descriptors_as_writable() {
    start(&guest(
        "(call $check (call $stat (i32.const 1) (i32.const 8)) (i32.const 0))
         (call $check (i32.load (i32.const 16)) (i32.const 64))
         (call $check (call $stat (i32.const 0) (i32.const 8)) (i32.const 8))
         (call $check (call $stat (i32.const 1) (i32.const -1)) (i32.const 0))",
        &[],
    ));
}

#[test]
fn tells_the_time_of_two_clocks() {
    start(&guest(
        "(call $check (call $time (i32.const 1) (i64.const 0) (i32.const 8)) (i32.const 0))
         (call $check (i32.wrap_i64 (i64.div_u (i64.load (i32.const 8)) (i64.const 1000000000))) (i32.const 1735689600))
         (call $check (call $time (i32.const 2) (i64.const 0) (i32.const 8)) (i32.const 58))
         (call $check (call $time (i32.const 0) (i64.const 0) (i32.const -1)) (i32.const 21))
         (call $check (call $resolution (i32.const 0) (i32.const 8)) (i32.const 0))
         (call $check (i32.load (i32.const 8)) (i32.const 1))
         (call $check (call $resolution (i32.const 2) (i32.const 8)) (i32.const 58))",
        &[],
    ));
}

#[test]
fn steps_the_wall_clock_back_and_leaves_the_other() {
    let seconds = |clock: u8| {
        format!(
            "(drop (call $time (i32.const {clock}) (i64.const 0) (i32.const 8)))
             (call $log (i32.wrap_i64 (i64.div_u (i64.load (i32.const 8)) (i64.const 1000000000))))"
        )
    };
    let more = format!(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) {} {} (i32.const 0))"#,
        seconds(0),
        seconds(1)
    );
    let mut host = start(&Guest {
        imports: IMPORTS,
        more: &more,
        ..Guest::default()
    });
    let hour = Duration::from_secs(3_600);
    let mut read = |change: &dyn Fn(&mut Host)| {
        change(&mut host);
        let stream = host.open_stream(StreamProperties::new());
        let _ = host.request_headers(stream, [(":path", "/")], EndOfStream::Yes);
        let lines = host.take_logs().into_iter();
        lines.map(|line| line.text).collect::<Vec<_>>()
    };
    assert_eq!(read(&|_| {}), ["1735689600", "1735689600"]);
    assert_eq!(
        read(&|host| host.step_clock_back(hour)),
        ["1735686000", "1735689600"]
    );
    assert_eq!(
        read(&|host| host.advance(hour)),
        ["1735689600", "1735693200"]
    );
}

#[test]
fn fills_memory_with_the_same_randomness_for_the_same_seed() {
    let body = "(call $check (call $random (i32.const 8) (i32.const 4)) (i32.const 0))
                (call $log (i32.load (i32.const 8)))
                (call $check (i32.load (i32.const 12)) (i32.const 0))
                (call $check (call $random (i32.const 8) (i32.const 0)) (i32.const 0))
                (call $check (call $random (i32.const 8) (i32.const 65536)) (i32.const 0))
                (call $check (call $random (i32.const 8) (i32.const 65537)) (i32.const 28))
                (call $check (call $random (i32.const -1) (i32.const 4)) (i32.const 21))";
    let drawn = |seed| {
        let guest = guest(body, &[]);
        let mut host = guest
            .builder()
            .entropy(Entropy::Seeded(seed))
            .start()
            .unwrap();
        host.take_logs()[0].text.clone()
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}

#[test]
fn gives_the_environment_and_no_arguments() {
    let guest = guest(
        "(call $check (call $sizes (i32.const 8) (i32.const 12)) (i32.const 0))
         (call $check (i32.load (i32.const 8)) (i32.const 2))
         (call $check (i32.load (i32.const 12)) (i32.const 7))
         (call $check (call $environ (i32.const 8) (i32.const 64)) (i32.const 0))
         (call $check (i32.load (i32.const 12)) (i32.const 68))
         (call $check (i32.load (i32.const 64)) (i32.const 0x00313d41))
         (call $check (i32.load (i32.const 68)) (i32.const 0x00003d42))
         (call $check (call $environ (i32.const 8) (i32.const -1)) (i32.const 21))
         (call $check (call $sizes (i32.const 8) (i32.const -1)) (i32.const 21))
         (call $check (call $args (i32.const 8) (i32.const 12)) (i32.const 0))
         (call $check (i32.load (i32.const 8)) (i32.const 0))",
        &[],
    );
    guest
        .builder()
        .environment("A", "1")
        .environment("B", "")
        .start()
        .unwrap();
}

#[test]
fn returns_from_the_exit_of_the_process_as_envoy_does() {
    let mut host = start(&guest(
        "(call $exit (i32.const 3)) (call $log (i32.const 7))",
        &[],
    ));
    let texts: Vec<_> = host.logs().iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["7"]);
}

#[test]
fn has_no_files_and_nothing_to_wait_for() {
    start(&guest(
        "(call $check (call $open (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
            (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0)) (i32.const 44))
         (call $check (call $poll (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8)) (i32.const 0))
         (call $check (call $poll (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1)) (i32.const 21))",
        &[],
    ));
}

#[test]
fn writes_at_an_offset_as_if_there_were_none() {
    let mut host = start(&guest(
        "(i32.store (i32.const 8) (i32.const 256)) (i32.store (i32.const 12) (i32.const 3))
         (call $check (call $pwrite (i32.const 2) (i32.const 8) (i32.const 1) (i64.const 7) (i32.const 24)) (i32.const 0))
         (call $check (i32.load (i32.const 24)) (i32.const 3))
         (call $check (call $pwrite (i32.const 0) (i32.const 8) (i32.const 1) (i64.const 7) (i32.const 24)) (i32.const 8))",
        &[(256, "one")],
    ));
    assert_eq!(host.logs()[0].text, "one");
}

#[test]
fn does_not_look_at_the_address_of_nothing() {
    start(&guest(
        "(i32.store (i32.const 8) (i32.const -1)) (i32.store (i32.const 12) (i32.const 0))
         (call $check (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 24)) (i32.const 0))
         (call $check (call $random (i32.const -1) (i32.const 0)) (i32.const 0))",
        &[],
    ));
}

#[test]
fn knows_two_descriptors_and_writes_the_zero_of_a_result() {
    start(&guest(
        "(i64.store (i32.const 8) (i64.const -1))
         (call $check (call $tell (i32.const 0) (i32.const 8)) (i32.const 8))
         (call $check (call $tell (i32.const 1) (i32.const 8)) (i32.const 0))
         (call $check (i32.load (i32.const 12)) (i32.const 0))
         (call $check (call $tell (i32.const 1) (i32.const -1)) (i32.const 21))
         (call $check (call $sync (i32.const 2)) (i32.const 0))
         (call $check (call $sync (i32.const 3)) (i32.const 8))
         (i32.store (i32.const 8) (i32.const -1))
         (call $check (call $readdir (i32.const 3) (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 8))
            (i32.const 20))
         (call $check (i32.load (i32.const 8)) (i32.const 0))",
        &[],
    ));
}
