//! Prometheus, as Debian packages it: it scrapes one target, with exemplars.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::http::{Connection, Request};
use crate::ports::free_address;
use crate::program::Program;

/// A running Prometheus. Dropping it kills it.
#[derive(Debug)]
pub struct Prometheus {
    address: SocketAddr,
    _program: Program,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts a Prometheus with a configuration, to which a scrape every half second is added, and waits until it is ready.
    /// `FOLDER` in the configuration is a folder that has the file `token`.
    ///
    /// # Panics
    /// With its log, when it does not become ready, or when there is none on this machine.
    pub fn start(mut configuration: Value, token: &str) -> Self {
        let folder = TempDir::with_prefix("sidespan-peer-").expect("a folder for test files");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("token"), token).expect("a test file");
        configuration["global"] =
            serde_json::json!({"scrape_interval": "500ms", "scrape_timeout": "500ms"});
        let text = configuration.to_string();
        let text = text.replace("FOLDER", &folder.path().display().to_string());
        fs::write(path("prometheus.json"), text).expect("a test file");
        // Up to five starts, because another process may take the port before Prometheus does.
        for _ in 0..5 {
            let address = free_address();
            let mut command = Command::new("prometheus");
            command
                .arg(format!(
                    "--config.file={}",
                    path("prometheus.json").display()
                ))
                .arg(format!("--storage.tsdb.path={}", path("data").display()))
                .arg(format!("--web.listen-address={address}"))
                .arg("--enable-feature=exemplar-storage");
            let mut program = Program::start(&mut command);
            let is_ready = program.wait("readiness", |said| {
                if said.contains("address already in use") {
                    return Some(false);
                }
                let answer = ask(address, "/-/ready")?;
                (answer.0 == 200).then_some(true)
            });
            if is_ready {
                return Self {
                    address,
                    _program: program,
                    _folder: folder,
                };
            }
        }
        panic!("no free ports")
    }

    /// Returns what a path of the HTTP API answers, with these parameters.
    ///
    /// # Panics
    /// When the answer is no success.
    pub fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let pairs = parameters
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value)));
        let path = format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"));
        let (status, body) = ask(self.address, &path).expect("an answer");
        let text = String::from_utf8_lossy(&body);
        assert_eq!(status, 200, "{path}: {text}");
        let answer: Value = serde_json::from_slice(&body).expect("JSON");
        answer["data"].clone()
    }

    /// Returns the one number that an expression has now; `None` while it has none.
    ///
    /// # Panics
    /// When it has several.
    pub fn number(&self, expression: &str) -> Option<f64> {
        let data = self.get("/api/v1/query", &[("query", expression)]);
        let result = data["result"].as_array().expect("a list of series");
        assert!(result.len() <= 1, "{expression}: {data}");
        let text = result.first()?["value"][1].as_str()?.parse();
        Some(text.expect("a number"))
    }
}

fn ask(address: SocketAddr, path: &str) -> Option<(u16, Vec<u8>)> {
    let mut connection = Connection::open(address).ok()?;
    let answer = connection.exchange(&Request::get(path)).ok()?;
    Some((answer.status, answer.body))
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}
