//! A store in a file.

use std::path::Path;

use rusqlite::Connection;

use super::bounds::full;
use super::*;

fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(Place::File(path.to_owned()), Limits::default())
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.db");
    let store = open(&path).unwrap();
    keep(&store, vec![wire('a', 1), wire('b', 1)]).await;
    let size = store.size();
    drop(store);
    let store = open(&path).unwrap();
    assert_eq!(store.size(), size);
    assert_eq!(
        keep(&store, vec![wire('a', 1), wire('a', 2)]).await,
        Inserted {
            kept: 1,
            duplicates: 1,
            ..Inserted::default()
        }
    );
    assert_eq!(kept(&store), ["a1", "a2", "b1"]);
    let found = store.search(Query::default()).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(store.trace([b'a'; 16]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_second_sink_is_told_that_the_file_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.db");
    let _first = open(&path).unwrap();
    let second = open(&path).unwrap_err();
    assert_eq!(
        second.to_string(),
        format!(
            "{} is in use by another sink: stop it, or name another file",
            path.display()
        )
    );
}

#[tokio::test]
async fn a_file_of_another_program_or_a_later_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE song (title TEXT)")
        .unwrap();
    assert!(matches!(open(&foreign), Err(StoreError::Foreign(_))));
    let text = folder.path().join("notes.txt");
    std::fs::write(
        &text,
        "not a database, but long enough to be looked at as one".repeat(20),
    )
    .unwrap();
    assert!(matches!(open(&text), Err(StoreError::Database(_))));
    let later = folder.path().join("later.db");
    drop(open(&later).unwrap());
    Connection::open(&later)
        .unwrap()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    let error = open(&later).unwrap_err().to_string();
    assert!(
        error.contains("has schema 99, this version knows up to 1"),
        "{error}"
    );
    let missing = folder.path().join("no/folder/spans.db");
    assert!(matches!(open(&missing), Err(StoreError::File { .. })));
}

#[tokio::test]
async fn a_closed_file_is_free_although_a_child_still_has_its_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.db");
    let store = open(&path).unwrap();
    let of_the_child = store.inner.lock.as_ref().unwrap().try_clone().unwrap();
    assert!(matches!(open(&path), Err(StoreError::InUse(_))));
    drop(store);
    drop(open(&path).unwrap());
    drop(of_the_child);
}

#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.db");
    let store = open(&path).unwrap();
    let _pages = full(&store);
    let mut acknowledged = 0;
    let mut refused = 0;
    for id in 1..=200u8 {
        let span = Span {
            name: "x".repeat(1_000),
            ..wire('a', id)
        };
        match store.insert(batch(vec![span]), |_| ()).await {
            Ok(inserted) => acknowledged += inserted.kept,
            Err(Refused::Storage(cause)) => {
                assert!(cause.contains("full"), "{cause}");
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(
        acknowledged > 0 && refused > 0,
        "{acknowledged} and {refused}"
    );
    assert_eq!(store.size().spans, acknowledged);
    drop(store);
    let store = open(&path).unwrap();
    assert_eq!(u64::try_from(kept(&store).len()).unwrap(), acknowledged);
    let check: String = store
        .read(|connection| connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)))
        .await
        .unwrap();
    assert_eq!(check, "ok");
}

#[tokio::test]
async fn a_search_goes_on_while_spans_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("spans.db")).unwrap();
    keep(&store, vec![wire('a', 1)]).await;
    let (go, gate) = std::sync::mpsc::channel::<()>();
    store
        .inner
        .jobs
        .add(Box::new(move |_| gate.recv().unwrap()));
    assert_eq!(store.search(Query::default()).await.unwrap().len(), 1);
    go.send(()).unwrap();
}

#[tokio::test]
async fn a_file_is_read_while_a_sink_writes_it_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.db");
    let read_only = || Store::open(Place::ReadOnly(path.clone()), Limits::default());
    assert!(read_only().is_err(), "no file is made");
    let sink = open(&path).unwrap();
    keep(&sink, vec![wire('a', 1)]).await;
    let reader = read_only().unwrap();
    keep(&sink, vec![wire('b', 1)]).await;
    assert_eq!(reader.search(Query::default()).await.unwrap().len(), 2);
    assert_eq!(reader.trace([b'a'; 16]).await.unwrap().len(), 1);
    let refused = reader.insert(batch(vec![wire('c', 1)]), |_| ()).await;
    assert!(matches!(refused, Err(Refused::Storage(_))), "{refused:?}");
    drop(sink);
    assert_eq!(reader.search(Query::default()).await.unwrap().len(), 2);
    drop(reader);
    assert_eq!(read_only().unwrap().size().spans, 2);
}
