//! Export: requests to the collector, its answers, its faults, and the queue between them.

mod delivery;
mod faults;
mod load;
mod outage;
mod replies;
mod requests;
mod shutdown;
