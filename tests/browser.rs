//! The sink's page in a real Chromium, which a library drives: what it shows is what was sent.

mod driver;
mod large;
mod list;
mod spans;
mod trace;
