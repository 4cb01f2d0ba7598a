//! The certificates of the component `tls`, as cert-manager makes them.

use std::fs;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose};
use serde_json::Value;
use sidespan_tests::peers::Authority;
use tempfile::TempDir;

use crate::observability::files::{list, read};

/// Returns a secret of one of the component's certificates.
pub(super) fn own_secret(authority: &Authority) -> TempDir {
    secret("otel-gateway", authority, authority)
}

/// Returns the secret of the component's certificate by this name, as this authority's, signed by another or the same.
pub(super) fn secret(name: &str, authority: &Authority, signer: &Authority) -> TempDir {
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
    let usages = list(&spec["usages"]).iter();
    wanted.extended_key_usages = usages
        .map(|usage| match usage.as_str() {
            Some("server auth") => ExtendedKeyUsagePurpose::ServerAuth,
            Some("client auth") => ExtendedKeyUsagePurpose::ClientAuth,
            _ => panic!("{usage}"),
        })
        .collect();
    let signed = signer.sign(wanted, DnType::CommonName, name);
    let folder = TempDir::new().expect("a folder for test files");
    for (name, text) in [
        ("ca.crt", authority.root()),
        ("tls.crt", signed.certificate),
        ("tls.key", signed.key),
    ] {
        fs::write(folder.path().join(name), text).expect("a test file");
    }
    folder
}
