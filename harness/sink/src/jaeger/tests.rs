//! Tests of the APIs over a store.
