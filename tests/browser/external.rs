//! Chromium, by playwright-core in Node, with axe-core.

mod compare;
mod demo;
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
