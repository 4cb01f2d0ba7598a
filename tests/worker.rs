//! The filter in one worker of a proxy: its configuration and reconfiguration, its hostcalls, its end by a trap.

mod duplicate_install;
mod external;
mod hostcalls;
mod reconfiguration;
mod trapped;
