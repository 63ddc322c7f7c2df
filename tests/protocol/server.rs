//! The handler's router in this process, over real sockets, with work that tells what it was given.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use apim_dr::domain::vocabulary::Timestamp;
use apim_dr::host::{self, Invocation, Outcome, Trigger, Work};
use futures::FutureExt as _;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::client::Client;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Stops serving when it is dropped.
    _runtime: Runtime,
}

impl Server {
    pub(crate) fn start(work: Work) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(host::serve(listener, work));
        Self { address, _runtime: runtime }
    }

    /// Serves work that comes out as `outcome` says.
    pub(crate) fn doing(outcome: impl Fn(&Invocation) -> Outcome + Send + Sync + 'static) -> Self {
        Self::start(Arc::new(move |invocation| std::future::ready(outcome(&invocation)).boxed()))
    }

    /// Serves work that succeeds and hands on what it was given.
    pub(crate) fn recording() -> (Self, Receiver<Seen>) {
        let (sender, receiver) = channel();
        let server = Self::doing(move |invocation| {
            let Invocation { id, clock, trigger } = invocation.clone();
            sender.send(Seen { id: id.to_string(), now: clock.now(), trigger }).unwrap();
            Ok(Vec::new())
        });
        (server, receiver)
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address)
    }
}

/// An invocation as the work saw it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) id: String,
    pub(crate) now: Timestamp,
    pub(crate) trigger: Trigger,
}
