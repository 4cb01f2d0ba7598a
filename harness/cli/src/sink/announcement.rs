//! What the sink says at its start and at its end, for people and for scripts.

use std::fmt::Write;
use std::net::SocketAddr;

use serde_json::{Value, json};
use sidespan_sink::{Counts, Received};

use super::address::reachable;

/// The facts of a running sink.
#[derive(Clone, Copy, Debug)]
pub(super) struct Started {
    /// The address for OTLP/gRPC.
    pub(super) grpc: SocketAddr,
    /// The address for OTLP/HTTP.
    pub(super) http: SocketAddr,
    /// The address for Zipkin's spans.
    pub(super) zipkin: Option<SocketAddr>,
    /// The address for Jaeger's readers, and browsers.
    pub(super) jaeger: Option<SocketAddr>,
    /// The address for Tempo's readers.
    pub(super) tempo: Option<SocketAddr>,
    /// TLS on all of them.
    pub(super) is_tls: bool,
    /// A certificate is asked of clients.
    pub(super) is_mutual: bool,
    /// A token is asked of clients.
    pub(super) has_token: bool,
}

impl Started {
    fn url(&self, listener: SocketAddr) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}", reachable(listener))
    }

    /// Returns the lines for people.
    pub(super) fn text(&self) -> String {
        let mut text = String::from("sidespan sink receives\n");
        for (name, url) in [
            ("OTLP/gRPC", Some(self.url(self.grpc))),
            ("OTLP/HTTP", Some(self.url(self.http))),
            (
                "Zipkin",
                self.zipkin.map(|zipkin| self.url(zipkin) + "/api/v2/spans"),
            ),
            ("Jaeger", self.jaeger.map(|jaeger| self.url(jaeger))),
            ("Tempo", self.tempo.map(|tempo| self.url(tempo))),
            // The page is on every port; this one is where guides open a browser.
            (
                "page",
                Some(self.url(self.jaeger.unwrap_or(self.http)) + "/"),
            ),
        ] {
            if let Some(url) = url {
                // Writing to a String does not fail.
                let _ = writeln!(text, "  {name:<10} {url}");
            }
        }
        let _ = writeln!(
            text,
            "for an exporter: OTEL_EXPORTER_OTLP_ENDPOINT={} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
            self.url(self.http)
        );
        if self.has_token {
            text += "and OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN\n";
        }
        text
    }

    /// Returns the line for scripts.
    pub(super) fn json(&self) -> Value {
        json!({
            "grpc": self.grpc.to_string(),
            "http": self.http.to_string(),
            "zipkin": self.zipkin.map(|zipkin| zipkin.to_string()),
            "jaeger": self.jaeger.map(|jaeger| jaeger.to_string()),
            "tempo": self.tempo.map(|tempo| tempo.to_string()),
            "page": self.url(self.jaeger.unwrap_or(self.http)) + "/",
            "tls": self.is_tls,
            "environment": {
                "OTEL_EXPORTER_OTLP_ENDPOINT": self.url(self.http),
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            },
        })
    }

    /// Returns what is dangerous about the addresses, and the cure.
    pub(super) fn warnings(&self) -> Vec<String> {
        let addresses = [
            Some(self.grpc),
            Some(self.http),
            self.zipkin,
            self.jaeger,
            self.tempo,
        ];
        let beyond = addresses.into_iter().flatten();
        let beyond: Vec<String> = beyond
            .filter(|address| !address.ip().is_loopback())
            .map(|address| address.to_string())
            .collect();
        if beyond.is_empty() || self.is_mutual {
            return vec![];
        }
        let beyond = beyond.join(" and ");
        match (self.has_token, self.is_tls) {
            (false, _) => vec![format!(
                "warning: everyone who reaches {beyond} can send and read spans; --token-file FILE asks for a token, --client-ca FILE \
                 for a certificate, and an address of 127.0.0.1 keeps others out"
            )],
            (true, false) => vec![format!(
                "warning: the token travels in the clear to {beyond}; --tls-cert and --tls-key hide it"
            )],
            (true, true) => vec![],
        }
    }
}

/// Returns the counts at the end, for people.
pub(super) fn summary(counts: Counts, received: Received) -> String {
    let refused = refused(received);
    let mut text = format!(
        "{} spans kept in {} requests",
        counts.accepted, counts.requests
    );
    for (count, what) in [
        (counts.duplicates, "sent twice"),
        (counts.conflicts, "under the id of another"),
        (counts.invalid, "without valid ids"),
        (counts.too_large, "of traces too large"),
        (counts.scripted, "rejected by --fail"),
        (counts.evicted, "evicted"),
        (refused, "requests refused"),
        (received.log_records, "log records dropped"),
        (received.data_points, "data points dropped"),
    ] {
        if count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    text + "\n"
}

/// Returns the counts at the end, for scripts.
pub(super) fn summary_json(counts: Counts, received: Received) -> Value {
    json!({
        "requests": counts.requests,
        "spans": {
            "accepted": counts.accepted,
            "duplicates": counts.duplicates,
            "conflicts": counts.conflicts,
            "invalid": counts.invalid,
            "too_large": counts.too_large,
            "rejected_by_fail": counts.scripted,
            "evicted": counts.evicted,
            "zipkin": received.zipkin_spans,
        },
        "refused_requests": {
            "unauthenticated": received.unauthenticated,
            "broken": received.broken,
            "too_large": received.too_large,
            "busy": received.busy,
            "slow": received.slow,
            "unavailable": received.unavailable,
            "bad_questions": received.bad_questions,
            "foreign": received.foreign,
        },
        "connections": {
            "accepted": received.connections,
            "refused": received.refused_connections,
            "failed_handshakes": received.failed_handshakes,
        },
        "dropped": {"log_records": received.log_records, "data_points": received.data_points},
    })
}

fn refused(received: Received) -> u64 {
    received.unauthenticated
        + received.broken
        + received.too_large
        + received.busy
        + received.slow
        + received.unavailable
        + received.bad_questions
        + received.foreign
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(grpc: &str) -> Started {
        Started {
            grpc: grpc.parse().unwrap(),
            http: "127.0.0.1:4318".parse().unwrap(),
            zipkin: None,
            jaeger: None,
            tempo: None,
            is_tls: false,
            is_mutual: false,
            has_token: false,
        }
    }

    #[test]
    fn warns_of_addresses_beyond_loopback_until_senders_are_known() {
        let local = started("127.0.0.1:4317");
        assert_eq!(local.warnings(), [""; 0]);
        let open = started("0.0.0.0:4317");
        let said = open.warnings().concat();
        assert!(said.contains("everyone who reaches 0.0.0.0:4317"), "{said}");
        let clear = Started {
            has_token: true,
            ..open
        };
        assert!(clear.warnings().concat().contains("in the clear"));
        for safe in [
            Started {
                is_tls: true,
                ..clear
            },
            Started {
                is_tls: true,
                is_mutual: true,
                ..open
            },
        ] {
            assert_eq!(safe.warnings(), [""; 0]);
        }
    }

    #[test]
    fn prints_urls_that_lead_to_it() {
        let all = Started {
            zipkin: Some("[::]:9411".parse().unwrap()),
            jaeger: Some("127.0.0.1:16686".parse().unwrap()),
            is_tls: true,
            has_token: true,
            ..started("0.0.0.0:4317")
        };
        assert_eq!(
            all.text(),
            "sidespan sink receives\n  OTLP/gRPC  https://127.0.0.1:4317\n  OTLP/HTTP  https://127.0.0.1:4318\n  \
             Zipkin     https://[::1]:9411/api/v2/spans\n  Jaeger     https://127.0.0.1:16686\n  page       https://127.0.0.1:16686/\nfor an exporter: \
             OTEL_EXPORTER_OTLP_ENDPOINT=https://127.0.0.1:4318 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n\
             and OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN\n"
        );
    }

    #[test]
    fn sums_up_what_came_and_leaves_out_what_did_not() {
        let counts = Counts {
            accepted: 3,
            requests: 2,
            scripted: 1,
            ..Counts::default()
        };
        assert_eq!(
            summary(counts, Received::default()),
            "3 spans kept in 2 requests, 1 rejected by --fail\n"
        );
        let received = Received {
            busy: 1,
            broken: 2,
            log_records: 4,
            ..Received::default()
        };
        assert_eq!(
            summary(Counts::default(), received),
            "0 spans kept in 0 requests, 3 requests refused, 4 log records dropped\n"
        );
    }
}
