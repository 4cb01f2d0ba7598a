//! Instructions, calls and processor time of one request.

mod budget;
mod comparison;
mod external;
