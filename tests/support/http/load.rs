//! Load: requests in sequence over a few connections that stay open.

use std::net::SocketAddr;
use std::thread;

use super::{Connection, Request};

/// Sends this many requests, each of which must be answered 200.
///
/// # Panics
/// When one is answered otherwise.
pub fn load(address: SocketAddr, count: u64) {
    let request = Request::get("/load")
        .header("user-agent", "load/1")
        .header("accept", "*/*")
        .bytes();
    thread::scope(|scope| {
        for index in 0..CONNECTIONS {
            let share = count / CONNECTIONS + u64::from(index < count % CONNECTIONS);
            let request = &request;
            scope.spawn(move || {
                let mut connection = Connection::open(address).expect("a listener");
                for _ in 0..share {
                    let response = connection.exchange_bytes(request).expect("an answer");
                    assert_eq!(response.status, 200);
                }
            });
        }
    });
}

const CONNECTIONS: u64 = 8;
