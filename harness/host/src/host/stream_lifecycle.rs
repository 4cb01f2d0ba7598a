//! The start of a stream and its end, which comes exactly once.

use std::sync::Arc;

use super::vm::{Failed, Host, Installed};
use crate::stream::{Ending, HasEnded, Stream, StreamId, StreamProperties};

impl Host {
    /// Opens a stream. `proxy_on_context_create` comes with the request's headers, or at the stream's end if there were
    /// none.
    pub fn open_stream(&mut self, properties: StreamProperties) -> StreamId {
        self.open_stream_of(0, properties)
    }

    /// Opens a stream of one of the VM's plugins.
    pub(crate) fn open_stream_of(
        &mut self,
        place: usize,
        properties: StreamProperties,
    ) -> StreamId {
        self.reload(place);
        let Installed { plugin, root } = &self.installed[place];
        let (plugin, root) = (Arc::clone(plugin), *root);
        let state = self.state_mut();
        let id = StreamId(state.next_context());
        let stream = Stream::new(id, root, plugin, properties, state.time);
        state.streams.push(Box::new(stream));
        id
    }

    /// Ends a stream, at any time: `proxy_on_log`, `proxy_on_done`, `proxy_on_delete`. Returns the stream's last state.
    pub fn end(&mut self, id: StreamId, ending: Ending) -> Option<Stream> {
        let is_answered = self
            .stream(id)
            .is_some_and(|stream| stream.response.headers_passed);
        self.log_stream(id, ending, HasEnded::when_answered(is_answered));
        self.delete_stream(id)
    }

    /// Completes a stream and calls `proxy_on_log`, which in a chain all filters have before the first is done.
    pub(crate) fn log_stream(&mut self, id: StreamId, ending: Ending, ended: HasEnded) {
        let now = self.state().time.now();
        if let Some(stream) = self.stream_mut(id) {
            stream.completed = Some(now);
            stream.ending = Some(ending);
            stream.ended = Some(ended);
            // A stream whose VM has failed is not logged, because no guest is left to log it.
            let _ = self.log(id);
        }
    }

    /// Calls `proxy_on_done` and `proxy_on_delete`, and returns the stream's last state.
    pub(crate) fn delete_stream(&mut self, id: StreamId) -> Option<Stream> {
        // A stream whose VM has failed has no guest to tell.
        let _ = self.finish(id);
        let stream = self.state_mut().streams.remove(id.0)?;
        self.end_retired(stream.root);
        self.tell_queues();
        Some(*stream)
    }

    fn log(&mut self, id: StreamId) -> Result<(), Failed> {
        if self.is_failed(id) {
            return Err(Failed);
        }
        self.create(id)?;
        if let Some(stream) = self.stream_mut(id) {
            stream.logging = true;
        }
        let logged = self.enter(|guest| &guest.log, id.0, id.0, ());
        if let Some(stream) = self.stream_mut(id) {
            stream.logging = false;
        }
        logged?;
        self.run_deferred();
        Ok(())
    }

    fn finish(&mut self, id: StreamId) -> Result<(), Failed> {
        if self.is_failed(id) || !self.stream(id).is_some_and(|stream| stream.created) {
            return Err(Failed);
        }
        self.enter(|guest| &guest.done, id.0, id.0, 1)?;
        self.run_deferred();
        self.enter(|guest| &guest.delete, id.0, id.0, ())?;
        self.run_deferred();
        Ok(())
    }

    /// Calls `proxy_on_context_create` for a stream, once.
    pub(super) fn create(&mut self, id: StreamId) -> Result<(), Failed> {
        self.guest()?;
        let Some(stream) = self.stream_mut(id).filter(|stream| !stream.created) else {
            return if self.trap.is_some() {
                Err(Failed)
            } else {
                Ok(())
            };
        };
        stream.created = true;
        let root = stream.root;
        self.enter(|guest| &guest.context_create, id.0, (id.0, root), ())?;
        self.run_deferred();
        Ok(())
    }
}
