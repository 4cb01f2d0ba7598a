//! Export: requests to the collector, its answers, its faults, and the queue between them.

mod external;
mod outage;
mod replies;
