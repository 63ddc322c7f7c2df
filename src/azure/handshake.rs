//! The standby's own front door: a TLS handshake with a gateway, as a user would make it after a failover.
//!
//! Traffic Manager's probes do not look at certificates, so a secondary whose custom hostname nobody can use is
//! `Online` (contract: apim-arm, section 5). No request is sent: the handshake ends it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::domain::health::CERTIFICATE_MARGIN;
use crate::domain::vocabulary::Timestamp;

/// A gateway that has not shown its certificate by then is taken for down.
const LONGEST_HANDSHAKE: Duration = Duration::from_secs(10);

/// Makes handshakes, and judges what gateways show by the same authorities as every other request.
pub(super) struct Handshakes {
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
}

/// How far what a gateway shows can be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// For longer than anybody has to know.
    Good,
    /// Until then, to the day.
    GoodUntil(Timestamp),
    /// Not at all, for this reason.
    Refused(String),
}

impl Handshakes {
    /// Trusts `authorities`, or the system's if there are none.
    ///
    /// # Errors
    /// When the authorities cannot be used.
    pub(super) fn new(authorities: Option<&[CertificateDer<'static>]>) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = verifier(authorities, provider.clone());
        let verifier = verifier.map_err(|why| format!("the certificates to trust cannot be used: {why}"))?;
        Ok(Self { provider, verifier })
    }

    /// Shakes hands with the gateway at `address` (host and port) as with `host`, and judges what it shows as of `now`.
    pub(super) async fn look(&self, address: (&str, u16), host: &str, now: Timestamp) -> Shown {
        let chain = match tokio::time::timeout(LONGEST_HANDSHAKE, self.chain(address, host)).await {
            Ok(Ok(chain)) => chain,
            Ok(Err(why)) => return Shown::Refused(why),
            Err(_) => {
                return Shown::Refused(format!("no handshake within {} s", LONGEST_HANDSHAKE.as_secs()));
            }
        };
        match self.first_bad_day(&chain, host, now) {
            Err(why) => Shown::Refused(why),
            Ok(None) => Shown::Good,
            Ok(Some(days)) => Shown::GoodUntil(now + time::Duration::days(days)),
        }
    }

    /// The certificates that the gateway shows, whatever they are worth.
    async fn chain(&self, address: (&str, u16), host: &str) -> Result<Vec<CertificateDer<'static>>, String> {
        let name = server_name(host)?;
        let witness = Arc::new(Witness { verifier: self.verifier.clone(), chain: Mutex::default() });
        let config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(witness.clone())
            .with_no_client_auth();
        let stream = TcpStream::connect(address).await;
        let stream = stream.map_err(|error| format!("{} does not take connections: {error}", address.0))?;
        let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        let chain = std::mem::take(&mut *witness.chain.lock().unwrap_or_else(PoisonError::into_inner));
        match shaken {
            Err(error) if chain.is_empty() => Err(format!("the handshake failed: {error}")),
            _ => Ok(chain),
        }
    }

    /// In how many days what was shown is no longer believed, if that is within the margin. Nothing has to be parsed for
    /// that: the chain is verified as of other days.
    fn first_bad_day(
        &self,
        chain: &[CertificateDer<'static>],
        host: &str,
        now: Timestamp,
    ) -> Result<Option<i64>, String> {
        let [leaf, intermediates @ ..] = chain else { return Err("no certificate was shown".to_owned()) };
        let name = server_name(host)?;
        let verified = |days: i64| {
            let at = unix(now + time::Duration::days(days));
            self.verifier.verify_server_cert(leaf, intermediates, &name, &[], at)
        };
        verified(0).map_err(|error| error.to_string())?;
        let margin = CERTIFICATE_MARGIN.whole_days();
        Ok((1..=margin).find(|days| verified(*days).is_err()).map(|days| days - 1))
    }
}

fn verifier(
    authorities: Option<&[CertificateDer<'static>]>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let Some(authorities) = authorities else {
        let verifier = rustls_platform_verifier::Verifier::new(provider);
        return verifier.map(|verifier| Arc::new(verifier) as _).map_err(|error| error.to_string());
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities.iter().cloned());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map(|verifier| verifier as _).map_err(|error| error.to_string())
}

/// A custom hostname may be a wildcard, which nobody asks for by that name: any name below it is answered alike.
fn server_name(host: &str) -> Result<ServerName<'static>, String> {
    let name = match host.strip_prefix("*.") {
        Some(domain) => format!("api.{domain}"),
        None => host.to_owned(),
    };
    ServerName::try_from(name).map_err(|_| format!("{host} is no hostname"))
}

fn unix(moment: Timestamp) -> UnixTime {
    let seconds = moment.get().unix_timestamp().try_into().unwrap_or_default();
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// Notes what a gateway shows and lets the handshake go on, so that it can be judged afterwards, as of any day. Nothing
/// is ever sent over such a connection.
#[derive(Debug)]
struct Witness {
    verifier: Arc<dyn ServerCertVerifier>,
    chain: Mutex<Vec<CertificateDer<'static>>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = std::iter::once(end_entity).chain(intermediates);
        let chain = shown.map(|certificate| certificate.clone().into_owned()).collect();
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_asked_for_by_a_name_below_it() {
        let name = server_name("*.contoso.example").unwrap();
        assert_eq!(name.to_str(), "api.contoso.example");
        assert_eq!(server_name("www.contoso.example").unwrap().to_str(), "www.contoso.example");
        assert!(server_name("*").is_err());
    }
}
