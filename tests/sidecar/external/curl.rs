//! curl through the sidecar, over both versions of HTTP.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::sidecar::program::{Program, module};
use crate::sidecar::server::echo;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_is_served_over_both_versions() {
    let folder = tempfile::tempdir().expect("a folder");
    let module = module(folder.path(), 1);
    let module = module.to_str().expect("text");
    let sidecar = Program::start(echo().await, &["--module", module]);
    let url = format!("http://{}/cart?a=b", sidecar.address());
    for (version, line) in [
        ("--http1.1", "HTTP/1.1 200"),
        ("--http2-prior-knowledge", "HTTP/2 200"),
    ] {
        let answer = tokio::task::block_in_place(|| curl(version, &url));
        assert!(answer.starts_with(line), "{answer}");
        assert!(answer.contains("\r\nx-version: 1\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nfrom curl"), "{answer}");
    }
    tokio::task::block_in_place(|| sidecar.stop());
}

fn curl(version: &str, url: &str) -> String {
    let mut curl = Command::new("curl")
        .args([
            version,
            "--silent",
            "--show-error",
            "--include",
            "--noproxy",
            "*",
        ])
        .args(["--data-binary", "@-", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("curl");
    let mut input = curl.stdin.take().expect("a pipe");
    input.write_all(b"from curl").expect("a reader");
    drop(input);
    let output = curl.wait_with_output().expect("curl");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
