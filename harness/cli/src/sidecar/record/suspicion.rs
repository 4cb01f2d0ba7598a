//! What may be a credential: by the name that it stands under, and by how it looks.
//!
//! Better one value too many than one too few: a recording is read by others than those who made it.

/// Returns true if the value under this name of a header, field, parameter or variable may be a credential.
pub(super) fn is_secret_name(name: &str) -> bool {
    let squashed: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    PARTS.iter().any(|part| squashed.contains(part))
        || words(name).any(|word| WORDS.contains(&word.as_str()))
}

/// Returns true if a value looks like a credential, or speaks of one.
pub(super) fn is_secret_value(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    MENTIONS.iter().any(|mention| lower.contains(mention))
        || lower.starts_with("basic ")
        || value
            .split(|letter: char| letter.is_whitespace() || ",;:&?\"'()[]{}<>|/".contains(letter))
            .any(is_random)
}

/// Returns true for a header that carries a trace or describes a message, whose value is long and odd and no credential.
pub(super) fn is_harmless_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    HARMLESS.contains(&name.as_str())
        || HARMLESS_BEGINNINGS
            .iter()
            .any(|beginning| name.starts_with(beginning))
}

/// Returns true if a word is long, of letters and digits, and neither a UUID nor a plain number or name.
fn is_random(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| ".=-_".contains(letter));
    let is_token = |letter: char| letter.is_ascii_alphanumeric() || "-_+=.~".contains(letter);
    let has = |kind: fn(&char) -> bool| word.chars().any(|letter| kind(&letter));
    word.len() >= RANDOM_LENGTH
        && word.chars().all(is_token)
        && has(char::is_ascii_digit)
        && has(char::is_ascii_alphabetic)
        && !is_uuid(word)
}

fn is_uuid(word: &str) -> bool {
    let lengths = word.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && word
            .chars()
            .all(|letter| letter == '-' || letter.is_ascii_hexdigit())
}

/// Returns the words of a name, at its hyphens and at its capitals, in lower case.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        let is_new = !letter.is_ascii_alphanumeric() || was_lower && letter.is_ascii_uppercase();
        if is_new {
            words.push(String::new());
        }
        if letter.is_ascii_alphanumeric() {
            let last = words.last_mut();
            last.into_iter()
                .for_each(|word| word.push(letter.to_ascii_lowercase()));
        }
        was_lower = letter.is_ascii_lowercase();
    }
    words.into_iter().filter(|word| !word.is_empty())
}

/// Parts of names, without hyphens.
const PARTS: &[&str] = &[
    "accesskey",
    "apikey",
    "assertion",
    "authentic",
    "authoriz",
    "authoris",
    "bearer",
    "cookie",
    "credential",
    "csrf",
    "jwt",
    "oauth",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "saml",
    "secret",
    "secwebsocket",
    "session",
    "signature",
    "token",
    "xsrf",
];

/// Whole words of names.
const WORDS: &[&str] = &[
    "auth", "card", "cert", "code", "cred", "creds", "cvc", "cvv", "dsn", "hmac", "iban", "key",
    "keys", "mac", "nonce", "otp", "pass", "pat", "pin", "pw", "pwd", "sas", "sess", "sid", "sig",
    "ssn", "ticket", "totp", "user", "username", "login",
];

/// Parts of values that stand beside a credential or begin one.
const MENTIONS: &[&str] = &[
    "-----begin",
    "accountkey=",
    "akia",
    "api-key",
    "api_key",
    "apikey",
    "authorization",
    "bearer ",
    "eyj",
    "ghp_",
    "passwd",
    "password",
    "secret",
    "sk_live",
    "token",
    "xoxb-",
    "xoxp-",
];

/// Headers whose values are no credentials, however odd they look.
const HARMLESS: &[&str] = &[
    "b3",
    "content-length",
    "content-type",
    "date",
    "etag",
    "expires",
    "grpc-trace-bin",
    "last-modified",
    "sw8",
    "traceparent",
    "tracestate",
    "uber-trace-id",
    "user-agent",
    "x-amzn-trace-id",
    "x-cloud-trace-context",
    "x-request-id",
];

/// Beginnings of such headers.
const HARMLESS_BEGINNINGS: &[&str] = &["ot-tracer-", "x-b3-", "x-datadog-", "x-ot-span-"];

/// Length from which a word of letters and digits may be a credential.
const RANDOM_LENGTH: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_credentials_are_known_however_they_are_written() {
        for name in [
            "Authorization",
            "PROXY-AUTHORIZATION",
            "cookie",
            "Set-Cookie",
            "X-Api-Key",
            "x-amz-security-token",
            "Sec-WebSocket-Protocol",
            "x-forwarded-client-cert",
            "accessToken",
            "refresh_token",
            "client_secret",
            "userPassword",
            "PASSWD",
            "db.pwd",
            "AWS_SECRET_ACCESS_KEY",
            "sessionId",
            "X-CSRF-Token",
            "privateKey",
            "pin",
            "otpCode",
            "Key",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "accept",
            "content-type",
            "x-tenant",
            "traceparent",
            "amount",
            "author",
            "spinner",
            "keyboard",
            "monkey",
            "bypass",
            "x-request-id",
            "x-forwarded-proto",
            "items",
            "passenger",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn values_that_look_like_credentials_are_known() {
        for value in [
            "Bearer abc",
            "basic dTpw",
            "eyJhbGciOiJIUzI1NiJ9.e30.x",
            "AKIAIOSFODNN7EXAMPLE",
            "-----BEGIN PRIVATE KEY-----",
            "my password is x",
            "id=8fj3kd92lsk30dkf83jd",
            "a, 0a1b2c3d4e5f60718293a4b5",
        ] {
            assert!(is_secret_value(value), "{value}");
        }
        for value in [
            "",
            "shop",
            "text/html; charset=utf-8",
            "12345678901234567890",
            "123e4567-e89b-12d3-a456-426614174000",
            "no-cache, must-revalidate",
            "a-very-long-name-without-any-number",
        ] {
            assert!(!is_secret_value(value), "{value}");
        }
        assert!(is_harmless_header("Traceparent") && is_harmless_header("X-B3-TraceId"));
        assert!(!is_harmless_header("x-tenant"));
    }
}
