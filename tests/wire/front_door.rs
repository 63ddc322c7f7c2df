//! The standby's own front door is tried once a day, since Traffic Manager's probes ignore certificates.

use apim_dr_sim::door::{Certificate, Reach};
use time::Duration;

use crate::setup::Setup;
use crate::world::{NORTH, PRIMARY, STATE, World};

const HOST: &str = "api.contoso.com";

async fn world() -> World {
    World::of(Setup { hostname: Some(HOST), ..Setup::default() }).await
}

impl World {
    /// What is raised about the secondary's certificates after another day, if anything.
    async fn certificate_condition(&self) -> Option<String> {
        self.clock.advance(Duration::DAY);
        self.troubled_minutes(2).await;
        let health = self.json(STATE, &format!("health/{PRIMARY}.json")).await;
        let raised = health["raised"].as_array().unwrap().iter();
        let mut certificate = raised.filter(|raised| raised["condition"] == "StandbyCertificate");
        certificate.next().map(|raised| raised["fact"].as_str().unwrap().to_owned())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_certificate_raises_nothing_and_a_bad_one_is_raised_until_it_is_renewed() {
    let world = world().await;
    assert_eq!(world.certificate_condition().await, None);
    let door = world.simulation.front_door(NORTH);
    for (certificate, words) in [
        (Certificate::Expired, "xpired"),
        (Certificate::WrongName, "not valid for name"),
        (Certificate::UnknownAuthority, "UnknownIssuer"),
        (Certificate::IncompleteChain, "UnknownIssuer"),
    ] {
        door.present(HOST, certificate);
        let fact = world.certificate_condition().await.unwrap_or_else(|| panic!("{certificate:?} passes"));
        assert!(
            fact.contains(HOST) && fact.contains(NORTH) && fact.contains(words),
            "{certificate:?}: {fact}"
        );
    }
    door.present(HOST, Certificate::Good);
    assert_eq!(world.certificate_condition().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_soon_expires_is_named_with_its_day() {
    let world = world().await;
    let door = world.simulation.front_door(NORTH);
    door.present(HOST, Certificate::ExpiresIn(Duration::days(40)));
    assert_eq!(world.certificate_condition().await, None);
    door.present(HOST, Certificate::ExpiresIn(Duration::days(15)));
    let fact = world.certificate_condition().await.unwrap();
    assert!(fact.contains("is good until 2026-03-"), "{fact}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_takes_no_connection_is_named() {
    let world = world().await;
    world.simulation.front_door(NORTH).set_reach(Reach::Refused);
    let fact = world.certificate_condition().await.unwrap();
    assert!(fact.contains("does not take connections"), "{fact}");
}
