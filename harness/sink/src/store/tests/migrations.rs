//! Files of every older version of the schema, as they were written, opened by this one.

use rusqlite::{Connection, params};

use super::*;

/// The schema of version 1, kept here as it was released.
const FIRST: &str = include_str!("migrations/first.sql");

/// Writes a file of version 1 with one trace of one span, which waits for a destination.
fn first(path: &std::path::Path) {
    use prost::Message as _;
    let old = wire('a', 1);
    let request = request("cart", vec![old.clone()]);
    let mut resource = request.resource_spans[0].clone();
    resource.scope_spans.clear();
    let file = Connection::open(path).unwrap();
    file.execute_batch(FIRST).unwrap();
    file.execute_batch("PRAGMA application_id = 0x5353504E; PRAGMA user_version = 1;")
        .unwrap();
    let all = [
        "INSERT INTO service VALUES (1, 'cart', 1)",
        "INSERT INTO operation VALUES (1, 1, 0, 'a1', 1)",
        "INSERT INTO destination VALUES (1, 'one')",
        "INSERT INTO delivery VALUES (1, 1, NULL)",
    ];
    for statement in all {
        file.execute(statement, []).unwrap();
    }
    file.execute(
        "INSERT INTO context VALUES (1, 0, ?1, ?2, 1)",
        params![resource.encode_to_vec(), Vec::<u8>::new()],
    )
    .unwrap();
    file.execute(
        "INSERT INTO trace VALUES (1, ?1, 5, 1001, 2001, 1, 0, 500, 1)",
        params![old.trace_id],
    )
    .unwrap();
    file.execute(
        "INSERT INTO span VALUES (1, 1, 1, 1001, 1, 0, 1, 0, 1000, 10, 1, ?1)",
        params![old.encode_to_vec()],
    )
    .unwrap();
    file.execute(
        "INSERT INTO message VALUES (1, 5, 1, ?1)",
        params![request.encode_to_vec()],
    )
    .unwrap();
}

/// Returns the statements that make a file's tables and indexes.
fn schema(path: &std::path::Path) -> Vec<String> {
    let file = Connection::open(path).unwrap();
    let mut select = file
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .unwrap();
    let rows = select.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn a_file_of_the_first_version_is_read_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.db");
    first(&path);
    let store = Store::open(Place::File(path.clone()), Limits::default()).unwrap();
    store.set_destinations(vec!["one".into()]).await.unwrap();
    assert_eq!(kept(&store), ["a1"]);
    let inserted = keep(&store, vec![wire('a', 1), wire('a', 2)]).await;
    assert_eq!((inserted.duplicates, inserted.kept), (1, 1));
    let by_service = Query {
        service: Some("cart".into()),
        ..Query::default()
    };
    let found = store.search(by_service).await.unwrap();
    assert_eq!((found.len(), found[0].spans), (1, 2));
    let root = found[0].root.as_ref().unwrap();
    assert_eq!((&*root.service, &*root.name), ("cart", "a1"));
    let waiting = store.waiting_up_to("one", usize::MAX).await.unwrap();
    assert_eq!(waiting.len(), 2, "{waiting:?}");
    drop(store);
    let reader = Store::open(Place::ReadOnly(path.clone()), Limits::default()).unwrap();
    assert_eq!(kept(&reader), ["a1", "a2"]);
    drop(reader);

    let new = folder.path().join("new.db");
    drop(Store::open(Place::File(new.clone()), Limits::default()).unwrap());
    assert_eq!(schema(&path), schema(&new), "as if it were new");
}

#[tokio::test]
async fn a_file_of_a_later_version_is_left_alone_and_the_cure_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.db");
    first(&path);
    let file = Connection::open(&path).unwrap();
    file.execute_batch("PRAGMA user_version = 2147483647")
        .unwrap();
    drop(file);
    let before = std::fs::read(&path).unwrap();
    for place in [Place::File(path.clone()), Place::ReadOnly(path.clone())] {
        let error = Store::open(place, Limits::default()).unwrap_err();
        assert!(matches!(error, StoreError::Newer { .. }), "{error}");
        assert!(
            error.to_string().contains("use the version that wrote it"),
            "{error}"
        );
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
