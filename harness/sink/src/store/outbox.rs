//! What waits to be forwarded: a queue for each destination, in the transaction that keeps the spans.
//!
//! A message is stored once for all destinations and leaves with its last delivery. What a destination has refused for good
//! is set aside with the reason, so that the queue goes on. A queue over its bound drops its oldest message, and first those
//! that were set aside.

use hyper::body::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

/// A message that waits for a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The number of the message: a later message has a larger one.
    pub id: i64,
    /// The bytes of an `ExportTraceServiceRequest` with the spans that were new when they arrived.
    pub body: Bytes,
    /// The number of spans.
    pub spans: u64,
}

/// The state of a destination's queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// The messages that wait.
    pub messages: u64,
    /// The spans that wait.
    pub spans: u64,
    /// The size of what waits and of what was set aside, in bytes.
    pub bytes: u64,
    /// The messages that the destination has refused for good.
    pub set_aside: u64,
    /// The spans of those messages.
    pub set_aside_spans: u64,
    /// The spans that were dropped since the start because the queue was full.
    pub dropped_spans: u64,
}

/// The destinations, as the writer knows them.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    destinations: Vec<Destination>,
}

#[derive(Debug)]
struct Destination {
    id: i64,
    name: String,
    bytes: u64,
    dropped_spans: u64,
    drops: u64,
}

impl Outbox {
    /// Sets the destinations; what waits for others stays, and waits for them to come back.
    pub(super) fn set(
        &mut self,
        connection: &Connection,
        names: &[String],
    ) -> Result<(), rusqlite::Error> {
        let mut destinations = Vec::new();
        for name in names {
            connection.execute(
                "INSERT OR IGNORE INTO destination (name) VALUES (?1)",
                [name],
            )?;
            let select = "SELECT id FROM destination WHERE name = ?1";
            let id = connection.query_row(select, [name], |row| row.get(0))?;
            let known = self.destinations.iter().find(|known| known.id == id);
            destinations.push(Destination {
                id,
                name: name.clone(),
                bytes: bytes(connection, id)?,
                dropped_spans: known.map_or(0, |known| known.dropped_spans),
                drops: known.map_or(0, |known| known.drops),
            });
        }
        self.destinations = destinations;
        Ok(())
    }

    /// Reads again what waits, after a transaction that did not happen.
    pub(super) fn reload(&mut self, connection: &Connection) -> Result<(), rusqlite::Error> {
        for destination in &mut self.destinations {
            destination.bytes = bytes(connection, destination.id)?;
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.destinations.is_empty()
    }

    /// Adds a message to the queue of each destination.
    pub(super) fn push(
        &mut self,
        connection: &Connection,
        body: &[u8],
        spans: u64,
        arrived: i64,
        max_bytes: u64,
    ) -> Result<(), rusqlite::Error> {
        let message = connection
            .prepare_cached("INSERT INTO message (arrived, spans, body) VALUES (?1, ?2, ?3)")?
            .insert(params![arrived, spans.cast_signed(), body])?;
        for destination in &mut self.destinations {
            connection
                .prepare_cached("INSERT INTO delivery (destination, message) VALUES (?1, ?2)")?
                .execute([destination.id, message])?;
            destination.bytes += size(body.len());
            while destination.bytes > max_bytes {
                if !destination.drop_oldest(connection)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Ends the delivery of a message.
    pub(super) fn delivered(
        &mut self,
        connection: &Connection,
        name: &str,
        message: i64,
    ) -> Result<(), rusqlite::Error> {
        match self
            .destinations
            .iter_mut()
            .find(|known| known.name == name)
        {
            Some(destination) => destination.remove(connection, message),
            None => Ok(()),
        }
    }

    /// Sets a message aside that the destination refuses for good.
    pub(super) fn set_aside(
        &self,
        connection: &Connection,
        name: &str,
        message: i64,
        reason: &str,
    ) -> Result<(), rusqlite::Error> {
        if let Some(destination) = self.destinations.iter().find(|known| known.name == name) {
            connection
                .prepare_cached(
                    "UPDATE delivery SET refused = ?3 WHERE destination = ?1 AND message = ?2",
                )?
                .execute(params![destination.id, message, reason])?;
        }
        Ok(())
    }

    /// Lets what was set aside for a destination wait again, in front of what came later, and returns the numbers of messages
    /// and spans.
    pub(super) fn resend(
        connection: &Connection,
        name: &str,
    ) -> Result<(u64, u64), rusqlite::Error> {
        let set_aside = connection.query_row(
            "SELECT count(*), coalesce(sum(spans), 0) FROM delivery JOIN message ON message.id = delivery.message
             WHERE destination = (SELECT id FROM destination WHERE name = ?1) AND refused IS NOT NULL",
            [name],
            |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, i64>(1)?.cast_unsigned())),
        )?;
        connection.execute(
            "UPDATE delivery SET refused = NULL
             WHERE destination = (SELECT id FROM destination WHERE name = ?1) AND refused IS NOT NULL",
            [name],
        )?;
        Ok(set_aside)
    }

    /// Returns why the newest message of those set aside for a destination was refused.
    pub(super) fn last_refusal(
        connection: &Connection,
        name: &str,
    ) -> Result<Option<String>, rusqlite::Error> {
        connection
            .query_row(
                "SELECT refused FROM delivery WHERE destination = (SELECT id FROM destination WHERE name = ?1)
                 AND refused IS NOT NULL ORDER BY message DESC LIMIT 1",
                [name],
                |row| row.get(0),
            )
            .optional()
    }

    /// Returns the oldest messages that wait for a destination: the first, and those behind it that together with it are no
    /// larger than `max_bytes`.
    pub(super) fn waiting(
        &self,
        connection: &Connection,
        name: &str,
        max_bytes: usize,
    ) -> Result<Vec<Message>, rusqlite::Error> {
        let mut statement = connection.prepare_cached(
            "SELECT message.id, message.body, message.spans FROM delivery JOIN message ON message.id = delivery.message
             WHERE destination = (SELECT id FROM destination WHERE name = ?1) AND refused IS NULL
             ORDER BY delivery.message",
        )?;
        let mut rows = statement.query([name])?;
        let mut messages = Vec::new();
        let mut bytes = 0usize;
        while let Some(row) = rows.next()? {
            let body = row.get_ref(1)?.as_blob()?;
            bytes = bytes.saturating_add(body.len());
            if !messages.is_empty() && bytes > max_bytes {
                break;
            }
            messages.push(Message {
                id: row.get(0)?,
                body: Bytes::copy_from_slice(body),
                spans: row.get::<_, i64>(2)?.cast_unsigned(),
            });
        }
        Ok(messages)
    }

    pub(super) fn backlog(
        &self,
        connection: &Connection,
        name: &str,
    ) -> Result<Backlog, rusqlite::Error> {
        let known = self.destinations.iter().find(|known| known.name == name);
        connection.query_row(
            "SELECT count(*) FILTER (WHERE refused IS NULL), coalesce(sum(spans) FILTER (WHERE refused IS NULL), 0),
             coalesce(sum(length(body)), 0), count(refused), coalesce(sum(spans) FILTER (WHERE refused IS NOT NULL), 0) FROM delivery JOIN message ON message.id = delivery.message
             WHERE destination = (SELECT id FROM destination WHERE name = ?1)",
            [name],
            |row| {
                let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
                Ok(Backlog {
                    messages: number(0)?,
                    spans: number(1)?,
                    bytes: number(2)?,
                    set_aside: number(3)?,
                    set_aside_spans: number(4)?,
                    dropped_spans: known.map_or(0, |known| known.dropped_spans),
                })
            },
        )
    }
}

impl Destination {
    fn drop_oldest(&mut self, connection: &Connection) -> Result<bool, rusqlite::Error> {
        let oldest = connection
            .prepare_cached(
                "SELECT message, spans FROM delivery JOIN message ON message.id = delivery.message
                 WHERE destination = ?1 ORDER BY refused IS NULL, message LIMIT 1",
            )?
            .query_row([self.id], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
            })
            .optional()?;
        let Some((message, spans)) = oldest else {
            return Ok(false);
        };
        self.dropped_spans += spans.cast_unsigned();
        self.drops += 1;
        if self.drops.is_power_of_two() {
            let (name, spans) = (&self.name, self.dropped_spans);
            log::warn!(
                "the queue for {name} is full: {spans} spans dropped so far, the oldest first"
            );
        }
        self.remove(connection, message)?;
        Ok(true)
    }

    fn remove(&mut self, connection: &Connection, message: i64) -> Result<(), rusqlite::Error> {
        let length = connection
            .prepare_cached("SELECT length(body) FROM message WHERE id = ?1")?
            .query_row([message], |row| row.get::<_, i64>(0))
            .optional()?;
        let removed = connection
            .prepare_cached("DELETE FROM delivery WHERE destination = ?1 AND message = ?2")?
            .execute([self.id, message])?;
        if removed > 0 {
            self.bytes = self
                .bytes
                .saturating_sub(length.unwrap_or_default().cast_unsigned());
        }
        connection
            .prepare_cached("DELETE FROM message WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM delivery WHERE message = ?1)")?
            .execute([message])?;
        Ok(())
    }
}

fn bytes(connection: &Connection, destination: i64) -> Result<u64, rusqlite::Error> {
    let sum: i64 = connection.query_row(
        "SELECT coalesce(sum(length(body)), 0) FROM delivery JOIN message ON message.id = delivery.message WHERE destination = ?1",
        [destination],
        |row| row.get(0),
    )?;
    Ok(sum.cast_unsigned())
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
