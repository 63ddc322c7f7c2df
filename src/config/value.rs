//! What single values may look like. Each parser's error completes the sentence "{setting} …".

use std::net::IpAddr;

use reqwest::Url;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use time::Duration;

use super::secret::Secret;
use super::setting::Setting;
use crate::domain::vocabulary::Container;

/// "is not what it should be: write this instead", with the value cut to what a log line can bear.
pub(super) fn refuse(setting: &Setting, value: &str) -> String {
    let shown: String = value.chars().take(100).collect();
    format!("is {shown:?}: write {}", setting.write)
}

/// One of a few words, in any case.
pub(super) fn word<T: Copy>(setting: &Setting, value: &str, words: &[(&str, T)]) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(value));
    found.map(|(_, meaning)| *meaning).ok_or_else(|| refuse(setting, value))
}

/// Azure's rule for container names.
pub(super) fn container(setting: &Setting, value: &str) -> Result<Container, String> {
    let good = (3..=63).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !value.starts_with('-')
        && !value.ends_with('-')
        && !value.contains("--");
    if !good {
        let rule = "3 to 63 lower-case letters, digits and single hyphens, with no hyphen at either end";
        return Err(format!("{}; it has {rule}", refuse(setting, value)));
    }
    Ok(Container::from(value))
}

/// A whole number of minutes, hours or days.
pub(super) fn duration(setting: &Setting, value: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::days(30);
    let parse = || {
        let unit = value.chars().last()?;
        let number: u32 = value.strip_suffix(unit)?.parse().ok()?;
        match unit.to_ascii_lowercase() {
            'm' => Some(Duration::minutes(number.into())),
            'h' => Some(Duration::hours(number.into())),
            'd' => Some(Duration::days(number.into())),
            _ => None,
        }
    };
    parse()
        .filter(|duration| duration.is_positive() && *duration <= LONGEST)
        .ok_or_else(|| refuse(setting, value))
}

/// `2024-05-01`, or the same with `-preview`.
pub(super) fn api_version(setting: &Setting, value: &str) -> Result<String, String> {
    let date = value.strip_suffix("-preview").unwrap_or(value);
    let shape: String = date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape == "0000-00-00" { Ok(value.to_owned()) } else { Err(refuse(setting, value)) }
}

/// The id of a client, a tenant or the like: a GUID or a domain.
pub(super) fn identifier(setting: &Setting, value: &str) -> Result<String, String> {
    let good = value.len() <= 100 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    if good { Ok(value.to_owned()) } else { Err(refuse(setting, value)) }
}

/// `https://host[:port]`, and nothing after it.
pub(super) fn https_origin(setting: &Setting, value: &str) -> Result<Url, String> {
    plain_url(value)
        .filter(|url| url.scheme() == "https" && url.path() == "/")
        .ok_or_else(|| refuse(setting, value))
}

/// An http or https URL without credentials, query or fragment.
pub(super) fn plain_url(value: &str) -> Option<Url> {
    let url = Url::parse(value).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    plain.then_some(url)
}

/// The address of a webhook. The address is the secret, so it is never shown, and goes out encrypted or
/// not at all, unless it stays on this machine.
pub(super) fn webhook(setting: &Setting, value: &str) -> Result<Secret, String> {
    let accepted = Url::parse(value).is_ok_and(|url| url.scheme() == "https" || is_local_http(&url));
    if !accepted {
        return Err(format!("is not an https address: write {}", setting.write));
    }
    Ok(Secret::new(value))
}

fn is_local_http(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let loopback =
        host.trim_matches(['[', ']']).parse().map_or(host == "localhost", |ip: IpAddr| ip.is_loopback());
    url.scheme() == "http" && loopback
}

/// The certificates in a PEM file. A file without any would leave nobody to trust.
pub(super) fn certificates(setting: &Setting, path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = std::fs::read(path).map_err(|error| {
        format!("names {path:?}, which cannot be read ({error}): write {}", setting.write)
    })?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(format!("names {path:?}, which holds no PEM certificate: write {}", setting.write)),
    }
}
