//! Security: what somebody outside can cause, and the setting that stops or bounds it (`SECURITY.md`).

mod edge;
mod egress;
mod external;
mod fuzzed;
mod growth;
mod hostile;
mod log;
mod words;
