//! The gateways' front doors, knocked at as a careful client does: at the URL that the service shows, by the name of
//! a custom hostname, with the certificate judged at the simulation's time.

use std::sync::Arc;

use apim_dr_sim::clock::Clock;
use apim_dr_sim::cloud::{Hostname, ServiceSpec};
use apim_dr_sim::door::{Certificate, Reach};
use apim_dr_sim::simulation::{Options, Simulation};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::world::START;

const HOST: &str = "api.contoso.example";

/// Judges certificates as the usual verifier does, but at another time.
#[derive(Debug)]
struct At(Arc<WebPkiServerVerifier>, UnixTime);

impl ServerCertVerifier for At {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0.verify_server_cert(leaf, chain, name, ocsp, self.1)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

async fn simulation() -> Simulation {
    let mut options = Options::new(Clock::manual(START)).with_front_doors();
    options.services[1] = ServiceSpec::new("contoso-north", "North Europe").hostname(HOST);
    Simulation::start(options).await.unwrap()
}

/// What becomes of a handshake with the secondary's gateway for a name: nothing, or the error's words.
async fn knock(simulation: &Simulation, name: &str) -> Result<(), String> {
    let port = simulation.front_door("contoso-north").port();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(simulation.authority().pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let usual =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    let now = simulation.cloud().clock().now().unix_timestamp();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now.try_into().unwrap()));
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(At(usual, now)))
        .with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(|error| error.kind().to_string())?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    connected.map(drop).map_err(|error| error.to_string())
}

// Section 8a: probes ignore certificates, so somebody has to look at them.
#[tokio::test]
async fn each_way_in_which_a_certificate_can_be_bad_is_seen() {
    let simulation = simulation().await;
    let door = simulation.front_door("contoso-north");
    assert_eq!(knock(&simulation, HOST).await, Ok(()));
    let seen = async |certificate: Certificate| {
        door.present(HOST, certificate);
        knock(&simulation, HOST).await.unwrap_err()
    };
    assert!(seen(Certificate::Expired).await.contains("expired"));
    let named = seen(Certificate::WrongName).await;
    assert!(named.contains("not valid for name"), "{named}");
    assert!(seen(Certificate::UnknownAuthority).await.contains("UnknownIssuer"));
    assert!(seen(Certificate::IncompleteChain).await.contains("UnknownIssuer"));
    door.present(HOST, Certificate::ExpiresIn(Duration::days(20)));
    assert_eq!(knock(&simulation, HOST).await, Ok(()));
    simulation.cloud().clock().advance(Duration::days(21));
    assert!(knock(&simulation, HOST).await.unwrap_err().contains("expired"));
    door.present(HOST, Certificate::Good);
    assert_eq!(knock(&simulation, HOST).await, Ok(()));
}

#[tokio::test]
async fn names_that_the_service_does_not_have_get_the_built_in_certificate() {
    let simulation = simulation().await;
    assert_eq!(knock(&simulation, "contoso-north.azure-api.net").await, Ok(()));
    assert!(knock(&simulation, "other.contoso.example").await.unwrap_err().contains("not valid for name"));
    let service = simulation.cloud().service("contoso-north");
    let expires = START + Duration::days(5);
    service
        .configure(|spec| spec.custom_hostname(Hostname::gateway("other.contoso.example").expires(expires)));
    assert_eq!(
        knock(&simulation, "other.contoso.example").await,
        Ok(()),
        "a certificate comes with the hostname"
    );
    simulation.cloud().clock().advance(Duration::days(6));
    assert!(knock(&simulation, "other.contoso.example").await.unwrap_err().contains("expired"));
}

#[tokio::test]
async fn a_door_can_refuse_or_say_nothing() {
    let simulation = simulation().await;
    let door = simulation.front_door("contoso-north");
    door.set_reach(Reach::Refused);
    // The guard takes a moment to leave.
    while knock(&simulation, HOST).await.is_ok() {}
    assert_eq!(knock(&simulation, HOST).await, Err("connection refused".to_owned()));
    door.set_reach(Reach::Open);
    while knock(&simulation, HOST).await.is_err() {}
    let silent = async || {
        let knocked =
            tokio::time::timeout(std::time::Duration::from_millis(300), knock(&simulation, HOST)).await;
        knocked.is_err()
    };
    door.set_reach(Reach::Silent);
    assert!(silent().await);
    door.set_reach(Reach::Open);
    simulation.cloud().service("contoso-north").gateway_down();
    assert!(silent().await, "a gateway that is down");
    simulation.cloud().service("contoso-north").gateway_up();
    assert_eq!(knock(&simulation, HOST).await, Ok(()));
}

#[tokio::test]
async fn the_service_shows_where_its_gateway_listens_and_until_when_its_certificate_is_good() {
    let simulation = simulation().await;
    let door = simulation.front_door("contoso-north");
    door.present(HOST, Certificate::ExpiresIn(Duration::days(20)));
    let (cloud, http) = (simulation.cloud(), simulation.authority().client().unwrap());
    let caller = cloud.directory().system_assigned().unwrap();
    let token = cloud.directory().token(&caller, cloud.arm_endpoint());
    let url =
        format!("{}{}?api-version=2024-05-01", cloud.arm_endpoint(), cloud.service("contoso-north").id());
    let shown = http.get(url).bearer_auth(token).send().await.unwrap().bytes().await.unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&shown).unwrap();
    let gateway = shown["properties"]["gatewayUrl"].as_str().unwrap();
    assert_eq!(gateway, format!("https://localhost:{}", door.port()));
    let expiry = &shown["properties"]["hostnameConfigurations"][1]["certificate"]["expiry"];
    assert_eq!(*expiry, "2026-06-21T02:00:00Z");
    let status = http.get(format!("{gateway}/status-0123456789abcdef")).send().await.unwrap();
    assert_eq!(status.status().as_u16(), 200);
    assert_eq!(http.get(gateway).send().await.unwrap().status().as_u16(), 404);
}
