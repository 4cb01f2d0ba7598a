//! Envoy's foreign functions `verify_signature` and `sign`: RSA (PKCS #1 v1.5) and ECDSA over a hash, with keys in DER or PEM.
//!
//! A key that cannot be used is no error of the call: the result says so, in BoringSSL's words.

use prost::Message;
use ring::rand::SystemRandom;
use ring::signature::{
    self, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, RsaEncoding, RsaKeyPair, RsaParameters, UnparsedPublicKey,
    VerificationAlgorithm,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer};

use super::public_key::{Algorithm, PublicKey, public_key};
use crate::abi_types::{Answer, Status, refuse};

/// `envoy.source.extensions.common.wasm.VerifySignatureArguments`.
#[derive(Clone, PartialEq, Message)]
struct VerifyArguments {
    #[prost(string, tag = "1")]
    hash_function: String,
    #[prost(bytes = "vec", tag = "2")]
    public_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    signature: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    text: Vec<u8>,
    #[prost(string, tag = "5")]
    public_key_pem: String,
}

/// `envoy.source.extensions.common.wasm.VerifySignatureResult`.
#[derive(Clone, PartialEq, Message)]
struct VerifyResult {
    #[prost(bool, tag = "1")]
    result: bool,
    #[prost(string, tag = "2")]
    error: String,
}

/// `envoy.source.extensions.common.wasm.SignArguments`.
#[derive(Clone, PartialEq, Message)]
struct SignArguments {
    #[prost(string, tag = "1")]
    hash_function: String,
    #[prost(bytes = "vec", tag = "2")]
    private_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    text: Vec<u8>,
    #[prost(string, tag = "4")]
    private_key_pem: String,
}

/// `envoy.source.extensions.common.wasm.SignResult`.
#[derive(Clone, PartialEq, Message)]
struct SignResult {
    #[prost(bool, tag = "1")]
    result: bool,
    #[prost(bytes = "vec", tag = "2")]
    signature: Vec<u8>,
    #[prost(string, tag = "3")]
    error: String,
}

/// A hash that Envoy knows by name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "sha1" => Some(Self::Sha1),
            "sha224" => Some(Self::Sha224),
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

/// Says whether a signature is one of a text.
///
/// # Errors
/// BAD_ARGUMENT: arguments that cannot be read, no key, or one in each form. UNIMPLEMENTED: a hash or a key that Envoy has
/// and this host does not have.
pub(super) fn verify(arguments: &[u8]) -> Answer<Vec<u8>> {
    let Ok(arguments) = VerifyArguments::decode(arguments) else {
        return unreadable("VerifySignatureArguments");
    };
    let der = match one_of(arguments.public_key, arguments.public_key_pem)? {
        Key::Der(der) => der,
        Key::Pem(pem) => SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes())
            .map(|der| der.to_vec())
            .unwrap_or_default(),
    };
    let Some(hash) = Hash::from_name(&arguments.hash_function) else {
        return not_verified(unsupported(&arguments.hash_function));
    };
    let Some(key) = public_key(&der).filter(|key| key.algorithm != Algorithm::Other) else {
        return not_verified("Failed to initialize digest verify.".to_owned());
    };
    let Some(algorithm) = verification(&key, hash) else {
        return not_here("verifies no signatures with this hash and this kind of key");
    };
    let key = UnparsedPublicKey::new(algorithm, key.bytes);
    match key.verify(&arguments.text, &arguments.signature) {
        Ok(()) => Ok(VerifyResult {
            result: true,
            error: String::new(),
        }
        .encode_to_vec()),
        Err(_) => not_verified("Failed to verify digest. Error code: 0".to_owned()),
    }
}

/// Signs a text.
///
/// # Errors
/// The errors of [`verify`].
pub(super) fn sign(arguments: &[u8]) -> Answer<Vec<u8>> {
    let Ok(arguments) = SignArguments::decode(arguments) else {
        return unreadable("SignArguments");
    };
    let key = match one_of(arguments.private_key, arguments.private_key_pem)? {
        // BoringSSL reads PKCS #8 in this form, and no other.
        Key::Der(der) => Some(PrivateKeyDer::Pkcs8(der.into())),
        Key::Pem(pem) => PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok(),
    };
    let Some(hash) = Hash::from_name(&arguments.hash_function) else {
        return not_signed(unsupported(&arguments.hash_function));
    };
    let rsa = key.as_ref().and_then(|key| match key {
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).ok(),
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok(),
        _ => None,
    });
    let random = SystemRandom::new();
    if let Some(pair) = rsa {
        let Some(encoding) = signing(hash) else {
            return not_here("signs with SHA-256, SHA-384 and SHA-512 only");
        };
        let mut signature = vec![0; pair.public().modulus_len()];
        return match pair.sign(encoding, &random, &arguments.text, &mut signature) {
            Ok(()) => signed(signature),
            Err(_) => not_signed("Failed to sign digest.".to_owned()),
        };
    }
    let curve: Option<&'static EcdsaSigningAlgorithm> = match hash {
        Hash::Sha256 => Some(&ECDSA_P256_SHA256_ASN1_SIGNING),
        Hash::Sha384 => Some(&ECDSA_P384_SHA384_ASN1_SIGNING),
        _ => None,
    };
    let pair = match (&key, curve) {
        (Some(PrivateKeyDer::Pkcs8(der)), Some(curve)) => {
            EcdsaKeyPair::from_pkcs8(curve, der.secret_pkcs8_der(), &random).ok()
        }
        _ => None,
    };
    match pair.map(|pair| pair.sign(&random, &arguments.text)) {
        Some(Ok(signature)) => signed(signature.as_ref().to_vec()),
        Some(Err(_)) => not_signed("Failed to sign digest.".to_owned()),
        None => {
            not_signed("Invalid key type: private key required for signing operation.".to_owned())
        }
    }
}

/// A key in one of two forms.
enum Key {
    Der(Vec<u8>),
    Pem(String),
}

fn one_of(der: Vec<u8>, pem: String) -> Answer<Key> {
    match (der.is_empty(), pem.is_empty()) {
        (false, true) => Ok(Key::Der(der)),
        (true, false) => Ok(Key::Pem(pem)),
        (true, true) => refuse(Status::BadArgument, "there is no key"),
        (false, false) => refuse(
            Status::BadArgument,
            "there are two keys, one in DER and one in PEM",
        ),
    }
}

fn verification(key: &PublicKey<'_>, hash: Hash) -> Option<&'static dyn VerificationAlgorithm> {
    // Keys of 1024 bits and more, as BoringSSL takes them.
    let of_rsa: Option<&'static RsaParameters> = match hash {
        Hash::Sha1 => Some(&signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
        Hash::Sha224 => None,
        Hash::Sha256 => Some(&signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
        Hash::Sha384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Hash::Sha512 => Some(&signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
    };
    match (key.algorithm, hash) {
        (Algorithm::Rsa, _) => of_rsa.map(|parameters| parameters as _),
        (Algorithm::P256, Hash::Sha256) => Some(&signature::ECDSA_P256_SHA256_ASN1),
        (Algorithm::P256, Hash::Sha384) => Some(&signature::ECDSA_P256_SHA384_ASN1),
        (Algorithm::P384, Hash::Sha256) => Some(&signature::ECDSA_P384_SHA256_ASN1),
        (Algorithm::P384, Hash::Sha384) => Some(&signature::ECDSA_P384_SHA384_ASN1),
        _ => None,
    }
}

fn signing(hash: Hash) -> Option<&'static dyn RsaEncoding> {
    match hash {
        Hash::Sha256 => Some(&signature::RSA_PKCS1_SHA256),
        Hash::Sha384 => Some(&signature::RSA_PKCS1_SHA384),
        Hash::Sha512 => Some(&signature::RSA_PKCS1_SHA512),
        Hash::Sha1 | Hash::Sha224 => None,
    }
}

fn signed(signature: Vec<u8>) -> Answer<Vec<u8>> {
    let result = SignResult {
        result: true,
        signature,
        error: String::new(),
    };
    Ok(result.encode_to_vec())
}

fn not_signed(error: String) -> Answer<Vec<u8>> {
    let result = SignResult {
        error,
        ..SignResult::default()
    };
    Ok(result.encode_to_vec())
}

fn not_verified(error: String) -> Answer<Vec<u8>> {
    let result = VerifyResult {
        result: false,
        error,
    };
    Ok(result.encode_to_vec())
}

fn unsupported(hash: &str) -> String {
    format!("{hash} is not supported.")
}

fn unreadable(message: &str) -> Answer<Vec<u8>> {
    refuse(
        Status::BadArgument,
        format!("the arguments are no {message}"),
    )
}

fn not_here(what: &str) -> Answer<Vec<u8>> {
    refuse(
        Status::Unimplemented,
        format!("Envoy does it; this host {what}"),
    )
}

#[cfg(test)]
mod tests;
