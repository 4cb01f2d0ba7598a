//! The handle's part for forwarding: each destination's queue.

use super::database::{Place, StoreError};
use super::handle::Store;
use super::outbox::{Backlog, Message, Outbox};

impl Store {
    /// Returns true if everything ends with the store.
    pub fn is_in_memory(&self) -> bool {
        matches!(self.inner.place, Place::Memory)
    }

    /// Sets the destinations that new spans are queued for; what waits for a destination that is not named stays.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be written.
    pub async fn set_destinations(&self, names: Vec<String>) -> Result<(), StoreError> {
        self.write(move |connection, outbox| outbox.set(connection, &names))
            .await
    }

    /// Returns the oldest message that waits for a destination.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn waiting(&self, destination: &str) -> Result<Option<Message>, StoreError> {
        let first = self.waiting_up_to(destination, 0).await?;
        Ok(first.into_iter().next())
    }

    /// Returns the oldest messages that wait for a destination: the first, and those behind it that together with it are no
    /// larger than `max_bytes`.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn waiting_up_to(
        &self,
        destination: &str,
        max_bytes: usize,
    ) -> Result<Vec<Message>, StoreError> {
        let name = destination.to_owned();
        self.write(move |connection, outbox| outbox.waiting(connection, &name, max_bytes))
            .await
    }

    /// Ends the delivery of a message: the destination has it.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be written.
    pub async fn delivered(&self, destination: &str, message: i64) -> Result<(), StoreError> {
        self.all_delivered(destination, vec![message]).await
    }

    /// Ends the delivery of messages in one transaction.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be written.
    pub async fn all_delivered(
        &self,
        destination: &str,
        messages: Vec<i64>,
    ) -> Result<(), StoreError> {
        let name = destination.to_owned();
        self.write(move |connection, outbox| {
            messages
                .into_iter()
                .try_for_each(|message| outbox.delivered(connection, &name, message))
        })
        .await
    }

    /// Sets a message aside that the destination refuses for good, with the reason.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be written.
    pub async fn set_aside(
        &self,
        destination: &str,
        message: i64,
        reason: &str,
    ) -> Result<(), StoreError> {
        let (name, reason) = (destination.to_owned(), reason.to_owned());
        self.write(move |connection, outbox| outbox.set_aside(connection, &name, message, &reason))
            .await
    }

    /// Lets what was set aside for a destination wait again, in front of what came later, and returns the numbers of messages
    /// and spans.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be written.
    pub async fn resend(&self, destination: &str) -> Result<(u64, u64), StoreError> {
        let name = destination.to_owned();
        self.write(move |connection, _| Outbox::resend(connection, &name))
            .await
    }

    /// Returns why the newest message of those set aside for a destination was refused; `None` if none is set aside.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn last_refusal(&self, destination: &str) -> Result<Option<String>, StoreError> {
        let name = destination.to_owned();
        self.read(move |connection| Outbox::last_refusal(connection, &name))
            .await
    }

    /// Returns the state of a destination's queue.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn backlog(&self, destination: &str) -> Result<Backlog, StoreError> {
        let name = destination.to_owned();
        self.write(move |connection, outbox| outbox.backlog(connection, &name))
            .await
    }
}
