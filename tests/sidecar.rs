//! `sidespan sidecar` as a program between real clients and a real server.

mod bodies;
mod connections;
mod external;
mod limits;
mod program;
mod readme;
mod record;
mod reload;
mod server;
mod trailers;
mod websocket;
