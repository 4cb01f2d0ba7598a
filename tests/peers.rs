//! OpenTelemetry's Collector and Jaeger as senders and receivers: what they send arrives, what they are sent they take.

mod external;
