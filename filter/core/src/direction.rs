//! The direction of a request through this proxy: towards the workload, from the workload, or through an edge.
//!
//! Istio's gateways and waypoints are edges, though their listeners say OUTBOUND; so is a listener without a direction.
//! Every other listener has its own direction, which is asked for with each request, because one root context may serve
//! several listeners.

use core::fmt;

/// The direction of a request, which implies the spans that a proxy makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards the workload: a SERVER span.
    Inbound,
    /// From the workload: a CLIENT span.
    Outbound,
    /// A gateway: a SERVER span and under it a CLIENT span.
    Edge,
}

/// The source of a request's direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectionSource {
    /// One direction for all requests.
    Fixed(Direction),
    /// The direction of each request's listener.
    Listener,
}

impl DirectionSource {
    /// Returns the configured direction, or else an edge by the prefix of the node's id, or else the listener.
    #[inline]
    pub fn new(configured: Option<Direction>, node_id: &str) -> Self {
        let is_edge = node_id.starts_with("router~") || node_id.starts_with("waypoint~");
        match configured {
            Some(direction) => Self::Fixed(direction),
            None if is_edge => Self::Fixed(Direction::Edge),
            None => Self::Listener,
        }
    }

    /// Returns the direction, where no listener has to be asked for it.
    #[inline]
    pub fn known(self) -> Option<Direction> {
        match self {
            Self::Fixed(direction) => Some(direction),
            Self::Listener => None,
        }
    }
}

impl fmt::Display for DirectionSource {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fixed(Direction::Inbound) => "direction inbound",
            Self::Fixed(Direction::Outbound) => "direction outbound",
            Self::Fixed(Direction::Edge) => "direction edge",
            Self::Listener => "direction of each listener",
        })
    }
}

impl Direction {
    /// Returns the direction of a listener, by the numbers of Envoy's `TrafficDirection`.
    #[inline]
    pub fn of_listener(number: Option<u64>) -> Self {
        match number {
            Some(1) => Self::Inbound,
            Some(2) => Self::Outbound,
            _ => Self::Edge,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configured_direction_is_not_asked_for() {
        for direction in [Direction::Inbound, Direction::Outbound, Direction::Edge] {
            let source =
                DirectionSource::new(Some(direction), "router~10.0.0.1~gateway.istio-system");
            assert_eq!(source, DirectionSource::Fixed(direction));
        }
    }

    #[test]
    fn gateways_and_waypoints_are_edges_and_sidecars_ask_their_listeners() {
        for (node_id, source) in [
            (
                "router~10.0.0.1~gateway.istio-system~x",
                DirectionSource::Fixed(Direction::Edge),
            ),
            (
                "waypoint~10.0.0.1~waypoint.shop~x",
                DirectionSource::Fixed(Direction::Edge),
            ),
            ("sidecar~10.0.0.1~cart.shop~x", DirectionSource::Listener),
            ("", DirectionSource::Listener),
        ] {
            assert_eq!(DirectionSource::new(None, node_id), source, "{node_id}");
        }
    }

    #[test]
    fn a_listener_without_direction_is_an_edge() {
        for (number, direction) in [
            (None, Direction::Edge),
            (Some(0), Direction::Edge),
            (Some(1), Direction::Inbound),
            (Some(2), Direction::Outbound),
            (Some(3), Direction::Edge),
        ] {
            assert_eq!(Direction::of_listener(number), direction);
        }
    }
}
