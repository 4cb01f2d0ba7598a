//! Parity: the same scenarios on the built-in host and on a real Envoy, with the same expectations and the same
//! observations.

mod external;
