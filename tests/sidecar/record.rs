//! `--record`: what a recording has in it, and that it holds in a replay on the built-in host.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Frame, Incoming};
use sidespan_tests::ports::free_address;

use super::program::{Program, module};
use super::server::{Client, Version, echo, frames, get, serve};

/// Runs `sidespan run` on a recording; returns everything that it says.
///
/// # Panics
/// When something in it does not hold.
pub(super) fn replay(file: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
        .arg("run")
        .arg(file)
        .args(arguments)
        .env_remove("RUST_LOG")
        .output()
        .expect("the program");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let recorded = fs::read_to_string(file).unwrap_or_default();
    assert_eq!(output.status.code(), Some(0), "{said}\n{recorded}");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_recorded_holds_in_a_replay() {
    let folder = tempfile::tempdir().expect("a folder");
    let module = module(folder.path(), 1);
    let module = module.to_str().expect("text");
    let file = folder.path().join("recorded.yaml");
    // A file that was there before, for everybody.
    fs::write(&file, "old").expect("a file");
    let name = file.to_str().expect("text");
    let sidecar = Program::start(
        echo().await,
        &[
            "--module",
            module,
            "--record",
            name,
            "--direction",
            "inbound",
        ],
    );
    for version in [Version::Http1, Version::Http2] {
        let mut client = Client::connect(sidecar.address(), version).await;
        let response = client.send(get("/cart?a={b}*")).await.expect("a response");
        response.into_body().collect().await.expect("a body");
        let body = [
            Frame::data("{\"amount\": 5, ".into()),
            Frame::data("\"note\": \"a*b\"}".into()),
        ];
        let request = Request::post("http://shop/pay")
            .header("content-type", "application/json")
            .header("x-tenant", "a")
            .header("x-tenant", "b")
            .body(frames(body.into_iter()));
        let response = client.send(request.expect("a request")).await;
        let body = response.expect("a response").into_body().collect().await;
        assert_eq!(body.expect("a body").to_bytes().len(), 28);
    }
    assert_eq!(
        fs::read_to_string(&file).expect("the file"),
        "old",
        "until the end"
    );
    let said = tokio::task::block_in_place(|| sidecar.stop());
    assert!(
        said.contains("4 exchanges; 0 values of credentials"),
        "{said}"
    );
    let recorded = fs::read_to_string(&file).expect("the file");
    println!("{recorded}");
    for part in [
        "protocol: http1",
        "protocol: http2",
        "module: filter.wat",
        "direction: inbound",
        "POST",
        "x-version: \"1\"",
        "reachesUpstream: true",
    ] {
        assert!(recorded.contains(part), "{part}:\n{recorded}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&file).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let left = fs::read_dir(folder.path()).expect("the folder").count();
    assert_eq!(left, 2, "the module and the recording, and no draft");
    replay(&file, &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_much_or_not_over_is_left_out_and_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let module_file = module(folder.path(), 1);
    let module_name = module_file.to_str().expect("text");
    let file = folder.path().join("recorded.yaml");
    let name = file.to_str().expect("text");
    let sidecar = Program::start(echo().await, &["--module", module_name, "--record", name]);
    let mut client = Client::connect(sidecar.address(), Version::Http2).await;
    client.send(get("/forgotten")).await.expect("a response");
    module(folder.path(), 2);
    tokio::task::block_in_place(|| sidecar.wait_for("reloaded"));
    let large = frames([Frame::data(vec![7; 64 * 1024 + 1].into())].into_iter());
    let large = Request::post("http://shop/large").body(large);
    let response = client.send(large.expect("a request")).await;
    let body = response.expect("a response").into_body().collect().await;
    body.expect("a body");
    for _ in 0..1_001 {
        let response = client.send(get("/")).await.expect("a response");
        response.into_body().collect().await.expect("a body");
    }
    let said = tokio::task::block_in_place(|| sidecar.stop());
    let recorded = fs::read_to_string(&file).expect("the file");
    for part in [
        "999 exchanges; 0 values of credentials",
        "left out: 1 exchanges with a body of more than 64 KiB",
        "left out: 2 exchanges after the first 1000",
        "left out: 1 exchanges from before the filters were reloaded",
    ] {
        assert!(said.contains(part), "{part}:\n{said}");
        assert!(recorded.contains(part), "{part}: {recorded:.1000}");
    }
    assert!(recorded.contains("x-version: \"2\"") && !recorded.contains("/forgotten"));
    replay(&file, &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_of_an_announced_length_end_as_bodies_do() {
    let whole = |text: &'static str| Full::from(text).map_err(io::Error::other).boxed_unsync();
    let server = serve(move |request: Request<Incoming>| async move {
        let _ = request.into_body().collect().await;
        Response::new(whole("the answer"))
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let module = module(folder.path(), 1);
    let file = folder.path().join("recorded.yaml");
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let (module, name) = (text(&module), text(&file));
    let sidecar = Program::start(server, &["--module", &module, "--record", &name]);
    for version in [Version::Http1, Version::Http2] {
        let mut client = Client::connect(sidecar.address(), version).await;
        for _ in 0..50 {
            let request = Request::post("http://shop/").body(whole("a question"));
            let response = client.send(request.expect("a request")).await;
            let body = response.expect("a response").into_body().collect().await;
            assert_eq!(body.expect("a body").to_bytes(), "the answer");
        }
    }
    let said = tokio::task::block_in_place(|| sidecar.stop());
    // A codec of HTTP/1.1 that has all bytes waits for no end, and that is no client that has gone away.
    assert!(said.contains("100 exchanges; 0 values"), "{said}");
    assert!(!said.contains("broken off"), "{said}");
    let recorded = fs::read_to_string(&file).expect("the file");
    let complete = recorded.matches("reachesUpstream: true").count();
    assert_eq!(complete, 100, "every request has its end:\n{recorded}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_fail_are_recorded_as_such() {
    let silent = serve(|_| std::future::pending()).await;
    for (server, ending, details) in [
        (
            free_address(),
            "connectFailure",
            "remote_connection_failure",
        ),
        (silent, "upstreamTimeout", "details: response_timeout"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let module = module(folder.path(), 1);
        let file = folder.path().join("recorded.yaml");
        let text = |path: &Path| path.to_str().expect("text").to_owned();
        let (module, name) = (text(&module), text(&file));
        let arguments = ["--module", &module, "--record", &name, "--timeout", "1"];
        let sidecar = Program::start(server, &arguments);
        let mut client = Client::connect(sidecar.address(), Version::Http2).await;
        let response = client.send(get("/")).await.expect("a response");
        assert!(response.status().is_server_error());
        response.into_body().collect().await.expect("a body");
        tokio::task::block_in_place(|| sidecar.stop());
        let recorded = fs::read_to_string(&file).expect("the file");
        for part in [
            format!("ending: {ending}").as_str(),
            details,
            "\":status\": \"50",
        ] {
            assert!(recorded.contains(part), "{part}:\n{recorded}");
        }
        assert!(!recorded.contains("does not produce"), "{recorded}");
        replay(&file, &[]);
    }
}

#[test]
fn a_file_that_cannot_be_written_is_refused_at_the_start() {
    let output = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
        .args(["sidecar", "--upstream", "127.0.0.1:1", "--record"])
        .arg("no/such/folder/recorded.yaml")
        .output()
        .expect("the program");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("cannot write no/such/folder/recorded.yaml"),
        "{said}"
    );
}
