//! The doctor examines a deployment: each precondition that does not hold is named, with its fix, and nothing is changed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;

use apim_dr::azure::Azure;
use apim_dr::clock::InvocationClock;
use apim_dr::config::Config;
use apim_dr::doctor::{self, Finding, Verdict};
use apim_dr::domain::vocabulary::Timestamp;
use apim_dr_sim::clock::Clock;
use apim_dr_sim::cloud::{Cloud, CorsRule, Denial, Role};
use apim_dr_sim::door::Certificate;
use apim_dr_sim::simulation::{Options, Simulation};
use apim_dr_sim::traffic::ProfileSpec;
use time::Duration;

const PRIMARY: &str = "contoso-west";
const NORTH: &str = "contoso-north";
const HOST: &str = "api.contoso.com";

/// A deployment as it should be, and what the handler is told of it.
struct Deployment {
    simulation: Simulation,
    settings: Vec<(&'static str, String)>,
}

impl Deployment {
    async fn sound() -> Self {
        let mut options =
            Options::new(Clock::running(1.0)).traffic_manager(ProfileSpec::new("contoso")).with_front_doors();
        for service in &mut options.services {
            *service = service.clone().hostname(HOST);
        }
        let simulation = Simulation::start(options).await.unwrap();
        let cloud = simulation.cloud();
        let account = cloud.storage_account_id(&simulation.account().name).unwrap();
        for group in ["contoso-apim", "contoso-backups", "contoso-traffic"] {
            cloud.set_group_location(group, "northeurope");
        }
        let container = simulation.storage().unwrap();
        for name in ["apim-backups", "apim-dr"] {
            container.create_container(name).await.unwrap();
        }
        Self { simulation, settings: vec![("BACKUP_STORAGE_ACCOUNT_ID", account)] }
    }

    fn cloud(&self) -> &Cloud {
        self.simulation.cloud()
    }

    fn setting(&mut self, name: &'static str, value: impl Into<String>) {
        self.settings.insert(0, (name, value.into()));
    }

    async fn examine(&self) -> Vec<Finding> {
        let of_simulation = self.simulation.settings_by_secret();
        let lookup = |name: &str| {
            let own = self.settings.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
            own.or_else(|| of_simulation.get(name).cloned())
        };
        let config = Config::from_lookup(lookup).unwrap_or_else(|problems| panic!("{problems}"));
        let azure = Azure::new(&config).unwrap();
        let now = Timestamp::new(self.cloud().clock().now());
        let clock = InvocationClock::new(now, Arc::new(|| Duration::ZERO));
        doctor::examine(&config, &azure, &clock).await
    }

    /// What is not as it should be: check, what it is about, verdict.
    async fn complaints(&self) -> Vec<(String, String, Verdict)> {
        let findings = self.examine().await;
        let complaints =
            findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Bad | Verdict::Doubt));
        complaints.map(|finding| (finding.check.to_owned(), finding.about.clone(), finding.verdict)).collect()
    }

    async fn complains_of(&self, check: &str, about: &str, verdict: Verdict) -> Finding {
        let findings = self.examine().await;
        let found = findings
            .iter()
            .find(|finding| finding.check == check && finding.about == about && finding.verdict == verdict);
        let finding = found.unwrap_or_else(|| panic!("{}", doctor::text(&findings))).clone();
        assert!(!finding.fix.is_empty(), "{finding:?}");
        finding
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_deployment_has_nothing_to_mend() {
    let deployment = Deployment::sound().await;
    let findings = deployment.examine().await;
    assert_eq!(deployment.complaints().await, [], "{}", doctor::text(&findings));
    assert_eq!(doctor::exit_code(&findings), 0);
    for check in [
        "settings",
        "service",
        "state",
        "API version",
        "identity",
        "workspaces",
        "tier",
        "content",
        "rights",
        "storage",
        "CORS",
        "traffic",
        "endpoints",
        "probe",
        "region",
        "hostnames",
        "certificate",
    ] {
        assert!(findings.iter().any(|finding| finding.check == check), "{check} was not looked at");
    }
    let posts = deployment.cloud().journal().posts();
    assert!(posts.is_empty(), "nothing is begun: {posts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_changed_by_an_examination() {
    let deployment = Deployment::sound().await;
    deployment.examine().await;
    let storage = deployment.simulation.storage().unwrap();
    for container in ["apim-backups", "apim-dr"] {
        assert!(storage.list(container, "").await.unwrap().is_empty(), "{container}");
    }
    let exchanges = deployment.cloud().journal().exchanges();
    assert!(
        exchanges.iter().all(|exchange| exchange.method == "GET" || exchange.path.contains("oauth2")),
        "{exchanges:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_that_do_not_fit_each_other_are_named() {
    let deployment = Deployment::sound().await;
    let north = deployment.cloud().service(NORTH);
    north.set_tier("Premium", 1);
    let finding = deployment.complains_of("tier", NORTH, Verdict::Bad).await;
    assert!(finding.fact.contains("Premium") && finding.fix.contains("Standard"), "{finding:?}");
    north.set_tier("StandardV2", 1);
    deployment.complains_of("tier", NORTH, Verdict::Bad).await;
    north.set_tier("Standard", 1);
    north.configure(|spec| spec.release_channel("Preview"));
    deployment.complains_of("channel", NORTH, Verdict::Doubt).await;
    north.configure(|spec| spec.release_channel("Default").min_api_version("2025-01-01"));
    let finding = deployment.complains_of("API version", NORTH, Verdict::Bad).await;
    assert!(finding.fix.contains("2025-01-01"), "{finding:?}");
    north.configure(|spec| spec.min_api_version("2021-08-01").without_identity());
    deployment.complains_of("identity", NORTH, Verdict::Bad).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_workspaces_and_strangers_are_named() {
    let deployment = Deployment::sound().await;
    let north = deployment.cloud().service(NORTH);
    north.set_state("Updating");
    deployment.complains_of("state", NORTH, Verdict::Doubt).await;
    north.set_state("Stopped");
    deployment.complains_of("state", NORTH, Verdict::Bad).await;
    north.set_state("Succeeded");
    north.edit(|content| content.put("workspaces/team", serde_json::json!({"displayName": "Team"})));
    deployment.complains_of("workspaces", NORTH, Verdict::Bad).await;
    north.edit(|content| content.put("apis/stranger", serde_json::json!({"path": "stranger"})));
    let finding = deployment.complains_of("content", NORTH, Verdict::Doubt).await;
    assert!(finding.fact.contains("apis/stranger"), "{finding:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_rights_are_named_by_their_actions() {
    let deployment = Deployment::sound().await;
    let cloud = deployment.cloud();
    cloud.deny(Denial::of("Microsoft.ApiManagement/service/operationresults/read").on(NORTH));
    let finding = deployment.complains_of("rights", NORTH, Verdict::Bad).await;
    assert!(finding.fact.contains("operationresults/read"), "{finding:?}");
    cloud.allow_all();
    let caller = cloud.directory().applications().into_iter().next().unwrap().principal;
    let primary = cloud.service(PRIMARY).id();
    cloud.assign(
        &caller,
        Role::new(
            &primary,
            &[
                "Microsoft.ApiManagement/service/*/read",
                "Microsoft.Authorization/permissions/read",
                "Microsoft.ApiManagement/service/read",
            ],
        ),
    );
    let finding = deployment.complains_of("rights", PRIMARY, Verdict::Bad).await;
    assert!(finding.fact.contains("backup/action") && finding.fact.contains("restore/action"), "{finding:?}");
    let finding = deployment.complains_of("service", NORTH, Verdict::Bad).await;
    assert!(finding.fact.contains("AuthorizationFailed"), "{finding:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storage_that_api_management_cannot_use_is_named() {
    let mut deployment = Deployment::sound().await;
    let account = deployment.simulation.account().name.clone();
    let rule = CorsRule { origins: vec!["*".into()], methods: vec!["GET".into(), "PATCH".into()] };
    deployment.cloud().configure_storage(&account, |settings| settings.cors.push(rule));
    deployment.complains_of("CORS", &account, Verdict::Bad).await;
    deployment.setting("BACKUP_CONTAINER", "not-there-yet");
    deployment.complains_of("storage", "not-there-yet", Verdict::Doubt).await;
    deployment.setting("BACKUP_STORAGE_ACCOUNT_ID", "");
    deployment.setting("BackupStorage", "DefaultEndpointsProtocol=http;AccountName=gone;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:9/gone;QueueEndpoint=http://127.0.0.1:9/gone");
    let finding = deployment.complains_of("storage", "apim-dr", Verdict::Bad).await;
    assert!(finding.fact.contains("no answer"), "{finding:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traffic_that_would_go_elsewhere_is_named() {
    let mut deployment = Deployment::sound().await;
    let traffic = deployment.cloud().traffic_manager();
    traffic.set_priority(PRIMARY, 5);
    deployment.complains_of("endpoints", "contoso", Verdict::Doubt).await;
    traffic.remove(NORTH);
    let finding = deployment.complains_of("endpoints", "contoso", Verdict::Bad).await;
    assert!(finding.fix.contains("contoso-north.azure-api.net"), "{finding:?}");
    traffic.set_method("Weighted");
    deployment.complains_of("traffic", "contoso", Verdict::Doubt).await;
    deployment.setting("LIVE_CHECK", "off");
    deployment.complains_of("traffic", "LIVE_CHECK", Verdict::Doubt).await;
    let told = doctor::text(&deployment.examine().await);
    assert!(!told.contains("contoso-west serves"), "nobody was asked: {told}");
    deployment.setting("TRAFFIC_MANAGER_ID", "");
    deployment.complains_of("traffic", "LIVE_CHECK", Verdict::Doubt).await;
    deployment.setting("LIVE_CHECK", "on");
    deployment.complains_of("traffic", "TRAFFIC_MANAGER_ID", Verdict::Bad).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_in_the_wrong_region_is_named() {
    let deployment = Deployment::sound().await;
    deployment.cloud().set_group_location("contoso-apim", "westeurope");
    let finding = deployment.complains_of("region", "contoso-apim", Verdict::Doubt).await;
    assert!(finding.fix.contains("northeurope"), "{finding:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostnames_and_certificates_are_looked_at_on_both_sides() {
    let deployment = Deployment::sound().await;
    for service in [PRIMARY, NORTH] {
        deployment.simulation.front_door(service).present(HOST, Certificate::Expired);
        deployment.complains_of("certificate", service, Verdict::Bad).await;
        deployment.simulation.front_door(service).present(HOST, Certificate::ExpiresIn(Duration::days(3)));
        deployment.complains_of("certificate", service, Verdict::Doubt).await;
    }
    deployment.cloud().service(NORTH).configure(|spec| spec.without_hostname(HOST));
    let finding = deployment.complains_of("hostnames", NORTH, Verdict::Bad).await;
    assert!(finding.fact.contains(HOST), "{finding:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_nothing_else_has_to_be_read() {
    let mut deployment = Deployment::sound().await;
    deployment.setting("AZURE_CLIENT_SECRET", "wrong");
    let finding = deployment.complains_of("token", PRIMARY, Verdict::Bad).await;
    assert!(finding.fact.contains("AADSTS"), "{finding:?}");
    assert!(!doctor::text(&deployment.examine().await).contains("wrong"));
}

#[test]
fn bad_settings_are_findings_of_their_own() {
    let problems = Config::from_lookup(|_| None).unwrap_err();
    let findings = doctor::of_problems(&problems);
    assert!(findings.iter().all(|finding| finding.verdict == Verdict::Bad && !finding.fix.is_empty()));
    assert!(findings.iter().any(|finding| finding.about == "APIM_PRIMARY_ID"), "{findings:?}");
    assert!(doctor::json(&findings).contains("\"healthy\": false"));
}
