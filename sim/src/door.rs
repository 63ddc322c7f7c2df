//! A service's gateway over a real socket: the front door that users come to, under TLS, with a certificate for each
//! of its custom hostnames.
//!
//! A client connects to the service's `gatewayUrl` and names the hostname that it means (SNI). The door of a gateway
//! that is down takes connections and says nothing.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::{StatusCode, Uri};
use rustls::crypto::ring::default_provider;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use time::{Duration, OffsetDateTime};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::cloud::ServiceHandle;
use crate::serve::{connection, listen};
use crate::tls::Authority;

/// The path that Traffic Manager probes.
const STATUS_PATH: &str = "/status-0123456789abcdef";

/// The certificate that is shown for a hostname.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Good for a year, by the simulation's clock and by the wall clock.
    Good,
    /// Expired the day before, by both clocks.
    Expired,
    /// Expires when so much time has passed on the simulation's clock.
    ExpiresIn(Duration),
    /// Expires then.
    ExpiresAt(OffsetDateTime),
    /// Good, for another name.
    WrongName,
    /// Good, by an authority that nobody knows.
    UnknownAuthority,
    /// Good, shown without the intermediate that signed it.
    IncompleteChain,
}

/// How a connection fares before TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// It is taken.
    #[default]
    Open,
    /// Nobody listens.
    Refused,
    /// It is taken, and nothing is ever said.
    Silent,
}

/// The front door of one service. It closes when the last clone is dropped.
#[derive(Clone)]
pub struct FrontDoor(Arc<Door>);

struct Door {
    certificates: Arc<Certificates>,
    reach: watch::Sender<Reach>,
    port: u16,
    task: AbortHandle,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FrontDoor {
    /// Opens the door of `service` on a free port, and makes the service show where that is.
    pub(crate) async fn open(service: ServiceHandle, authority: &Authority) -> io::Result<Self> {
        let listener = listen(0).await?;
        let port = listener.local_addr()?.port();
        service.set_gateway_url(&format!("https://localhost:{port}"));
        let certificates = Arc::new(Certificates::new(service, authority)?);
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(certificates.clone());
        let (reach, watched) = watch::channel(Reach::Open);
        let guard = Guard {
            service: certificates.service.clone(),
            tls: TlsAcceptor::from(Arc::new(config)),
            router: Router::new().fallback(answer),
            reach: watched,
        };
        let task = tokio::spawn(guard.stand(listener, port)).abort_handle();
        Ok(Self(Arc::new(Door { certificates, reach, port, task })))
    }

    /// Shows this certificate for a custom hostname from now on. Resource Manager tells of its expiry.
    ///
    /// # Panics
    ///
    /// If the certificate can not be made.
    pub fn present(&self, hostname: &str, certificate: Certificate) {
        self.0.certificates.present(hostname, certificate).expect("a certificate for a simulated hostname");
    }

    /// Takes, refuses or ignores connections from now on.
    pub fn set_reach(&self, reach: Reach) {
        self.0.reach.send_replace(reach);
    }

    /// The port on the loopback address.
    pub fn port(&self) -> u16 {
        self.0.port
    }
}

async fn answer(uri: Uri) -> (StatusCode, &'static str) {
    match uri.path() {
        STATUS_PATH => (StatusCode::OK, "Service Operational"),
        _ => (StatusCode::NOT_FOUND, r#"{"statusCode": 404, "message": "Resource not found"}"#),
    }
}

/// Stands at the door.
struct Guard {
    service: ServiceHandle,
    tls: TlsAcceptor,
    router: Router,
    reach: watch::Receiver<Reach>,
}

impl Guard {
    async fn stand(mut self, listener: TcpListener, port: u16) {
        let mut listener = Some(listener);
        // Dropped with this task, and the connections with it.
        let mut connections = JoinSet::new();
        loop {
            if *self.reach.borrow_and_update() == Reach::Refused {
                listener = None;
            } else if listener.is_none() {
                listener = listen(port).await.ok();
            }
            let coming = async {
                match &listener {
                    Some(listener) => listener.accept().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = self.reach.changed() => if changed.is_err() { return },
                came = coming => if let Ok((stream, _)) = came {
                    connections.spawn(self.receive(stream));
                },
            }
            while connections.try_join_next().is_some() {}
        }
    }

    fn receive(&self, stream: TcpStream) -> impl Future<Output = ()> + use<> {
        let silent = *self.reach.borrow() == Reach::Silent || !self.service.is_gateway_up();
        let (tls, router) = (self.tls.clone(), self.router.clone());
        async move {
            if silent {
                let _held = stream;
                std::future::pending::<()>().await;
            } else {
                connection(stream, router, Some(tls)).await;
            }
        }
    }
}

/// The certificates of one door, by hostname in lower case.
struct Certificates {
    service: ServiceHandle,
    authority: Authority,
    shown: Mutex<HashMap<String, Arc<CertifiedKey>>>,
    /// For whoever names no custom hostname: that of the built-in one.
    built_in: Arc<CertifiedKey>,
}

impl Certificates {
    fn new(service: ServiceHandle, authority: &Authority) -> io::Result<Self> {
        let host = format!("{}.azure-api.net", service.name());
        let names = [host.as_str(), "localhost", "127.0.0.1"];
        let built_in = certified(authority.issue(&names, good(&service))?)?;
        Ok(Self { service, authority: authority.clone(), shown: Mutex::default(), built_in })
    }

    fn present(&self, hostname: &str, certificate: Certificate) -> io::Result<Arc<CertifiedKey>> {
        let (from, mut to) = good(&self.service);
        let now = self.service.clock().now();
        match certificate {
            Certificate::Expired => to = from,
            Certificate::ExpiresIn(time) => to = now + time,
            Certificate::ExpiresAt(at) => to = at,
            _ => {}
        }
        let authority = match certificate {
            Certificate::UnknownAuthority => Authority::named("somebody's")?,
            _ => self.authority.clone(),
        };
        let name = if certificate == Certificate::WrongName { "another.contoso.example" } else { hostname };
        // What has expired was good once.
        let (mut chain, key) = authority.issue(&[name], (from.min(to) - Duration::days(30), to))?;
        if certificate == Certificate::IncompleteChain {
            chain.truncate(1);
        }
        let certified = certified((chain, key))?;
        self.service.set_expiry(hostname, to);
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.insert(hostname.to_lowercase(), certified.clone());
        Ok(certified)
    }

    /// The certificate for a hostname that the service has; a good one is made if nothing else was said.
    fn of(&self, hostname: &str, expiry: Option<OffsetDateTime>) -> Option<Arc<CertifiedKey>> {
        let known = self.shown.lock().unwrap_or_else(PoisonError::into_inner).get(hostname).cloned();
        known.or_else(|| {
            let certificate = expiry.map_or(Certificate::Good, Certificate::ExpiresAt);
            self.present(hostname, certificate).ok()
        })
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().unwrap_or_default().to_lowercase();
        let hostnames = self.service.hostnames();
        match hostnames.into_iter().find(|(hostname, _)| hostname.eq_ignore_ascii_case(&named)) {
            Some((_, expiry)) => self.of(&named, expiry),
            None => Some(self.built_in.clone()),
        }
    }
}

/// Shows the service and no key.
impl std::fmt::Debug for Certificates {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Certificates").field("service", &self.service.name()).finish_non_exhaustive()
    }
}

/// A time in which both the simulation's clock and the wall clock are, and which goes on for a year. A client judges
/// certificates by one or the other.
fn good(service: &ServiceHandle) -> (OffsetDateTime, OffsetDateTime) {
    let (simulated, wall) = (service.clock().now(), OffsetDateTime::now_utc());
    (simulated.min(wall) - Duration::DAY, simulated.max(wall) + Duration::days(365))
}

type Issued = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn certified((chain, key): Issued) -> io::Result<Arc<CertifiedKey>> {
    let key = any_supported_type(&key).map_err(io::Error::other)?;
    Ok(Arc::new(CertifiedKey::new(chain, key)))
}
