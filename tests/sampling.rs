//! Sampling: the ratio, rules and limits, the document of a remote server, and the trust in a caller's decision.

mod external;
mod remote;
