//! Every promise of Sidespan, one folder a subject.

mod cost;
mod export;
mod formats;
mod keep;
mod program;
mod project;
mod sampling;
mod spans;
mod worker;
