//! Azurite, Microsoft's storage emulator: a blob server that is not ours. It comes from npm, pinned in
//! `package-lock.json`, and keeps everything in memory.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use apim_dr_sim::storage::{Account, EMULATOR_ACCOUNT, EMULATOR_KEY};
use apim_dr_sim::tls::Authority;

/// Accounts beside the emulator's own, called `story0` and so on, with the emulator's key: each is as empty as an
/// Azurite that was just started, which takes a second.
const ACCOUNTS: usize = 1_000;

/// What Azurite says before the address once it can be asked.
const LISTENS: &str = "successfully listens on ";

/// A running Azurite. It is killed when it is dropped.
pub(crate) struct Azurite {
    process: Child,
    /// Held open: Azurite ends when it cannot write.
    _said: BufReader<ChildStdout>,
    account: Account,
}

impl Azurite {
    /// Starts one over plain http, which opens by the account's key.
    pub(crate) fn http() -> Self {
        Self::start(&[])
    }

    /// Starts one under TLS by a certificate of `authority`, which opens by token as well. The certificate is
    /// written into `directory`.
    pub(crate) fn https(authority: &Authority, directory: &Path) -> Self {
        let (certificate, key) = (directory.join("azurite.pem"), directory.join("azurite.key"));
        std::fs::create_dir_all(directory).expect("a directory for Azurite's certificate");
        std::fs::write(&certificate, authority.server_pem()).expect("Azurite's certificate is written");
        std::fs::write(&key, authority.server_key_pem()).expect("Azurite's key is written");
        let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
        Self::start(&["--oauth", "basic", "--cert", &certificate, "--key", &key])
    }

    /// The account that it serves, and where.
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    fn start(more: &[&str]) -> Self {
        let mut process = Command::new("node")
            .arg(program())
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence"])
            // The SDK's API version is newer than this Azurite, which answers it all the same.
            .args(["--skipApiVersionCheck", "--disableTelemetry", "--silent"])
            .args(more)
            .env("AZURITE_ACCOUNTS", accounts())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Azurite needs Node.js: install it, so that `node` can be started");
        let mut said = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut lines = said.by_ref().lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once(LISTENS)?.1.trim().to_owned()));
        let Some(address) = address else {
            let ended = process.wait();
            panic!("Azurite ended before it listened ({ended:?}); what it said is on stderr");
        };
        let account = Account::emulator_at(&format!("{address}/{EMULATOR_ACCOUNT}"));
        Self { process, _said: said, account }
    }
}

fn accounts() -> String {
    let stories = (0..ACCOUNTS).map(|number| format!("story{number}"));
    let names = std::iter::once(EMULATOR_ACCOUNT.to_owned()).chain(stories);
    names.map(|name| format!("{name}:{EMULATOR_KEY}")).collect::<Vec<_>>().join(";")
}

fn program() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = root.join("node_modules/azurite/dist/src/blob/main.js");
    assert!(
        program.exists(),
        "Azurite is not installed: run `npm ci` in {}, or `cargo xtask test`, which does",
        root.display()
    );
    program
}

impl Drop for Azurite {
    fn drop(&mut self) {
        // It may have ended by itself, which is all that is wanted.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
