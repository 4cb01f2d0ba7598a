//! HTTP/1.1 as bytes on a socket: a client that sends exactly what it is told, a server that keeps exactly what it got.
//!
//! A library would repair what these tests are about: it joins lines, trims values, refuses bytes above 0x7F.

mod client;
mod load;
mod message;
mod server;

pub use client::{Connection, Request, Response, send};
pub use load::load;
pub use message::Headers;
pub use server::{Received, Reply, Server};
