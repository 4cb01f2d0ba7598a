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
