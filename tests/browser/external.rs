//! Chromium, by playwright-core in Node, with axe-core.

mod demo;
mod driver;
mod hands;
mod large;
mod list;
mod live;
mod looks;
mod odd;
mod spans;
mod trace;
