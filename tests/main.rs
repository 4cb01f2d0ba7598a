//! Every promise of Sidespan, one module a subject.

mod configuration;
mod conflicts;
mod copies;
mod cost;
mod counters;
mod differential;
mod examples;
mod export;
mod guides;
mod hops;
mod hostile;
mod lifecycle;
mod load;
mod manifests;
mod native;
mod notes;
mod pairs;
mod program;
mod shutdown;
mod skipped;
mod tidy;
mod trapped;
mod trust;
mod vectors;
mod w3c;
mod worlds;
