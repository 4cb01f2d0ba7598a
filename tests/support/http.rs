//! HTTP/1.1 as bytes on a socket: a client that sends exactly the given bytes, a server that stores exactly the received
//! ones.
//!
//! A library would repair what these tests are about: libraries join lines, trim values and refuse bytes above 0x7F.

mod client;
mod load;
mod message;
mod open_loop;
mod server;

pub use client::{Connection, Request, Response, send};
pub use load::load;
pub use message::Headers;
pub use open_loop::{Outcome, open_loop};
pub use server::{Received, Reply, Server};
