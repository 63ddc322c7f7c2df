//! TLS for the simulator's servers, by an authority of its own.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;
use tokio_rustls::TlsAcceptor;

/// Where systems keep the authorities that they trust.
const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
];

/// A certificate authority that nobody trusts unless told to, and a server certificate of it for `localhost`
/// and `127.0.0.1`.
#[derive(Clone)]
pub struct Authority {
    pem: String,
    /// Signs what is issued later, as public authorities do: by an intermediate, not by the root.
    intermediate: Arc<CertifiedIssuer<'static, KeyPair>>,
    acceptor: TlsAcceptor,
    server_pem: String,
    server_key_pem: String,
}

impl Authority {
    /// Makes a new authority and a server certificate.
    ///
    /// # Errors
    ///
    /// If the keys can not be made.
    pub fn new() -> io::Result<Self> {
        Self::named("apim-dr-sim")
    }

    /// The same under another name: an authority of the same name that is not trusted looks like a forged one.
    pub(crate) fn named(name: &str) -> io::Result<Self> {
        install_provider();
        let issuer = CertifiedIssuer::self_signed(authority_params(&format!("{name} authority")), key()?)
            .map_err(io::Error::other)?;
        let intermediate = authority_params(&format!("{name} intermediate"));
        let intermediate =
            CertifiedIssuer::signed_by(intermediate, key()?, &issuer).map_err(io::Error::other)?;
        let server_key = key()?;
        let server = server_params()?.signed_by(&server_key, &issuer).map_err(io::Error::other)?;
        let acceptor = acceptor(server.der().clone(), &server_key)?;
        Ok(Self {
            pem: issuer.pem(),
            intermediate: Arc::new(intermediate),
            acceptor,
            server_pem: server.pem(),
            server_key_pem: server_key.serialize_pem(),
        })
    }

    /// The authority's certificate in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The server certificate in PEM, for a server in another process.
    pub fn server_pem(&self) -> &str {
        &self.server_pem
    }

    /// The server's key in PEM, for a server in another process.
    pub fn server_key_pem(&self) -> &str {
        &self.server_key_pem
    }

    /// Accepts connections under the server certificate.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Issues a certificate for `names`, good from one time to the other; its chain, leaf first, and its key.
    pub(crate) fn issue(
        &self,
        names: &[&str],
        (from, to): (OffsetDateTime, OffsetDateTime),
    ) -> io::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names.clone()).map_err(io::Error::other)?;
        params.distinguished_name.push(DnType::CommonName, names.first().cloned().unwrap_or_default());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = (from, to);
        let key = key()?;
        let leaf = params.signed_by(&key, &*self.intermediate).map_err(io::Error::other)?;
        let chain = vec![leaf.der().clone(), self.intermediate.der().clone()];
        Ok((chain, PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()))))
    }

    /// Writes the system's authorities and this one into a file, which is what `SSL_CERT_FILE` wants: it
    /// replaces the system's, it does not add to them.
    ///
    /// # Errors
    ///
    /// If the file can not be written.
    pub fn write_bundle(&self, path: &Path) -> io::Result<()> {
        let system = SYSTEM_BUNDLES.iter().find_map(|path| std::fs::read_to_string(path).ok());
        let mut bundle = system.unwrap_or_default();
        if !bundle.is_empty() && !bundle.ends_with('\n') {
            bundle.push('\n');
        }
        bundle.push_str(&self.pem);
        std::fs::write(path, bundle)
    }

    /// An HTTP client that trusts this authority and no other.
    ///
    /// # Errors
    ///
    /// If the client can not be built.
    pub fn client(&self) -> io::Result<reqwest::Client> {
        reqwest::Client::builder().tls_certs_only([self.certificate()?]).build().map_err(io::Error::other)
    }

    /// An HTTP client that trusts this authority and the system's.
    ///
    /// # Errors
    ///
    /// If the client can not be built.
    pub fn client_beside_system(&self) -> io::Result<reqwest::Client> {
        reqwest::Client::builder().tls_certs_merge([self.certificate()?]).build().map_err(io::Error::other)
    }

    fn certificate(&self) -> io::Result<reqwest::Certificate> {
        reqwest::Certificate::from_pem(self.pem.as_bytes()).map_err(io::Error::other)
    }
}

/// Makes ring the cryptography of this process, if nothing else is yet. Every client needs it.
pub fn install_provider() {
    // An error means that a provider is installed, which is all that is wanted.
    drop(rustls::crypto::ring::default_provider().install_default());
}

fn key() -> io::Result<KeyPair> {
    KeyPair::generate().map_err(io::Error::other)
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn server_params() -> io::Result<CertificateParams> {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, "apim-dr-sim");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair) -> io::Result<TlsAcceptor> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate], key))
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Shows the certificate and no key.
impl std::fmt::Debug for Authority {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Authority").field("pem", &self.pem).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_ends_with_the_own_authority() {
        let authority = Authority::new().unwrap();
        let path = std::env::temp_dir().join(format!("apim-dr-sim-bundle-{}.pem", std::process::id()));
        authority.write_bundle(&path).unwrap();
        let bundle = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(bundle.ends_with(authority.pem()));
        assert_eq!(bundle.matches("BEGIN CERTIFICATE").count(), bundle.matches("END CERTIFICATE").count());
    }
}
