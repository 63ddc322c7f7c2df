//! The rules of Bicep's linter that a template can break, and those of this repository.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::expression::Expression;
use crate::{TEMPLATES, template};

/// Hosts that belong to one cloud: `environment()` knows them for each. The linter's own list.
const HOSTS_OF_ONE_CLOUD: [&str; 15] = [
    "api.loganalytics.io",
    "azuredatalakeanalytics.net",
    "azuredatalakestore.net",
    "batch.core.windows.net",
    "core.windows.net",
    "database.windows.net",
    "datalake.azure.net",
    "gallery.azure.com",
    "graph.windows.net",
    "login.microsoftonline.com",
    "management.azure.com",
    "management.core.windows.net",
    "region.asazure.windows.net",
    "trafficmanager.net",
    "vault.azure.net",
];

/// A template, or one nested in it.
struct Unit {
    name: String,
    template: Value,
}

impl Unit {
    /// Every text of it, in names of members as well, without what belongs to a template nested in it.
    fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        collect(&self.template, &mut texts);
        texts
    }

    fn expressions(&self) -> Vec<Expression> {
        let read =
            |text: &String| Expression::parse(text).unwrap_or_else(|why| panic!("{}: {why}", self.name));
        self.texts().iter().map(read).collect()
    }

    fn names_of(&self, section: &str) -> BTreeSet<String> {
        let section = self.template[section].as_object().into_iter().flatten();
        let (copies, plain): (Vec<_>, Vec<_>) = section.partition(|(name, _)| *name == "copy");
        let copies = copies.into_iter().flat_map(|(_, copies)| copies.as_array().into_iter().flatten());
        let copied = copies.map(|copy| copy["name"].as_str().unwrap().to_owned());
        plain.into_iter().map(|(name, _)| name.clone()).chain(copied).collect()
    }

    fn resources(&self) -> Vec<&Value> {
        let own = self.template["resources"].as_array().into_iter().flatten();
        own.flat_map(|resource| {
            let children = resource["resources"].as_array().into_iter().flatten();
            std::iter::once(resource).chain(children)
        })
        .collect()
    }
}

fn collect(part: &Value, texts: &mut Vec<String>) {
    match part {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => {
            for (name, value) in members.iter().filter(|(name, _)| *name != "template") {
                texts.push(name.clone());
                collect(value, texts);
            }
        }
        _ => {}
    }
}

fn units() -> Vec<Unit> {
    let mut units = Vec::new();
    for name in TEMPLATES {
        let template = template(name);
        let nested = template["resources"].as_array().unwrap().iter().filter_map(|resource| {
            let inner = resource["properties"].get("template")?.clone();
            let name = format!("{name}, in {}", resource["name"]);
            Some(Unit { name, template: inner })
        });
        units.extend(nested);
        units.push(Unit { name: name.to_owned(), template });
    }
    units
}

#[test]
fn every_expression_can_be_read() {
    assert!(units().iter().all(|unit| !unit.expressions().is_empty()));
}

#[test]
fn every_parameter_and_variable_is_declared_and_used() {
    for unit in units() {
        let expressions = unit.expressions();
        for (function, section) in [("parameters", "parameters"), ("variables", "variables")] {
            let used = expressions.iter().flat_map(|expression| expression.named_by(function));
            let used: BTreeSet<String> = used.map(str::to_owned).collect();
            assert_eq!(used, unit.names_of(section), "{section} of {}", unit.name);
        }
    }
}

#[test]
fn every_parameter_and_output_of_a_file_is_described() {
    for name in TEMPLATES {
        let template = template(name);
        assert!(template["metadata"]["description"].is_string(), "{name}");
        for section in ["parameters", "outputs"] {
            for (parameter, declared) in template[section].as_object().unwrap() {
                let description = declared["metadata"]["description"].as_str();
                assert!(description.is_some_and(|text| text.ends_with('.')), "{name}: {parameter}");
            }
        }
    }
}

#[test]
fn secrets_have_no_default_and_appear_in_no_output() {
    for unit in units() {
        let declared = unit.template["parameters"].as_object().into_iter().flatten();
        let mut secure = BTreeSet::new();
        for (name, parameter) in declared {
            let kind = parameter["type"].as_str().unwrap().to_lowercase();
            if kind.starts_with("secure") {
                let default = parameter.get("defaultValue");
                assert!(default.is_none_or(|default| default == ""), "{}: {name}", unit.name);
                secure.insert(name.as_str());
            } else {
                assert!(!sounds_secret(name), "{}: {name} is not secure", unit.name);
            }
        }
        let mut told = Vec::new();
        collect(&unit.template["outputs"], &mut told);
        for expression in told.iter().map(|text| Expression::parse(text).unwrap()) {
            let lists =
                |part: &&Expression| matches!(part, Expression::Call(name, _) if name.starts_with("list"));
            assert_eq!(expression.parts().iter().find(|part| lists(part)), None, "{}", unit.name);
            let parameters = expression.named_by("parameters");
            assert!(parameters.iter().all(|name| !secure.contains(name)), "{}: {parameters:?}", unit.name);
        }
    }
}

/// As the linter hears it: the address of a secret is none.
fn sounds_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    let secret = ["password", "pwd", "secret", "accountkey", "acctkey"];
    let allowed = ["secretpermissions", "secretversion", "secreturi", "secreturl", "secretname"];
    secret.iter().any(|word| name.contains(word)) && !allowed.iter().any(|word| name.contains(word))
}

#[test]
fn no_address_of_one_cloud_is_written_down() {
    for unit in units() {
        for text in
            unit.texts().iter().filter(|text| !text.starts_with("https://schema.management.azure.com/"))
        {
            for host in HOSTS_OF_ONE_CLOUD {
                assert!(!text.to_lowercase().contains(host), "{}: {text}", unit.name);
            }
        }
    }
}

#[test]
fn regions_are_parameters_and_the_groups_region_is_only_their_default() {
    for unit in units() {
        for resource in unit.resources() {
            let location = resource["location"].as_str().unwrap_or("global");
            assert!(
                location == "global" || location.starts_with("[parameters("),
                "{}: {location}",
                unit.name
            );
        }
        let mut elsewhere = Vec::new();
        for section in ["variables", "resources", "outputs"] {
            collect(&unit.template[section], &mut elsewhere);
        }
        assert!(elsewhere.iter().all(|text| !text.contains("().location")), "{}", unit.name);
    }
}

#[test]
fn one_version_of_each_type_and_no_preview() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for unit in units() {
        for resource in unit.resources() {
            let (kind, version) =
                (resource["type"].as_str().unwrap(), resource["apiVersion"].as_str().unwrap());
            assert!(version.len() == "2024-05-01".len(), "{kind}: {version}");
            versions.entry(kind.to_lowercase()).or_default().insert(version.to_owned());
        }
    }
    for (kind, versions) in versions {
        assert_eq!(versions.len(), 1, "{kind}: {versions:?}");
    }
}

#[test]
fn names_come_out_the_same_at_every_deployment() {
    for unit in units() {
        for expression in unit.expressions() {
            let parts = expression.parts();
            let random = parts.iter().find(
                |part| matches!(part, Expression::Call(name, _) if name == "newGuid" || name == "utcNow"),
            );
            assert_eq!(random, None, "{}", unit.name);
        }
    }
}

#[test]
fn nested_templates_see_only_what_they_are_given() {
    for unit in units() {
        for resource in unit.resources().iter().filter(|one| one["type"] == "Microsoft.Resources/deployments")
        {
            assert_eq!(
                resource["properties"]["expressionEvaluationOptions"]["scope"], "inner",
                "{}",
                unit.name
            );
        }
    }
}

/// `reference` of a resource of the same template is written without a version, so that Bicep takes the
/// resource itself.
#[test]
fn a_resource_of_the_same_template_is_referred_to_as_such() {
    for unit in units() {
        let kinds: BTreeSet<String> = unit
            .resources()
            .iter()
            .map(|resource| resource["type"].as_str().unwrap().to_lowercase())
            .collect();
        for expression in unit.expressions() {
            for part in expression.parts() {
                let Expression::Call(name, arguments) = part else { continue };
                let [Expression::Call(inner, id), _, ..] = arguments.as_slice() else { continue };
                if name == "reference" && inner == "resourceId" {
                    let kind = id.iter().find_map(|part| match part {
                        Expression::Text(kind) => Some(kind.to_lowercase()),
                        _ => None,
                    });
                    assert!(kind.is_some_and(|kind| !kinds.contains(&kind)), "{}: {part:?}", unit.name);
                }
            }
        }
    }
}

/// What a resource waits for is made by the same template.
#[test]
fn a_resource_waits_for_resources_that_there_are() {
    for unit in units() {
        let names: Vec<String> =
            unit.resources().iter().map(|resource| resource["name"].as_str().unwrap().to_owned()).collect();
        for resource in unit.resources() {
            for waited in resource["dependsOn"].as_array().into_iter().flatten() {
                let expression = Expression::parse(waited.as_str().unwrap()).unwrap();
                let Expression::Call(function, arguments) = &expression else { panic!("{waited}") };
                assert_eq!(function, "resourceId", "{waited}");
                let last = arguments.last().unwrap();
                let named = names.iter().any(|name| {
                    let name = Expression::parse(name).unwrap();
                    name == *last || name.parts().contains(&last) || ends_with(&name, last)
                });
                assert!(named, "{}: {waited}", unit.name);
            }
        }
    }
}

/// `format('{0}/default', …)` ends with `'default'`.
fn ends_with(name: &Expression, last: &Expression) -> bool {
    match (name, last) {
        (Expression::Call(function, arguments), Expression::Text(last)) if function == "format" => {
            matches!(arguments.first(), Some(Expression::Text(pattern)) if pattern.ends_with(&format!("/{last}")))
        }
        _ => false,
    }
}

#[test]
fn the_linter_hears_secrets_in_the_names_of_parameters() {
    assert!(sounds_secret("clientSecret") && sounds_secret("adminPwd"));
    assert!(!sounds_secret("servicePrincipalSecretUri") && !sounds_secret("prefix"));
}
