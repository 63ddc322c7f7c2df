//! Every secret that enters a world carries a mark, and what leaves the handler is searched for the marks in
//! every spelling.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use memchr::memmem::Finder;

/// Stands in every secret that these worlds make up themselves. It is the same when it is percent-encoded.
const MARK: &str = "kQ7zX9vW2tR5mB8d";

/// The storage account's key: Base64, as Azure shows it.
pub(crate) fn account_key() -> String {
    format!("{MARK}AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKKKLLLLMMMMNNNNOOOOPPPPQQQQQQ==")
}

/// The signed part of an operation's URL.
pub(crate) fn signature() -> String {
    format!("t=639100000000000000&c=MIIH&s={MARK}&h=Zz1")
}

/// A shared access signature, as a blob's address may carry one.
pub(crate) fn access_signature() -> String {
    format!("sv=2026-04-06&sr=b&sp=r&sig={MARK}%3D")
}

/// A URL that is a secret itself.
pub(crate) fn secret_url(of: &str) -> String {
    format!("{of}/{MARK}")
}

/// What is searched for.
pub(crate) struct Marks(Vec<Finder<'static>>);

impl Marks {
    /// The marks of a world, given the secrets that the simulated tenant makes up.
    pub(crate) fn new(client_secret: &str, token: &str) -> Self {
        // All tokens of a tenant begin alike.
        let token = token.split('.').next().unwrap_or(token);
        let secrets = [MARK, client_secret, token];
        let spelled = secrets.into_iter().flat_map(spellings);
        Self(spelled.map(|spelling| Finder::new(&spelling).into_owned()).collect())
    }

    /// Whether a secret stands in `text`.
    pub(crate) fn stand_in(&self, text: &[u8]) -> bool {
        self.0.iter().any(|finder| finder.find(text).is_some())
    }

    /// How often the mark itself stands in `text`.
    pub(crate) fn count(text: &[u8]) -> usize {
        Finder::new(MARK).find_iter(text).count()
    }
}

/// As it is, and what the Base64 of any longer text shows of it: three ways, by where it begins in there.
fn spellings(secret: &str) -> Vec<String> {
    let within = |place: usize| {
        let encoded = BASE64.encode(format!("{}{secret}", &"   "[..place]));
        let whole = (place + secret.len()) / 3 * 4;
        encoded[(place * 8).div_ceil(6)..whole].to_owned()
    };
    let mut spelled = vec![secret.to_owned(), percent_encoded(secret)];
    for encoded in (0..3).map(within) {
        spelled.push(encoded.replace('+', "-").replace('/', "_"));
        spelled.push(encoded);
    }
    spelled.sort();
    spelled.dedup();
    spelled
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let marks = Marks::new("s.0a1b2c3d", "eyJhbGciOiJSUzI1NiJ9.claims.signature");
        for secret in [account_key(), signature(), access_signature(), secret_url("https://alerts.example")] {
            assert!(marks.stand_in(secret.as_bytes()), "{secret}");
        }
        for before in ["", "a", "ab", "abc"] {
            for secret in ["s.0a1b2c3d", "eyJhbGciOiJSUzI1NiJ9", &account_key()] {
                let text = format!("{before}{secret};and more");
                assert!(marks.stand_in(text.as_bytes()));
                assert!(marks.stand_in(percent_encoded(&text).as_bytes()));
                assert!(marks.stand_in(BASE64.encode(&text).as_bytes()), "{before:?} before {secret}");
            }
        }
        assert!(!marks.stand_in(b"the operation's result was not found"));
    }
}
