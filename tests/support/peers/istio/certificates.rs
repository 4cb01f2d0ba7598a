//! The certificates of workloads, which an agent takes from files where there is no istiod to sign them.

use std::fs;
use std::path::Path;

use rcgen::{CertificateParams, DnType, SanType};

use crate::peers::Authority;

/// Writes certificate, key and root for a service account into a folder, under the names that an agent reads.
///
/// # Panics
/// When a file cannot be written.
pub(super) fn write(authority: &Authority, folder: &Path, namespace: &str, account: &str) {
    let identity = format!("spiffe://cluster.local/ns/{namespace}/sa/{account}");
    let mut workload = CertificateParams::new([]).expect("no names");
    let identity = identity.try_into().expect("letters, digits and hyphens");
    workload.subject_alt_names = vec![SanType::URI(identity)];
    let signed = authority.sign(workload, DnType::OrganizationName, "workloads");
    fs::create_dir_all(folder).expect("a folder for test files");
    for (name, text) in [
        ("cert-chain.pem", signed.certificate),
        ("key.pem", signed.key),
        ("root-cert.pem", authority.root()),
    ] {
        fs::write(folder.join(name), text).expect("a test file");
    }
}
