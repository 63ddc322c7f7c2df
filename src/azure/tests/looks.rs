//! What a look at a service takes in.

use super::script::*;
use crate::domain::observation::{Action, Looking, Looks, NoLook, Observation, Others, ServiceLook};
use crate::domain::vocabulary::{AzureWords, ServiceState, Tier};

async fn look(replies: impl IntoIterator<Item = Reply>) -> Result<ServiceLook, NoLook> {
    let script = Script::new(replies);
    let observed = perform(&azure(&script, &[]), &Action::Look(Looking::Service)).await;
    let url = format!("https://arm.test{PRIMARY}?api-version=2024-05-01");
    assert!(script.sent().iter().all(|sent| sent.method == "GET" && sent.url == url));
    let Observation::Looked(looks) = observed else { panic!("{observed:?}") };
    let Looks { at, looking: Looking::Service, service, blob: None, others, serving: None, content: None } =
        *looks
    else {
        panic!("{looks:?}")
    };
    assert_eq!((at, others), (noon(), Ok(Others::default())));
    service
}

fn service(state: &str) -> Reply {
    let text = serde_json::json!({
        "location": "West Europe", "sku": {"name": "Developer", "capacity": 1},
        "properties": {"provisioningState": state, "targetProvisioningState": ""},
    });
    body(200, text.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_200_with_a_provisioning_state_is_a_look() {
    for (word, state) in [
        ("Succeeded", ServiceState::Succeeded),
        ("updating", ServiceState::Updating),
        ("Activating", ServiceState::Other("Activating".to_owned())),
    ] {
        let look = look([service(word)]).await.unwrap();
        let expected =
            ServiceLook { state, tier: Tier::new("Developer"), location: "West Europe".to_owned() };
        assert_eq!(look, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_less_is_a_look() {
    for reply in ["", "null", "{}", r#"{"location":"x","sku":{"name":"Developer"},"properties":{}}"#] {
        let look = look([body(200, reply)]).await;
        assert!(matches!(look, Err(NoLook::NoAnswer(_))), "{reply} {look:?}");
    }
    let words = AzureWords { status: 404, code: "ResourceNotFound".to_owned(), message: "gone".to_owned() };
    assert_eq!(look([error(404, "ResourceNotFound", "gone")]).await, Err(NoLook::Answer(words)));
    assert!(matches!(look(vec![Reply::Lost; 4]).await, Err(NoLook::NoAnswer(_))));
    assert!(matches!(look([status(401), status(401)]).await, Err(NoLook::NoToken(_))));
}
