//! Every promise of Sidespan, one module a subject.

mod configuration;
mod export;
mod hostile;
mod lifecycle;
mod native;
mod skipped;
mod w3c;
