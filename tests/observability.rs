//! What shows whether the filter and what stands behind it work (`istio/observability`): Collectors, rules, dashboards, data sources, runbooks.

mod collectors;
mod external;
pub(crate) mod files;
mod links;
mod metrics;
mod names;
mod propagators;
mod rules;
pub(crate) mod scraped;
mod sizes;
pub(crate) mod sizing;
