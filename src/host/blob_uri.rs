//! The address of a blob, as a trigger gives it.

use reqwest::Url;

use crate::domain::vocabulary::Container;

/// A blob's address, of which only the path is kept: a query may hold a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobUri {
    /// Without the slash at its beginning, percent-encoded as it came.
    path: String,
}

impl BlobUri {
    /// Reads an http or https address. None: it is no such thing.
    pub fn parse(uri: &str) -> Option<Self> {
        let url = Url::parse(uri).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        Some(Self { path: url.path().trim_start_matches('/').to_owned() })
    }

    /// The blob's container and its name in there, both decoded. `endpoint` is the account's blob endpoint,
    /// whose path holds the account where the host does not name it. None: the address names no blob.
    pub fn within(&self, endpoint: &Url) -> Option<(Container, String)> {
        let account = endpoint.path().trim_matches('/');
        let below = self.path.strip_prefix(account)?;
        let below = if account.is_empty() { below } else { below.strip_prefix('/')? };
        let (container, name) = below.split_once('/')?;
        let (container, name) = (percent_decoded(container)?, percent_decoded(name)?);
        (!container.is_empty() && !name.is_empty()).then(|| (Container::from(container), name))
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).filter(|hex| *first == b'%' && hex.iter().all(u8::is_ascii_hexdigit));
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, endpoint: &str, found: Option<(&str, &str)>) {
        let within = BlobUri::parse(uri).unwrap().within(&Url::parse(endpoint).unwrap());
        let within = within.as_ref().map(|(container, name)| (container.as_str(), name.as_str()));
        assert_eq!(within, found, "{uri} within {endpoint}");
    }

    #[test]
    fn container_and_name_are_found_and_decoded() {
        let azure = "https://acct.blob.core.windows.net";
        check("https://acct.blob.core.windows.net/backups/a.json", azure, Some(("backups", "a.json")));
        check(
            "https://acct.blob.core.windows.net/backups/2026/01/my%20file%C3%A9%25.json?sv=1&sig=s",
            azure,
            Some(("backups", "2026/01/my fileé%.json")),
        );
        let emulator = "http://127.0.0.1:10000/devstoreaccount1";
        check("http://127.0.0.1:10000/devstoreaccount1/c/x/y", emulator, Some(("c", "x/y")));
        check("http://127.0.0.1:10000/devstoreaccount1/c/100%", emulator, Some(("c", "100%")));
        check("http://127.0.0.1:10000/devstoreaccount1/c/%zz%+5%4", emulator, Some(("c", "%zz%+5%4")));
    }

    #[test]
    fn what_names_no_blob_is_none() {
        let emulator = "http://127.0.0.1:10000/devstoreaccount1";
        check("http://127.0.0.1:10000/devstoreaccount1/c", emulator, None);
        check("http://127.0.0.1:10000/devstoreaccount1/c/", emulator, None);
        check("http://127.0.0.1:10000/devstoreaccount12/c/x", emulator, None);
        check("http://127.0.0.1:10000/c/x", emulator, None);
        check("http://127.0.0.1:10000/devstoreaccount1/c/%ff", emulator, None);
        for text in ["", "backups/a.json", "file:///backups/a.json"] {
            assert_eq!(BlobUri::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_signature_is_not_kept() {
        let uri = BlobUri::parse("https://a.blob.core.windows.net/c/b?sig=secret").unwrap();
        assert!(!format!("{uri:?}").contains("secret"));
    }
}
