//! Exchanges that are under way at once: each awaits moments of virtual time, which passes once all of them wait.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::carry::{Carriage, Piece};
use super::running::Drive;

/// The way of several exchanges through one run.
pub(super) struct Course<'a> {
    drive: RefCell<&'a mut Drive>,
    /// The earliest moment that an exchange awaits.
    due: Cell<Option<Duration>>,
}

impl<'a> Course<'a> {
    pub(super) fn new(drive: &'a mut Drive) -> Self {
        Self {
            drive: RefCell::new(drive),
            due: Cell::new(None),
        }
    }

    /// Does something with the run, in no time.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Drive) -> T) -> T {
        act(&mut self.drive.borrow_mut())
    }

    pub(super) fn now(&self) -> Duration {
        self.drive.borrow().now()
    }

    /// Takes all exchanges to their ends, in their order wherever they want to act at once.
    ///
    /// # Errors
    /// That of the first exchange that fails.
    pub(super) fn run<T>(&self, exchanges: Vec<Flight<'_, T>>) -> anyhow::Result<Vec<T>> {
        let mut flights: Vec<Result<T, Flight<'_, T>>> = exchanges.into_iter().map(Err).collect();
        let mut context = Context::from_waker(Waker::noop());
        loop {
            for flight in &mut flights {
                if let Err(future) = flight
                    && let Poll::Ready(outcome) = future.as_mut().poll(&mut context)
                {
                    *flight = Ok(outcome?);
                }
            }
            match self.due.take() {
                Some(due) => self.with(|drive| drive.wait(due.saturating_sub(drive.now())))?,
                // Who awaits no time has arrived.
                None => return Ok(flights.into_iter().filter_map(Result::ok).collect()),
            }
        }
    }

    /// Waits for a moment.
    pub(super) async fn until(&self, moment: Duration) {
        while self.now() < moment {
            self.turn(moment).await;
        }
    }

    /// Waits for a moment, or an earlier one at which another exchange acts.
    async fn turn(&self, moment: Duration) {
        let mut has_waited = false;
        poll_fn(|_| {
            if std::mem::replace(&mut has_waited, true) {
                return Poll::Ready(());
            }
            let due = self.due.get().map_or(moment, |due| due.min(moment));
            self.due.set(Some(due));
            Poll::Pending
        })
        .await;
    }

    /// Sends the pieces of a message, each at its time.
    pub(super) async fn send(
        &self,
        carriage: &mut Carriage,
        pieces: Vec<Piece>,
    ) -> anyhow::Result<()> {
        for piece in pieces {
            if !piece.after.is_zero() {
                self.pass_time(carriage, piece.after).await?;
            }
            if carriage.is_over() {
                return Ok(());
            }
            self.with(|drive| drive.give(carriage, piece))?;
        }
        Ok(())
    }

    /// Lets time pass, for as long as the client waits.
    pub(super) async fn pass_time(
        &self,
        carriage: &mut Carriage,
        length: Duration,
    ) -> anyhow::Result<()> {
        let end = self.now() + length;
        while self.now() < end && !carriage.is_over() {
            self.turn(end.min(self.now() + MILLISECOND)).await;
            self.with(|drive| drive.settle_calls(carriage))?;
        }
        Ok(())
    }

    /// Gives filters that pause a message the time to get their answers.
    pub(super) async fn settle(
        &self,
        carriage: &mut Carriage,
        is_done: impl Fn(&Carriage) -> bool,
    ) -> anyhow::Result<()> {
        let end = self.now() + PATIENCE;
        while !carriage.is_over() && !is_done(carriage) && self.now() < end {
            self.turn(self.now() + STEP).await;
            self.with(|drive| drive.settle_calls(carriage))?;
        }
        Ok(())
    }
}

/// An exchange on its way.
pub(super) type Flight<'a, T> = Pin<Box<dyn Future<Output = anyhow::Result<T>> + 'a>>;

const MILLISECOND: Duration = Duration::from_millis(1);
/// The time between two looks at a message that a filter holds.
const STEP: Duration = Duration::from_millis(10);
/// The time after which a client gives up what filters hold back.
const PATIENCE: Duration = Duration::from_secs(5);
