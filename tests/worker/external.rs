//! The filter in the workers of real Envoys.

mod capabilities;
mod config_lease;
mod configuration;
mod duplicate_install;
mod hostile;
mod many_workers;
mod reconfiguration;
mod roots;
mod route_cache;
mod stat_tags;
mod trap_drill;
mod trapped;
