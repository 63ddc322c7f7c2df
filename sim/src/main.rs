//! `apim-dr-sim serve`: the simulated Azure on fixed ports, for people who run the handler with `func start`.
//!
//! Settings go to stdout in the form of a `local.settings.json`; what happens goes to stderr.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to a person")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use apim_dr_sim::clock::Clock;
use apim_dr_sim::journal::{Exchange, Operation, Outcome};
use apim_dr_sim::simulation::{Options, Ports, Simulation, Storage};
use apim_dr_sim::storage::Account;
use apim_dr_sim::traffic::{ProfileSpec, Served};
use serde_json::{Value, json};

const USAGE: &str = "\
usage: apim-dr-sim serve [OPTION...]

  --storage embedded            keep blobs in this process (the default); it has no queues, so the Functions
                                host needs another account for itself
  --storage CONNECTION_STRING   keep blobs there, for example in Azurite: UseDevelopmentStorage=true
  --operation-seconds N         backups and restores take so many seconds (default 60)
  --secondaries N               one or two (default 1)
  --traffic-manager             route users by Traffic Manager, which fails over and back by itself
  --dir DIR                     where ca-bundle.pem is written (default .sim)
  --arm-port N                  Resource Manager and Entra, TLS (default 8443)
  --identity-port N             managed identity endpoint (default 8081)
  --blob-port N                 embedded blobs (default 10100)";

/// What the command line asks for.
#[derive(Debug)]
struct Arguments {
    storage: Storage,
    operation: time::Duration,
    secondaries: u8,
    traffic_manager: bool,
    directory: PathBuf,
    ports: Ports,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        match words.next().as_deref() {
            Some("serve") => {}
            Some(verb) => return Err(format!("there is no verb {verb}")),
            None => return Err("a verb is missing".to_owned()),
        }
        let mut arguments = Self {
            storage: Storage::Embedded,
            operation: time::Duration::seconds(60),
            secondaries: 1,
            traffic_manager: false,
            directory: PathBuf::from(".sim"),
            ports: Ports { arm: 8443, identity: 8081, blobs: 10_100 },
        };
        while let Some(option) = words.next() {
            if option == "--traffic-manager" {
                arguments.traffic_manager = true;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{option} wants a value"))?;
            arguments.set(&option, value)?;
        }
        Ok(arguments)
    }

    fn set(&mut self, option: &str, value: String) -> Result<(), String> {
        match option {
            "--storage" => self.storage = storage(&value)?,
            "--operation-seconds" => {
                self.operation = time::Duration::seconds(number::<u32>(option, &value)?.into())
            }
            "--secondaries" => match number(option, &value)? {
                count @ 1..=2 => self.secondaries = count,
                _ => return Err("--secondaries is one or two".to_owned()),
            },
            "--dir" => self.directory = PathBuf::from(value),
            "--arm-port" => self.ports.arm = number(option, &value)?,
            "--identity-port" => self.ports.identity = number(option, &value)?,
            "--blob-port" => self.ports.blobs = number(option, &value)?,
            _ => return Err(format!("there is no option {option}")),
        }
        Ok(())
    }

    fn options(self) -> Result<Options, String> {
        std::fs::create_dir_all(&self.directory).map_err(|error| cannot("make the directory", &error))?;
        let directory =
            self.directory.canonicalize().map_err(|error| cannot("find the directory", &error))?;
        let options = Options::new(Clock::running(1.0)).storage(self.storage);
        let options = if self.secondaries == 2 { options.with_second_secondary() } else { options };
        // Failing over takes two of these probes, and users follow ten seconds later: a person waits for it.
        let profile = ProfileSpec::new("contoso").probing(10, 5, 1).ttl(10);
        let options = if self.traffic_manager { options.traffic_manager(profile) } else { options };
        Ok(Options { ports: self.ports, directory: Some(directory), control: true, ..options })
    }
}

fn storage(value: &str) -> Result<Storage, String> {
    if value == "embedded" {
        return Ok(Storage::Embedded);
    }
    Account::from_connection_string(value).map(Storage::At).map_err(|error| format!("--storage: {error}"))
}

fn number<T: std::str::FromStr>(option: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{option} wants a number, not {value}"))
}

fn cannot(what: &str, error: &std::io::Error) -> String {
    format!("can not {what}: {error}")
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match serve(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), String> {
    let operation = arguments.operation;
    let options = arguments.options()?;
    let embedded = matches!(options.storage, Storage::Embedded);
    let simulation = Simulation::start(options).await.map_err(|error| cannot("start", &error))?;
    simulation.cloud().set_durations(operation, operation);
    let reached = simulation.storage().map_err(|error| cannot("reach storage", &error))?;
    reached
        .head("apim-backups", "none")
        .await
        .map_err(|error| format!("storage does not answer: {error}"))?;
    println!("{:#}", local_settings(&simulation, embedded));
    eprintln!("Resource Manager and Entra: {} (Ctrl-C ends it)", simulation.cloud().arm_endpoint());
    tell_control(&simulation);
    tokio::select! {
        () = narrate(&simulation) => Ok(()),
        ended = tokio::signal::ctrl_c() => ended.map_err(|error| cannot("wait for Ctrl-C", &error)),
    }
}

/// The settings in the form in which the Functions Core Tools read them.
fn local_settings(simulation: &Simulation, embedded: bool) -> Value {
    let mut values = simulation.settings();
    let host = if embedded {
        "UseDevelopmentStorage=true".to_owned()
    } else {
        simulation.account().connection_string()
    };
    values.insert("FUNCTIONS_WORKER_RUNTIME".to_owned(), "custom".to_owned());
    values.insert("AzureWebJobsStorage".to_owned(), host);
    json!({"IsEncrypted": false, "Values": values})
}

/// How a person makes things happen.
fn tell_control(simulation: &Simulation) {
    let control = simulation.control_url();
    eprintln!("How everything stands: curl {control}");
    eprintln!("Take a gateway down, bring it up: curl -X POST {control}/gateways/contoso-west/down (or up)");
    if simulation.cloud().profile_id().is_some() {
        eprintln!(
            "Take an endpoint out, put it in: curl -X POST {control}/endpoints/contoso-west/disable (or enable)"
        );
    }
}

/// Tells what happens, one line each, until the end of the program.
async fn narrate(simulation: &Simulation) {
    let journal = simulation.cloud().journal();
    let mut told: Vec<Operation> = Vec::new();
    let mut served = 0;
    loop {
        journal.unknown().iter().for_each(tell_unknown);
        journal.clear_exchanges();
        let operations = journal.operations();
        for (index, operation) in operations.iter().enumerate() {
            if told.get(index).is_none_or(|before| before.outcome != operation.outcome) {
                tell(operation);
            }
        }
        told = operations;
        let changes = journal.served();
        changes[served..].iter().for_each(tell_served);
        served = changes.len();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn tell_unknown(exchange: &Exchange) {
    eprintln!("not simulated: {} {}", exchange.method, exchange.path);
}

fn tell_served(served: &Served) {
    match served.services.as_slice() {
        [] => eprintln!("users get no answer"),
        services => eprintln!("users are answered by {}", services.join(" and ")),
    }
}

fn tell(operation: &Operation) {
    let how = match &operation.outcome {
        Outcome::Running => "begins".to_owned(),
        Outcome::Succeeded => "has succeeded".to_owned(),
        Outcome::Failed { code, message } => format!("has failed: {code}, {message}"),
    };
    let kind = operation.kind.word().to_lowercase();
    eprintln!("{kind} of {} ({}/{}) {how}", operation.service, operation.container, operation.backup);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read() {
        let arguments = parse(
            "serve --storage UseDevelopmentStorage=true --operation-seconds 5 --traffic-manager --secondaries 2 --dir /tmp/x --arm-port 1",
        )
        .unwrap();
        assert!(matches!(arguments.storage, Storage::At(account) if account.name == "devstoreaccount1"));
        assert_eq!(arguments.operation, time::Duration::seconds(5));
        assert_eq!((arguments.secondaries, arguments.ports.arm), (2, 1));
        assert!(arguments.traffic_manager);
        assert_eq!(arguments.directory, PathBuf::from("/tmp/x"));
    }

    #[test]
    fn problems_are_named() {
        let problem = |line: &str| parse(line).unwrap_err();
        assert_eq!(problem(""), "a verb is missing");
        assert_eq!(problem("start"), "there is no verb start");
        assert_eq!(problem("serve --fast 1"), "there is no option --fast");
        assert_eq!(problem("serve --dir"), "--dir wants a value");
        assert_eq!(problem("serve --arm-port x"), "--arm-port wants a number, not x");
        assert_eq!(problem("serve --secondaries 3"), "--secondaries is one or two");
        assert!(problem("serve --storage AccountName=a").contains("AccountKey"));
    }
}
