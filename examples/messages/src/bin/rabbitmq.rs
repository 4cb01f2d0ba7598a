//! An order over RabbitMQ: `rabbitmq COLLECTOR HOST PORT`, with the user and the password of `RABBITMQ_USER` and
//! `RABBITMQ_PASSWORD`, or `guest`.

use std::env;

use anyhow::Context;
use example_messages::rabbitmq::Broker;
use example_messages::{Headers, Telemetry};
use sidespan_core::propagation::format::Format;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = env::args().skip(1);
    let mut next = || {
        let argument = arguments.next();
        argument.context("usage: rabbitmq COLLECTOR HOST PORT")
    };
    let (collector, host, port) = (next()?, next()?, next()?.parse()?);
    let variable = |name| env::var(name).unwrap_or_else(|_| "guest".into());
    let (user, password) = (variable("RABBITMQ_USER"), variable("RABBITMQ_PASSWORD"));

    // The shop's services speak B3, and those of the warehouse W3C Trace Context.
    let mut shop = Telemetry::new("shop", &[Format::B3], &collector);
    let mut warehouse = Telemetry::new("warehouse", &[Format::TraceContext], &collector);
    let broker = Broker::connect((&host, port), (&user, &password), "orders").await?;
    // A request without a context; behind a sidecar it would have one.
    broker
        .publish(&mut shop, "one umbrella", &Headers::new())
        .await?;
    let mut orders = broker.orders().await?;
    let processed = broker.process(&mut warehouse, &mut orders).await?;
    println!("processed {}", processed.order);
    for (name, value) in processed.call {
        println!(
            "  and would call on with {name}: {}",
            String::from_utf8_lossy(&value)
        );
    }
    shop.export().await?;
    warehouse.export().await
}
