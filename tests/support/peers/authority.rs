//! An authority of a test's own, which signs what a mesh or cert-manager would sign.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
};

/// An authority, which nothing but its own certificates trusts.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
pub struct Signed {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Authority {
    /// Makes an authority.
    ///
    /// # Panics
    /// When no key can be made.
    #[must_use]
    pub fn new() -> Self {
        let mut authority = CertificateParams::new([]).expect("no names");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(authority, key()).expect("a signature"))
    }

    /// Returns its own certificate, in PEM.
    pub fn root(&self) -> String {
        self.0.pem()
    }

    /// Signs what is wanted for a new key, with a name of the certificate's own.
    ///
    /// # Panics
    /// When no key can be made, or what is wanted cannot be signed.
    pub fn sign(&self, mut wanted: CertificateParams, kind: DnType, name: &str) -> Signed {
        // Else it has the authority's name, and is taken for signed by itself.
        wanted.distinguished_name = DistinguishedName::new();
        wanted.distinguished_name.push(kind, name);
        let key = key();
        let signed = wanted.signed_by(&key, &self.0).expect("a signature");
        Signed {
            certificate: signed.pem(),
            key: key.serialize_pem(),
        }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}
