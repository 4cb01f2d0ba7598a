//! Free ports: what a test takes is neither given twice nor taken by a socket that asks the kernel for any port.

use std::collections::BTreeSet;
use std::net::TcpListener;

use sidespan_tests::ports::{PORTS, free_address};

#[test]
fn an_address_is_given_once_and_is_none_that_the_kernel_gives() {
    let given: BTreeSet<_> = (0..100).map(|_| free_address()).collect();
    assert_eq!(given.len(), 100);
    let of_the_kernel = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = of_the_kernel.local_addr().expect("a bound socket").port();
    assert!(!PORTS.contains(&port), "{port}");
}

#[test]
fn an_address_in_use_is_not_given() {
    let next = free_address().port() + 1;
    let held: Vec<_> = (next..next + 10)
        .filter_map(|port| TcpListener::bind(("127.0.0.1", port)).ok())
        .filter_map(|held| held.local_addr().ok().map(|address| (address, held)))
        .collect();
    for _ in 0..20 {
        let given = free_address();
        assert!(held.iter().all(|(address, _)| *address != given), "{given}");
    }
}
