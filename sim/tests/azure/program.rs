//! The program as a person starts it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A started program, ended with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_apim-dr-sim"));
        Self(command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// The settings that it prints, read until the closing brace stands alone.
    fn settings(&mut self) -> Value {
        let mut text = String::new();
        for line in BufReader::new(self.0.stdout.take().unwrap()).lines().map(Result::unwrap) {
            text.push_str(&line);
            if line == "}" {
                break;
            }
        }
        serde_json::from_str(&text).unwrap()
    }
}

#[tokio::test]
async fn it_prints_settings_under_which_it_can_be_reached() {
    let directory = std::env::temp_dir().join(format!("apim-dr-sim-program-{}", std::process::id()));
    let free = ["--arm-port", "0", "--identity-port", "0", "--blob-port", "0"];
    let mut program = Program::start(&[&["serve", "--dir", directory.to_str().unwrap()], &free[..]].concat());
    let values = program.settings()["Values"].clone();
    let value = |name: &str| values[name].as_str().unwrap().to_owned();
    assert_eq!(value("FUNCTIONS_WORKER_RUNTIME"), "custom");
    assert_eq!(value("BACKUP_CONTAINER"), "apim-backups");
    let bundle = std::fs::read(value("SSL_CERT_FILE")).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    apim_dr_sim::tls::install_provider();
    let authorities = reqwest::Certificate::from_pem_bundle(&bundle).unwrap();
    let http = reqwest::Client::builder().tls_certs_only(authorities).build().unwrap();
    let unauthorised =
        http.get(format!("{}{}", value("ARM_ENDPOINT"), value("APIM_PRIMARY_ID"))).send().await;
    assert_eq!(unauthorised.unwrap().status().as_u16(), 401);
    let without_header = http.get(value("IDENTITY_ENDPOINT")).send().await.unwrap();
    assert_eq!(without_header.status().as_u16(), 401);
}

#[tokio::test]
async fn a_person_moves_users_while_it_runs() {
    let directory = std::env::temp_dir().join(format!("apim-dr-sim-control-{}", std::process::id()));
    let free = ["--arm-port", "0", "--identity-port", "0", "--blob-port", "0", "--traffic-manager"];
    let mut program = Program::start(&[&["serve", "--dir", directory.to_str().unwrap()], &free[..]].concat());
    let values = program.settings()["Values"].clone();
    std::fs::remove_dir_all(&directory).unwrap();
    assert!(values["TRAFFIC_MANAGER_ID"].as_str().unwrap().ends_with("/trafficManagerProfiles/contoso"));
    apim_dr_sim::tls::install_provider();
    let identity = values["IDENTITY_ENDPOINT"].as_str().unwrap();
    let control = format!("{}/control", identity.strip_suffix("/msi/token").unwrap());
    let http = reqwest::Client::new();
    let told = async |answer: reqwest::RequestBuilder| answer.send().await.unwrap().text().await.unwrap();
    let before = "contoso-west: Succeeded, gateway up, endpoint Online\n\
                  contoso-north: Succeeded, gateway up, endpoint Online\nusers are answered by contoso-west\n";
    assert_eq!(told(http.get(&control)).await, before);
    let down = told(http.post(format!("{control}/gateways/Contoso-West/down"))).await;
    assert!(down.contains("contoso-west: Succeeded, gateway down"), "{down}");
    let disabled = told(http.post(format!("{control}/endpoints/contoso-west/disable"))).await;
    assert!(disabled.contains("gateway down, endpoint Disabled"), "{disabled}");
    let unknown = http.post(format!("{control}/gateways/contoso-east/down")).send().await.unwrap();
    assert_eq!(unknown.status().as_u16(), 404);
    assert_eq!(unknown.text().await.unwrap(), "there is no service contoso-east\n");
}

#[test]
fn it_says_what_it_does_not_understand() {
    let mut program = Program::start(&["serve", "--fast", "1"]);
    let told = std::io::read_to_string(program.0.stderr.take().unwrap()).unwrap();
    assert_eq!(told.lines().next(), Some("there is no option --fast"));
    assert_eq!(program.0.wait().unwrap().code(), Some(2));
}
