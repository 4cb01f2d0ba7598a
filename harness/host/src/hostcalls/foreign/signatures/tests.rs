//! Keys and signatures in `tests/` were made by OpenSSL for these tests, and what is expected was seen in Envoy 1.40.

use prost::Message;

use super::{SignArguments, SignResult, VerifyArguments, VerifyResult, sign, verify};
use crate::abi_types::{Failure, Status};

const KEY: &[u8] = include_bytes!("tests/rsa_key.der");
const PUBLIC_KEY: &[u8] = include_bytes!("tests/rsa_public_key.der");
const SIGNATURE: &[u8] = include_bytes!("tests/rsa_sha256_of_text");

fn rsa() -> VerifyArguments {
    VerifyArguments {
        hash_function: "sha256".to_owned(),
        public_key: PUBLIC_KEY.to_vec(),
        signature: SIGNATURE.to_vec(),
        text: b"text".to_vec(),
        public_key_pem: String::new(),
    }
}

fn verified(arguments: &VerifyArguments) -> Result<(bool, String), Status> {
    match verify(&arguments.encode_to_vec()) {
        Ok(bytes) => {
            let result = VerifyResult::decode(&bytes[..]).unwrap();
            Ok((result.result, result.error))
        }
        Err(Failure::Status(status, _)) => Err(status),
        Err(Failure::Trap(trap)) => panic!("{trap}"),
    }
}

#[test]
fn verifies_signatures_and_says_why_not_in_the_words_of_envoy() {
    let change = |change: &dyn Fn(&mut VerifyArguments)| {
        let mut arguments = rsa();
        change(&mut arguments);
        verified(&arguments)
    };
    let refused = |error: &str| Ok((false, error.to_owned()));
    let mismatch = || refused("Failed to verify digest. Error code: 0");
    assert_eq!(verified(&rsa()), Ok((true, String::new())));
    assert_eq!(
        change(&|it| it.hash_function = "SHA256".to_owned()),
        Ok((true, String::new()))
    );
    assert_eq!(change(&|it| it.text = b"other".to_vec()), mismatch());
    assert_eq!(change(&|it| it.signature = Vec::new()), mismatch());
    assert_eq!(
        change(&|it| it.hash_function = "md5".to_owned()),
        refused("md5 is not supported.")
    );
    assert_eq!(
        change(&|it| it.public_key = b"junk".to_vec()),
        refused("Failed to initialize digest verify.")
    );
    assert_eq!(
        change(&|it| it.public_key = Vec::new()),
        Err(Status::BadArgument)
    );
    assert_eq!(
        change(&|it| it.public_key_pem = "both".to_owned()),
        Err(Status::BadArgument)
    );
    assert_eq!(
        change(&|it| it.hash_function = "sha224".to_owned()),
        Err(Status::Unimplemented)
    );
    assert!(verify(b"\xff").is_err());
}

#[test]
fn verifies_with_a_key_of_a_curve_in_pem() {
    let arguments = VerifyArguments {
        public_key: Vec::new(),
        public_key_pem: include_str!("tests/p256_public_key.pem").to_owned(),
        signature: include_bytes!("tests/p256_sha256_of_text").to_vec(),
        ..rsa()
    };
    assert_eq!(verified(&arguments), Ok((true, String::new())));
}

#[test]
fn signs_as_openssl_does() {
    let signed = |hash: &str, key: &[u8]| {
        let arguments = SignArguments {
            hash_function: hash.to_owned(),
            private_key: key.to_vec(),
            text: b"text".to_vec(),
            private_key_pem: String::new(),
        };
        SignResult::decode(&sign(&arguments.encode_to_vec()).unwrap()[..]).unwrap()
    };
    let result = signed("sha256", KEY);
    assert!(result.result, "{}", result.error);
    assert_eq!(result.signature, SIGNATURE);
    assert_eq!(signed("md5", KEY).error, "md5 is not supported.");
    assert_eq!(
        signed("sha256", PUBLIC_KEY).error,
        "Invalid key type: private key required for signing operation."
    );
}
