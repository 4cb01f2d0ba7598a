//! The worked example of the harness's README: every command and every file in it, as it stands there.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::program::{FILTER, Program};
use super::server::{Client, Version, echo, get};

/// Returns the block of code behind a comment.
fn block(readme: &str, name: &str) -> String {
    let (_, behind) = readme
        .split_once(&format!("<!-- {name} -->\n```"))
        .unwrap_or_else(|| panic!("no block {name}"));
    let (_, behind) = behind.split_once('\n').expect("a line");
    let (block, _) = behind.split_once("```").expect("its end");
    block.to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worked_example_works() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../harness/README.md");
    let readme = fs::read_to_string(readme).expect("the README");
    let folder = tempfile::tempdir().expect("a folder");
    let write =
        |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("a file");
    write("filter.wasm", &wat::parse_str(FILTER).expect("a module"));
    write("plugin.yaml", b"{}");
    write("chain.yaml", block(&readme, "chain").as_bytes());
    let server = echo().await.to_string();
    let mut count = 0;
    for line in block(&readme, "sidecar").lines() {
        let line = line.replace("127.0.0.1:8080", "127.0.0.1:0");
        let line = line.replace("127.0.0.1:3000", &server);
        let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
        match arguments.as_slice() {
            ["sidecar", ..] => {
                let sidecar = Program::start_in(folder.path(), &arguments);
                let mut client = Client::connect(sidecar.address(), Version::Http2).await;
                let response = client.send(get("/")).await.expect("a response");
                assert_eq!(response.headers()["x-version"], "1", "{line}");
                drop(response);
                tokio::task::block_in_place(|| sidecar.stop());
            }
            // The tests beside Envoy replay recordings there.
            ["run", .., "--on", "envoy"] => {}
            ["run", ..] => {
                let output = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
                    .current_dir(folder.path())
                    .args(&arguments)
                    .output()
                    .expect("the program");
                let said = String::from_utf8_lossy(&output.stdout).into_owned();
                assert_eq!(output.status.code(), Some(0), "{line}: {said}");
            }
            _ => panic!("unknown: {line}"),
        }
        count += 1;
    }
    assert_eq!(count, 5);
}
