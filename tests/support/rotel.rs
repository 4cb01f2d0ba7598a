//! rotel, a collector in Rust, between an exporter and a sink.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use sidespan_envoy::wait_for;

use crate::envoy::LIMIT;
use crate::packages;
use crate::ports::free_address;
use crate::program::Program;

/// A running rotel, which exports to one address.
pub struct Rotel {
    /// The address of its OTLP/gRPC receiver.
    pub grpc: SocketAddr,
    /// The address of its OTLP/HTTP receiver.
    pub http: SocketAddr,
    _program: Program,
}

impl Rotel {
    /// Starts rotel on free ports; it exports by `grpc` or `http`, with gzip.
    ///
    /// # Panics
    /// When it does not start, or there are no free ports.
    pub fn start(protocol: &str, to: SocketAddr) -> Self {
        let python = packages::python("accepted-rotel", include_str!("rotel/requirements.txt"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("support/rotel/start.py");
        // Up to five starts, because rotel cannot choose a free port itself, and another process may take one first.
        for _ in 0..5 {
            let [grpc, http] = [free_address(), free_address()];
            let mut command = Command::new(python.join("bin/python"));
            command.arg(&script).arg("start");
            for (option, value) in [
                ("otlp-grpc-endpoint", grpc.to_string()),
                ("otlp-http-endpoint", http.to_string()),
                ("exporter", "otlp".into()),
                ("otlp-exporter-protocol", protocol.into()),
                ("otlp-exporter-endpoint", format!("http://{to}")),
                ("batch-timeout", "20ms".into()),
            ] {
                command.arg(format!("--{option}={value}"));
            }
            let mut program = Program::start(&mut command);
            let listens = wait_for(LIMIT, || {
                let listens = [grpc, http].iter().all(|it| TcpStream::connect(it).is_ok());
                match program.has_ended() {
                    true => Some(false),
                    false => listens.then_some(true),
                }
            });
            match listens {
                Some(true) => {
                    return Self {
                        grpc,
                        http,
                        _program: program,
                    };
                }
                Some(false) if program.said().contains("in use") => {}
                _ => panic!("rotel does not listen:\n{}", program.said()),
            }
        }
        panic!("no free ports")
    }
}
