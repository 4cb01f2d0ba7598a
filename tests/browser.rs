//! The sink's page in a real Chromium, which a library drives: what it shows is what was sent.

mod compare;
mod driver;
mod hands;
mod large;
mod list;
mod live;
mod looks;
mod map;
mod odd;
mod spans;
mod trace;
mod verdict;
