//! The demo on real Envoys, by its documented command.

use crate::program::command_line::shows_one_whole_trace;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_demo_on_real_envoys_shows_one_whole_trace() {
    shows_one_whole_trace(&["demo", "--envoy", "--json"]);
}
