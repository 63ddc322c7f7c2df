//! The example parameter files, and what the templates say to do next.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::deployment::Deployment;
use crate::settings::parameters;
use crate::{json as read, template};

/// The parameters of an example file, as the file gives them.
fn example(path: &str) -> Value {
    let file = read(path);
    let given = file["parameters"].as_object().unwrap();
    Value::Object(
        given.iter().map(|(name, value)| (name.clone(), value["value"].clone())).collect::<Map<_, _>>(),
    )
}

#[test]
fn every_example_can_be_deployed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/examples");
    let mut seen = Vec::new();
    for kind in ["both-services", "everything"] {
        for entry in std::fs::read_dir(folder.join(kind)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let name = name.strip_suffix(".json").unwrap();
            let template = template(name);
            let given = example(&format!("infra/examples/{kind}/{name}.json"));
            let deployed = Deployment::new(&template, &given).and_then(|deployment| deployment.resources());
            assert!(!deployed.unwrap_or_else(|why| panic!("{kind}/{name}: {why}")).is_empty());
            seen.push(format!("{kind}/{name}"));
        }
    }
    seen.sort();
    let expected = [
        "both-services/alerts",
        "both-services/standby",
        "everything/alerts",
        "everything/services",
        "everything/standby",
        "everything/traffic",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn only_the_template_for_new_services_makes_services() {
    for name in crate::TEMPLATES {
        let template = template(name);
        let given = match name {
            "standby" => parameters(&json!({})),
            "events" => json!({ "functionApp": "app", "backupAccount": "account" }),
            _ => example(&format!("infra/examples/everything/{name}.json")),
        };
        let resources = Deployment::new(&template, &given).unwrap().resources().unwrap();
        let services =
            resources.iter().filter(|resource| resource["type"] == "Microsoft.ApiManagement/service");
        assert_eq!(services.count(), if name == "services" { 2 } else { 0 }, "{name}");
    }
}

/// A service that exists would lose what the template does not name.
#[test]
fn new_services_get_names_that_nobody_can_choose() {
    let template = template("services");
    let given = example("infra/examples/everything/services.json");
    let deployment = Deployment::new(&template, &given).unwrap();
    let resources = deployment.resources().unwrap();
    let made: Vec<_> =
        resources.iter().map(|service| (service["name"].clone(), service["#group"].clone())).collect();
    assert_eq!(made.len(), 2);
    assert_ne!(made[0].0, made[1].0);
    assert_eq!((&made[0].1, &made[1].1), (&json!(["contoso-west"]), &json!(["contoso-north"])));
    for (output, (name, _)) in [("primaryId", &made[0]), ("secondaryId", &made[1])] {
        let id = deployment.output(output).unwrap();
        assert!(id.as_str().unwrap().ends_with(name.as_str().unwrap()), "{id}");
    }
    let host = |name: &Value| format!("{}.azure-api.net", name.as_str().unwrap());
    assert_eq!(deployment.output("gatewayHosts").unwrap(), json!([host(&made[0].0), host(&made[1].0)]));
    assert!(
        template["parameters"]
            .as_object()
            .unwrap()
            .keys()
            .all(|name| !name.ends_with("Name") || name == "publisherName")
    );
}

#[test]
fn users_go_to_the_first_service_that_answers() {
    let template = template("traffic");
    let given = example("infra/examples/everything/traffic.json");
    let resources = Deployment::new(&template, &given).unwrap().resources().unwrap();
    let profile = &resources[0]["properties"];
    assert_eq!(profile["trafficRoutingMethod"], "Priority");
    let monitor = &profile["monitorConfig"];
    assert_eq!(
        (&monitor["protocol"], &monitor["port"], &monitor["path"]),
        (&json!("HTTPS"), &json!(443), &json!("/status-0123456789abcdef"))
    );
    let endpoints = profile["endpoints"].as_array().unwrap();
    for (index, endpoint) in endpoints.iter().enumerate() {
        assert!(endpoint["type"].as_str().unwrap().ends_with("/externalEndpoints"));
        assert_eq!(endpoint["properties"]["priority"], index + 1);
        assert_eq!(endpoint["properties"]["target"], given["gatewayHosts"][index]);
    }
    assert_eq!(endpoints.len(), 2);
}

#[test]
fn every_template_says_what_to_do_next() {
    for hosting in ["FlexConsumption", "LinuxConsumption"] {
        let template = template("standby");
        let given = parameters(&json!({ "hosting": hosting }));
        let next = Deployment::new(&template, &given).unwrap().output("next").unwrap();
        let zip = if hosting == "LinuxConsumption" {
            "dist/apim-dr-consumption-linux-x64.zip"
        } else {
            "dist/apim-dr-flex-linux-x64.zip"
        };
        assert!(next[0].as_str().unwrap().contains(zip), "{next}");
        let sync = next[1].as_str().unwrap();
        assert!(sync.contains(" --url /subscriptions/") && sync.contains("/syncfunctiontriggers?"), "{sync}");
    }
    for name in crate::TEMPLATES {
        assert!(template(name)["outputs"]["next"].is_object(), "{name}");
    }
}

#[test]
fn event_grid_speaks_of_manifests_alone() {
    let template = template("events");
    let given = json!({ "functionApp": "app", "backupAccount": "account", "backupContainer": "elsewhere" });
    let resources = Deployment::new(&template, &given).unwrap().resources().unwrap();
    let subscription = &resources[1]["properties"];
    let filter = &subscription["filter"];
    assert_eq!(filter["includedEventTypes"], json!(["Microsoft.Storage.BlobCreated"]));
    assert_eq!(filter["subjectBeginsWith"], "/blobServices/default/containers/elsewhere/blobs/");
    let path = read("RestoreOnBlob/function.json")["bindings"][0]["path"].as_str().unwrap().to_owned();
    assert!(path.ends_with(&format!("{{name}}{}", filter["subjectEndsWith"].as_str().unwrap())), "{path}");
    let url = subscription["destination"]["properties"]["endpointUrl"].as_str().unwrap();
    let begin = "https://app.azurewebsites.net/runtime/webhooks/blobs?functionName=Host.Functions.RestoreOnBlob&code=";
    assert!(url.starts_with(begin), "{url}");
}
