//! Export from real Envoys.

mod delivery;
mod faults;
mod load;
mod requests;
mod shutdown;
mod slow_collector;
