//! The lines of a script: one host call each, with words as arguments.

use crate::arguments::{Line, level, said};
use crate::host::{address, call, log, place, size};
use crate::script::{set_variable, variable};
use crate::words::{encode, shown, shown_pairs, status, words};

/// Runs one line and logs it with its result.
pub fn run_line(callback: &str, line: &str) {
    // A line that begins with `~` is not logged.
    let (line, is_quiet) = match line.strip_prefix('~') {
        Some(line) => (line, true),
        None => (line, false),
    };
    let all = words(line);
    let Some((name, arguments)) = all.split_first() else {
        return;
    };
    let name = String::from_utf8_lossy(name).into_owned();
    let result = Line { arguments }.run(&name);
    if !is_quiet {
        let said = if line.len() > 200 { &name } else { line };
        log(2, format!("{callback}: {said} = {result}").as_bytes());
    }
}

impl Line<'_> {
    fn run(&self, name: &str) -> String {
        match name {
            "raw" => {
                let numbers: Vec<u64> = (1..self.arguments.len())
                    .map(|at| self.number(at))
                    .collect();
                call(&self.text(0), &numbers).map_or("no such call".into(), status)
            }
            "save" => {
                set_variable(&self.text(0), variable("last").unwrap_or_default());
                "saved".into()
            }
            "trap" => core::arch::wasm32::unreachable(),
            "loop" => loop {
                std::hint::black_box(());
            },
            "grow" => {
                let pages = usize::try_from(self.number(0)).unwrap_or_default();
                let before = core::arch::wasm32::memory_grow::<0>(pages);
                if before == usize::MAX {
                    "refused".into()
                } else {
                    "OK".into()
                }
            }
            "exit" => std::process::exit(self.number(0) as i32),
            "print" => {
                println!("{}", self.text(0));
                "printed".into()
            }
            "eprint" => {
                eprintln!("{}", self.text(0));
                "printed".into()
            }
            "env" => std::env::var(self.text(0)).map_or("not set".into(), |it| format!("{it:?}")),
            "args" => std::env::args().count().to_string(),
            "log" => {
                let level = if let Ok(number) = self.text(0).parse() {
                    number
                } else {
                    level(&self.text(0))
                };
                said(log(level, self.bytes(1)))
            }
            "get_log_level" | "get_header_map_size" => self.number_out(name),
            "get_current_time_nanoseconds" => {
                let mut out = [0_u64];
                let status = said(call(name, &[place(&mut out)]));
                let now = unsafe { std::ptr::read_volatile(&out[0]) };
                format!(
                    "{status} {}",
                    if now > 1_000_000_000 {
                        "a time"
                    } else {
                        "no time"
                    }
                )
            }
            "get_metric" => {
                let mut out = [0_u64];
                let status = said(call(name, &[self.number(0), place(&mut out)]));
                format!("{status} {}", unsafe { std::ptr::read_volatile(&out[0]) })
            }
            "get_header_map_pairs" => self.bytes_out(name, &[self.number(0)], shown_pairs),
            "get_header_map_value" => {
                let key = self.bytes(1);
                self.bytes_out(name, &[self.number(0), address(key), size(key)], shown)
            }
            "get_buffer_bytes" => self.bytes_out(
                name,
                &[self.number(0), self.number(1), self.number_or(2, 1 << 20)],
                shown,
            ),
            "get_buffer_status" => {
                let mut out = [0_u32; 2];
                let status = said(call(
                    name,
                    &[self.number(0), place(&mut out), place(&mut out) + 4],
                ));
                format!("{status} {}", unsafe { std::ptr::read_volatile(&out) }[0])
            }
            "set_buffer_bytes" => {
                let data = self.bytes(3);
                said(call(
                    name,
                    &[
                        self.number(0),
                        self.number(1),
                        self.number(2),
                        address(data),
                        size(data),
                    ],
                ))
            }
            "set_header_map_pairs" => {
                let pairs = encode(&self.pairs(1));
                said(call(name, &[self.number(0), address(&pairs), size(&pairs)]))
            }
            "add_header_map_value" | "replace_header_map_value" => {
                let (key, value) = (self.bytes(1), self.bytes(2));
                said(call(
                    name,
                    &[
                        self.number(0),
                        address(key),
                        size(key),
                        address(value),
                        size(value),
                    ],
                ))
            }
            "remove_header_map_value" => {
                let key = self.bytes(1);
                said(call(name, &[self.number(0), address(key), size(key)]))
            }
            "get_status" => {
                let mut code = [0_u32];
                let text = self.bytes_out(name, &[place(&mut code)], shown);
                format!("{} {text}", unsafe { std::ptr::read_volatile(&code[0]) })
            }
            "send_local_response" => {
                let (details, body) = (self.option("details"), self.option("body"));
                let headers = self.pairs_with(1, &["details", "body", "grpc"]);
                let headers = if headers.is_empty() {
                    Vec::new()
                } else {
                    encode(&headers)
                };
                let grpc = self.option("grpc");
                let grpc = std::str::from_utf8(&grpc)
                    .ok()
                    .and_then(|it| it.parse::<i32>().ok());
                let grpc = u64::from(grpc.unwrap_or(-1) as u32);
                said(call(
                    name,
                    &[
                        self.number(0),
                        address(&details),
                        size(&details),
                        address(&body),
                        size(&body),
                        address(&headers),
                        size(&headers),
                        grpc,
                    ],
                ))
            }
            "http_call" => self.http_call(),
            "grpc_call" => {
                let (cluster, service, method) = (self.bytes(0), self.bytes(1), self.bytes(2));
                let (message, metadata) = (self.bytes(4), self.metadata(5));
                self.token_out(
                    name,
                    &[
                        address(cluster),
                        size(cluster),
                        address(service),
                        size(service),
                        address(method),
                        size(method),
                        address(&metadata),
                        size(&metadata),
                        address(message),
                        size(message),
                        self.number(3),
                    ],
                )
            }
            "grpc_stream" => {
                let (cluster, service, method) = (self.bytes(0), self.bytes(1), self.bytes(2));
                let metadata = self.metadata(3);
                self.token_out(
                    name,
                    &[
                        address(cluster),
                        size(cluster),
                        address(service),
                        size(service),
                        address(method),
                        size(method),
                        address(&metadata),
                        size(&metadata),
                    ],
                )
            }
            "grpc_send" => {
                let message = self.bytes(1);
                said(call(
                    name,
                    &[
                        self.number(0),
                        address(message),
                        size(message),
                        self.number(2),
                    ],
                ))
            }
            "get_shared_data" => {
                let (key, mut cas) = (self.bytes(0), [0_u32]);
                let value = self.bytes_out_then(
                    name,
                    &[address(key), size(key)],
                    Some(place(&mut cas)),
                    shown,
                );
                let cas = unsafe { std::ptr::read_volatile(&cas[0]) };
                set_variable("last", cas.into());
                value
            }
            "set_shared_data" => {
                let (key, value) = (self.bytes(0), self.bytes(1));
                said(call(
                    name,
                    &[
                        address(key),
                        size(key),
                        address(value),
                        size(value),
                        self.number_or(2, 0),
                    ],
                ))
            }
            "register_shared_queue" => {
                let queue = self.bytes(0);
                self.token_out(name, &[address(queue), size(queue)])
            }
            "resolve_shared_queue" => {
                let (vm, queue) = (self.bytes(0), self.bytes(1));
                self.token_out(name, &[address(vm), size(vm), address(queue), size(queue)])
            }
            "enqueue_shared_queue" => {
                let data = self.bytes(1);
                said(call(name, &[self.number(0), address(data), size(data)]))
            }
            "dequeue_shared_queue" => self.bytes_out(name, &[self.number(0)], shown),
            "define_metric" => {
                let metric = self.bytes(1);
                self.token_out(name, &[self.number(0), address(metric), size(metric)])
            }
            "get_property" => {
                let path = self.path(0);
                self.bytes_out(name, &[address(&path), size(&path)], shown)
            }
            "set_property" => {
                let (path, value) = (self.path(0), self.bytes(1));
                said(call(
                    name,
                    &[address(&path), size(&path), address(value), size(value)],
                ))
            }
            "call_foreign_function" => {
                let (function, data) = (self.bytes(0), self.bytes(1));
                self.bytes_out(
                    name,
                    &[address(function), size(function), address(data), size(data)],
                    |bytes| {
                        let number = <[u8; 4]>::try_from(bytes).map(u32::from_le_bytes);
                        set_variable("last", number.unwrap_or_default().into());
                        shown(bytes)
                    },
                )
            }
            other => {
                let numbers: Vec<u64> = (0..self.arguments.len())
                    .map(|at| self.number(at))
                    .collect();
                call(other, &numbers).map_or("no such call".into(), status)
            }
        }
    }

    /// `http_call CLUSTER MS [body=…] [trailer:NAME=…] NAME=VALUE…`
    fn http_call(&self) -> String {
        let cluster = self.bytes(0);
        let (trailers, headers): (Vec<_>, Vec<_>) = self
            .pairs_with(2, &["body"])
            .into_iter()
            .partition(|(name, _)| name.starts_with(b"trailer:"));
        let trailers = trailers
            .into_iter()
            .map(|(name, value)| (name[8..].to_vec(), value))
            .collect::<Vec<_>>();
        let (headers, body) = (encode(&headers), self.option("body"));
        let trailers = if trailers.is_empty() {
            Vec::new()
        } else {
            encode(&trailers)
        };
        self.token_out(
            "http_call",
            &[
                address(cluster),
                size(cluster),
                address(&headers),
                size(&headers),
                address(&body),
                size(&body),
                address(&trailers),
                size(&trailers),
                self.number(1),
            ],
        )
    }
}
