//! The certificates of workloads, which an agent takes from files where there is no istiod to sign them.

use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    SanType,
};

/// The authority of a mesh.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// Makes an authority that nothing but its own workloads trusts.
    ///
    /// # Panics
    /// When no key can be made.
    pub(super) fn new() -> Self {
        let mut authority = CertificateParams::new([]).expect("no names");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(authority, key()).expect("a signature"))
    }

    /// Writes certificate, key and root for a service account into a folder, under the names that an agent reads.
    ///
    /// # Panics
    /// When a file cannot be written.
    pub(super) fn write(&self, folder: &Path, namespace: &str, account: &str) {
        let identity = format!("spiffe://cluster.local/ns/{namespace}/sa/{account}");
        let mut workload = CertificateParams::new([]).expect("no names");
        // Else it has the authority's name, and is taken for signed by itself.
        workload.distinguished_name = DistinguishedName::new();
        workload
            .distinguished_name
            .push(DnType::OrganizationName, "workloads");
        let identity = identity.try_into().expect("letters, digits and hyphens");
        workload.subject_alt_names = vec![SanType::URI(identity)];
        let key = key();
        let signed = workload.signed_by(&key, &self.0).expect("a signature");
        fs::create_dir_all(folder).expect("a folder for test files");
        for (name, text) in [
            ("cert-chain.pem", signed.pem()),
            ("key.pem", key.serialize_pem()),
            ("root-cert.pem", self.0.pem()),
        ] {
            fs::write(folder.join(name), text).expect("a test file");
        }
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}
