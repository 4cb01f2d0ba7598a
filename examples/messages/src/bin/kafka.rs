//! Three orders over Kafka: `kafka COLLECTOR [BROKERS]`, and without brokers over a mock of librdkafka in this process.

use std::env;

use anyhow::Context;
use example_messages::{Headers, Telemetry, kafka};
use rdkafka::mocking::MockCluster;
use sidespan_core::propagation::format::Format;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = env::args().skip(1);
    let collector = arguments
        .next()
        .context("usage: kafka COLLECTOR [BROKERS]")?;
    let mock = MockCluster::new(1)?;
    let brokers = arguments.next().unwrap_or_else(|| mock.bootstrap_servers());

    // The shop's services speak B3, and those of the warehouse W3C Trace Context.
    let mut shop = Telemetry::new("shop", &[Format::B3], &collector);
    let mut warehouse = Telemetry::new("warehouse", &[Format::TraceContext], &collector);
    let producer = kafka::producer(&brokers)?;
    for order in ["one umbrella", "two hats", "three scarves"] {
        // A request without a context; behind a sidecar it would have one.
        let request = Headers::new();
        kafka::send(&mut shop, &producer, "orders", order, &request).await?;
    }
    let consumer = kafka::consumer(&brokers, "orders")?;
    let first = kafka::process(&mut warehouse, &consumer).await?;
    println!("processed {}", first.order);
    for (name, value) in first.call {
        println!(
            "  and would call on with {name}: {}",
            String::from_utf8_lossy(&value)
        );
    }
    let others = kafka::process_batch(&mut warehouse, &consumer, "orders", 2).await?;
    println!("processed together: {}", others.join(", "));
    shop.export().await?;
    warehouse.export().await
}
