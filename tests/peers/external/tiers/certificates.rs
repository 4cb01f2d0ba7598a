//! The certificates of the component `tls`, as cert-manager makes them.

use std::fs;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::observability::files::{list, read};

/// An authority, which nothing but its own certificates trusts.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> Self {
        let mut authority = CertificateParams::new([]).expect("no names");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(authority, key()).expect("a signature"))
    }

    /// Returns a secret of one of the component's certificates.
    pub(super) fn own_secret(&self) -> TempDir {
        self.secret("otel-gateway", self)
    }

    /// Returns the secret of the component's certificate by this name, as this authority's, signed by another or the same.
    pub(super) fn secret(&self, name: &str, signer: &Self) -> TempDir {
        let whole = read("collector/components/tls/certificates.yaml");
        let all: Vec<Value> = serde_saphyr::from_multiple(&whole).expect("YAML");
        let certificate = all
            .iter()
            .find(|it| it["kind"] == "Certificate" && it["metadata"]["name"] == name);
        let spec = &certificate.expect("a certificate")["spec"];
        let names = list(&spec["dnsNames"]).iter();
        let names: Vec<_> = names
            .filter_map(|it| Some(it.as_str()?.to_owned()))
            .collect();
        let mut wanted = CertificateParams::new(names).expect("names");
        // Else it has the authority's name, and is taken for signed by itself.
        wanted.distinguished_name = DistinguishedName::new();
        wanted.distinguished_name.push(DnType::CommonName, name);
        let usages = list(&spec["usages"]).iter();
        wanted.extended_key_usages = usages
            .map(|usage| match usage.as_str() {
                Some("server auth") => ExtendedKeyUsagePurpose::ServerAuth,
                Some("client auth") => ExtendedKeyUsagePurpose::ClientAuth,
                _ => panic!("{usage}"),
            })
            .collect();
        let key = key();
        let signed = wanted.signed_by(&key, &signer.0).expect("a signature");
        let folder = TempDir::new().expect("a folder for test files");
        for (name, text) in [
            ("ca.crt", self.0.pem()),
            ("tls.crt", signed.pem()),
            ("tls.key", key.serialize_pem()),
        ] {
            fs::write(folder.path().join(name), text).expect("a test file");
        }
        folder
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}
