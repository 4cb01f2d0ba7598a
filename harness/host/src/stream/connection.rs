//! The state of a TCP connection: bytes that have arrived from either side, and the part that has passed the filter.

/// The name of one TCP connection of one host. Its number is the guest's context id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(crate) u32);

impl ConnectionId {
    /// Returns the guest's context id.
    pub fn context(self) -> u32 {
        self.0
    }
}

/// The side that closes a connection with the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBy {
    /// The proxy, as it does when the upstream has closed or a guest asks for it. Number 1.
    Proxy,
    /// The client. Number 2.
    Client,
}

impl ClosedBy {
    pub(crate) fn to_wire(self) -> u32 {
        match self {
            Self::Proxy => 1,
            Self::Client => 2,
        }
    }
}

/// A TCP connection with the client, and the one with the upstream behind it.
#[derive(Debug, Default)]
pub struct Connection {
    pub(crate) from_client: Flow,
    pub(crate) from_upstream: Flow,
    /// True from a `proxy_on_new_connection` that stops until the guest lets the connection go on.
    pub(crate) is_held: bool,
    /// Bytes that the client has sent to a connection that is held, which Envoy does not read yet, and whether they end.
    pub(crate) unread: Option<(Vec<u8>, bool)>,
    pub(crate) has_upstream: bool,
    pub(crate) is_closed: bool,
}

impl Connection {
    /// Returns the bytes from the client.
    pub fn from_client(&self) -> &Flow {
        &self.from_client
    }

    /// Returns the bytes from the upstream.
    pub fn from_upstream(&self) -> &Flow {
        &self.from_upstream
    }

    /// Returns true if the filter has not let the connection begin, so that no upstream is asked yet.
    pub fn is_held(&self) -> bool {
        self.is_held
    }

    /// Returns true if an upstream was asked, which it is not for a connection that is held, or was closed, as it began.
    pub fn has_upstream(&self) -> bool {
        self.has_upstream
    }

    /// Returns true if the connection was closed, by the guest, by the caller or because the VM has failed.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }
}

impl Connection {
    /// Returns the bytes that the guest may read under a kind of buffer: 2 for those of the client, 3 for those of the
    /// upstream.
    pub(crate) fn visible(&self, buffer: u32) -> Option<&Vec<u8>> {
        let flow = match buffer {
            2 => &self.from_client,
            _ => &self.from_upstream,
        };
        flow.is_shown.then_some(&flow.shown)
    }

    /// Returns the bytes that the guest may change under a kind of buffer.
    pub(crate) fn visible_mut(&mut self, buffer: u32) -> Option<&mut Vec<u8>> {
        let flow = match buffer {
            2 => &mut self.from_client,
            _ => &mut self.from_upstream,
        };
        flow.is_shown.then_some(&mut flow.shown)
    }
}

/// The bytes of one direction.
#[derive(Debug, Default)]
pub struct Flow {
    pub(crate) shown: Vec<u8>,
    pub(crate) is_shown: bool,
    pub(crate) is_paused: bool,
    pub(crate) end_of_stream: bool,
    has_ended: bool,
    passed: Vec<u8>,
}

impl Flow {
    /// Returns the bytes that have passed the filter and were not taken yet.
    pub fn passed(&self) -> &[u8] {
        &self.passed
    }

    /// Returns true if the filter holds bytes, or the end of the stream.
    pub fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Returns true if the end of the stream has passed the filter.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Shows the guest new bytes, behind those that it holds.
    pub(crate) fn show(&mut self, bytes: &[u8], end_of_stream: bool) {
        self.shown.extend_from_slice(bytes);
        self.is_shown = true;
        self.end_of_stream = end_of_stream;
    }

    pub(crate) fn pass(&mut self) {
        self.passed.append(&mut self.shown);
        self.has_ended |= self.end_of_stream;
        self.is_paused = false;
    }

    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.passed)
    }
}
