//! The SQLite database: how it is opened, and its schema.
//!
//! ```text
//! context    the fields of a ResourceSpans and a ScopeSpans around their spans, once for all spans that share them
//! service ── operation    the names to search by; each row counts its spans and leaves with the last of them
//! trace      a row a trace in the order of arrival, with the summary that a search shows
//! span       a row a span: the fields that it is found by, and the bytes that were sent
//! destination ── delivery ── message    what waits to be forwarded, and what was set aside
//! ```
//!
//! Three indexes look odd and are so for cost. A page of the file is written again for every commit that touches it, so
//! an index whose keys arrive in random order costs more than everything else together (measured, one span a trace: 20.7 µs
//! a span with an index of random trace ids, 9.7 without). So trace ids are looked up in memory, where one process owns
//! the file; durations are indexed by their power of two; and the index of operations holds what a search compares, so
//! that a search reads no span that it does not return.
//!
//! Times and span ids are unsigned in OTLP and signed in SQLite: the bits are kept. A time after the year 2262 sorts before
//! 1970, and is still there.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// The place of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Memory: the spans leave with the sink.
    #[default]
    Memory,
    /// A file, which is created if it is absent.
    File(PathBuf),
    /// A file that is only read, also while a sink writes it. A search shows what the sink has added since the file was
    /// opened; a single trace is found by its id if it was there then.
    ReadOnly(PathBuf),
}

/// The error of a database that cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file that another sink has open.
    #[error("{} is in use by another sink: stop it, or name another file", .0.display())]
    InUse(PathBuf),
    /// A file of a later version of Sidespan.
    #[error("{} has schema {found}, this version knows up to {known}: use the version that wrote it", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema of the file.
        found: i64,
        /// The last schema that this version knows.
        known: i64,
    },
    /// A file that is no database of a sink.
    #[error("{} is a database of another program", .0.display())]
    Foreign(PathBuf),
    /// A failure of the file system beside the database.
    #[error("cannot open {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A failure of the database.
    #[error("the span database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// A store that has stopped.
    #[error("the store has stopped")]
    Stopped,
}

/// Opens the database for the one connection that writes.
pub(super) fn open(place: &Place) -> Result<Connection, StoreError> {
    let mut connection = match place {
        Place::Memory => Connection::open_in_memory()?,
        Place::File(path) => Connection::open(path)?,
        Place::ReadOnly(path) => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(path, flags)?
        }
    };
    connection.set_prepared_statement_cache_capacity(64);
    connection.busy_timeout(PATIENCE)?;
    let (application, version) = header(&connection)?;
    if let Place::File(path) | Place::ReadOnly(path) = place {
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = connection.query_row(tables, [], |row| row.get(0))?;
        let is_new = tables == 0 && application == 0 && matches!(place, Place::File(_));
        if application != APPLICATION && !is_new {
            return Err(StoreError::Foreign(path.clone()));
        }
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        if version > known {
            return Err(StoreError::Newer {
                path: path.clone(),
                found: version,
                known,
            });
        }
    }
    connection.execute_batch(match place {
        // A rollback is needed when a statement fails, so the journal stays on in memory as well.
        Place::Memory => "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;",
        // FULL: what is acknowledged survives the loss of power too.
        Place::File(_) => {
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216;
             PRAGMA cache_size = -32768;"
        }
        Place::ReadOnly(_) => "PRAGMA query_only = ON;",
    })?;
    connection.execute_batch("PRAGMA temp_store = MEMORY;")?;
    if !matches!(place, Place::ReadOnly(_)) {
        migrate(&mut connection, version)?;
    }
    Ok(connection)
}

/// Opens the database for a connection that reads beside the one that writes; `None` in memory.
pub(super) fn open_reader(place: &Place) -> Result<Option<Connection>, rusqlite::Error> {
    let Place::File(path) = place else {
        return Ok(None);
    };
    let connection = Connection::open(path)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 1073741824; PRAGMA cache_size = -8192;",
    )?;
    connection.busy_timeout(PATIENCE)?;
    Ok(Some(connection))
}

fn header(connection: &Connection) -> Result<(i64, i64), rusqlite::Error> {
    let read = |pragma| connection.query_row(pragma, [], |row| row.get(0));
    Ok((read("PRAGMA application_id")?, read("PRAGMA user_version")?))
}

fn migrate(connection: &mut Connection, version: i64) -> Result<(), rusqlite::Error> {
    for (number, script) in (1i64..).zip(MIGRATIONS) {
        if number > version {
            // The version changes together with the tables: a migration that is broken off has not happened.
            let step = connection.transaction()?;
            step.execute_batch(script)?;
            step.pragma_update(None, "application_id", APPLICATION)?;
            step.pragma_update(None, "user_version", number)?;
            step.commit()?;
        }
    }
    Ok(())
}

/// The time to wait for another connection, which holds the file for moments only.
const PATIENCE: Duration = Duration::from_secs(5);

/// "SSPN", in the file's header, tells a sink's file from other databases.
const APPLICATION: i64 = 0x5353_504E;

/// The steps from an empty file to the present schema. A step that was released is never changed.
const MIGRATIONS: [&str; 1] = ["
CREATE TABLE context (
    id INTEGER PRIMARY KEY,
    hash INTEGER NOT NULL,
    resource BLOB NOT NULL,
    scope BLOB NOT NULL,
    spans INTEGER NOT NULL
) STRICT;
CREATE INDEX context_hash ON context (hash);

CREATE TABLE service (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    spans INTEGER NOT NULL
) STRICT;

CREATE TABLE operation (
    id INTEGER PRIMARY KEY,
    service INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    spans INTEGER NOT NULL,
    UNIQUE (service, name, kind)
) STRICT;
CREATE INDEX operation_name ON operation (name);

CREATE TABLE trace (
    id INTEGER PRIMARY KEY,
    trace_id BLOB NOT NULL,
    arrived INTEGER NOT NULL,
    start INTEGER NOT NULL,
    finish INTEGER NOT NULL,
    spans INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    root INTEGER
) STRICT;
CREATE INDEX trace_start ON trace (start);

CREATE TABLE span (
    id INTEGER PRIMARY KEY,
    trace INTEGER NOT NULL,
    span_id INTEGER NOT NULL,
    start INTEGER NOT NULL,
    service INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    operation INTEGER NOT NULL,
    status INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    magnitude INTEGER NOT NULL,
    context INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX span_identity ON span (trace, span_id, start, service, kind);
CREATE INDEX span_operation ON span (operation, start, duration, status, trace);
CREATE INDEX span_magnitude ON span (magnitude, start, duration, status, operation, trace);
CREATE INDEX span_error ON span (start, duration, operation, trace) WHERE status = 2;

CREATE TABLE destination (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    arrived INTEGER NOT NULL,
    spans INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE delivery (
    destination INTEGER NOT NULL,
    message INTEGER NOT NULL,
    refused TEXT,
    PRIMARY KEY (destination, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_message ON delivery (message);
"];
