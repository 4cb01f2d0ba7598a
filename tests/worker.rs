//! The filter in one worker of a proxy: its configuration and reconfiguration, its hostcalls, its end by a trap.

mod capabilities;
mod config_lease;
mod configuration;
mod duplicate_install;
mod hostcalls;
mod hostile;
mod reconfiguration;
mod trapped;
