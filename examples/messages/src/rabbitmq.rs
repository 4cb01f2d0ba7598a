//! Orders over RabbitMQ, by AMQP 0-9-1.

use amqprs::channel::{
    BasicAckArguments, BasicConsumeArguments, BasicPublishArguments, Channel, ConsumerMessage,
    QueueDeclareArguments,
};
use amqprs::connection::{Connection, OpenConnectionArguments};
use amqprs::{BasicProperties, FieldTable, FieldValue};
use anyhow::Context;
use sidespan_core::messaging::{MessageSpan, Operation};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::Processed;
use crate::telemetry::{Headers, Telemetry, now};

/// A connection with a channel, and the queue of orders.
pub struct Broker {
    channel: Channel,
    queue: String,
    server: (String, u16),
    // The channel is closed with its connection.
    _connection: Connection,
}

/// The orders that arrive from a queue.
pub struct Orders(UnboundedReceiver<ConsumerMessage>);

impl Broker {
    /// Connects to the broker, and declares the queue where there is none.
    ///
    /// # Errors
    /// Where the broker cannot be reached, or refuses.
    pub async fn connect(
        (host, port): (&str, u16),
        (user, password): (&str, &str),
        queue: &str,
    ) -> anyhow::Result<Self> {
        let arguments = OpenConnectionArguments::new(host, port, user, password);
        let connection = Connection::open(&arguments)
            .await
            .with_context(|| format!("connecting to RabbitMQ at {host}:{port}"))?;
        let channel = connection.open_channel(None).await?;
        let declared = QueueDeclareArguments::durable_client_named(queue);
        channel.queue_declare(declared).await?;
        Ok(Self {
            channel,
            queue: queue.into(),
            server: (host.into(), port),
            _connection: connection,
        })
    }

    /// Returns the orders of the queue, each of which is to be acknowledged.
    ///
    /// # Errors
    /// Where the broker refuses.
    pub async fn orders(&self) -> anyhow::Result<Orders> {
        let arguments = BasicConsumeArguments::new(&self.queue, "warehouse");
        let (_, orders) = self.channel.basic_consume_rx(arguments).await?;
        Ok(Orders(orders))
    }

    /// Publishes an order in the course of a request, by the default exchange, whose routing key is the name of the queue.
    ///
    /// # Errors
    /// Where the connection fails.
    pub async fn publish(
        &self,
        telemetry: &mut Telemetry,
        order: &str,
        request: &Headers,
    ) -> anyhow::Result<()> {
        let current = telemetry.tracer.extract(request);
        let operation = self.operation("publish");
        let mut span = telemetry.tracer.produce(operation, &current, now());
        if let Some(span) = &mut span {
            self.describe(span, &self.queue);
        }
        let headers = to_rabbitmq(&telemetry.headers(span.as_ref()))?;
        let properties = BasicProperties::default().with_headers(headers).finish();
        let arguments = BasicPublishArguments::new("", &self.queue);
        let sent = self
            .channel
            .basic_publish(properties, order.into(), arguments)
            .await;
        if let (Some(span), Err(_)) = (&mut span, &sent) {
            span.fail("amqp:connection");
        }
        telemetry.end(span);
        Ok(sent?)
    }

    /// Processes the next order, and acknowledges it.
    ///
    /// # Errors
    /// Where the connection fails.
    pub async fn process(
        &self,
        telemetry: &mut Telemetry,
        orders: &mut Orders,
    ) -> anyhow::Result<Processed> {
        let message = orders.0.recv().await.context("the connection is closed")?;
        let received = telemetry.tracer.extract(&from_rabbitmq(&message));
        let operation = self.operation("process");
        let mut span = telemetry.tracer.process(operation, &received, now());
        if let (Some(span), Some(delivered)) = (&mut span, &message.deliver) {
            self.describe(span, delivered.routing_key());
            let tag = i64::try_from(delivered.delivery_tag())?;
            let key = "messaging.rabbitmq.message.delivery_tag";
            span.attributes.number(key, tag);
        }
        let order = message.content.unwrap_or_default();
        let processed = Processed {
            order: String::from_utf8_lossy(&order).into_owned(),
            call: telemetry.headers(span.as_ref()),
        };
        telemetry.end(span);
        if let Some(delivered) = message.deliver {
            let arguments = BasicAckArguments::new(delivered.delivery_tag(), false);
            self.channel.basic_ack(arguments).await?;
        }
        Ok(processed)
    }

    /// Says what OpenTelemetry's conventions for RabbitMQ ask for beside what each broker's do.
    fn describe(&self, span: &mut MessageSpan, routing_key: &str) {
        let (host, port) = &self.server;
        let attributes = &mut span.attributes;
        let key = "messaging.rabbitmq.destination.routing_key";
        attributes.text(key, routing_key.as_bytes());
        attributes.text("server.address", host.as_bytes());
        attributes.number("server.port", (*port).into());
    }

    fn operation<'a>(&'a self, name: &'a str) -> Operation<'a> {
        Operation {
            system: "rabbitmq",
            name,
            destination: &self.queue,
        }
    }
}

fn to_rabbitmq(headers: &Headers) -> anyhow::Result<FieldTable> {
    let mut table = FieldTable::new();
    for (name, value) in headers {
        let value = String::from_utf8(value.clone())?;
        table.insert(name.as_str().try_into()?, FieldValue::S(value.try_into()?));
    }
    Ok(table)
}

/// Returns the headers that are texts or bytes; the table holds numbers, lists and tables as well.
fn from_rabbitmq(message: &ConsumerMessage) -> Headers {
    let properties = message.basic_properties.as_ref();
    let table = properties.and_then(BasicProperties::headers);
    let entries = table.into_iter().flat_map(FieldTable::as_ref);
    entries
        .filter_map(|(name, value)| {
            let value = match value {
                FieldValue::S(text) => text.as_ref().as_bytes().to_vec(),
                FieldValue::x(bytes) => bytes.clone().into(),
                _ => return None,
            };
            Some((name.as_ref().clone(), value))
        })
        .collect()
}
