//! What the functions of templates yield. Only those that the templates call are here: another one has to be
//! looked up before it is used.

use serde_json::{Map, Value, json};

/// The subscription and the resource group that templates are deployed into.
pub(crate) const SUBSCRIPTION: &str = "11111111-1111-1111-1111-111111111111";
pub(crate) const GROUP: &str = "contoso-north";

/// A function whose arguments are known.
pub(crate) fn call(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let wrong = || format!("{name} takes no {arguments:?}");
    match (name, arguments) {
        ("format", [pattern, values @ ..]) => format(pattern, values).ok_or_else(wrong),
        ("concat", _) => concat(arguments).ok_or_else(wrong),
        ("union", _) => union(arguments).ok_or_else(wrong),
        ("createArray", _) => Ok(Value::Array(arguments.to_vec())),
        ("equals", [one, other]) => Ok((one == other).into()),
        ("not", [Value::Bool(one)]) => Ok((!one).into()),
        ("and", _) => Ok(arguments.iter().all(|one| *one == Value::Bool(true)).into()),
        ("empty", [one]) => Ok(is_empty(one).into()),
        ("length", [one]) => length(one).ok_or_else(wrong),
        ("null", []) => Ok(Value::Null),
        ("true", []) => Ok(true.into()),
        ("string", [one]) => Ok(one.as_str().map_or_else(|| one.to_string(), str::to_owned).into()),
        ("join", [Value::Array(items), Value::String(by)]) => Ok(texts(items).join(by).into()),
        ("split", [Value::String(text), Value::String(by)]) => Ok(text.split(by.as_str()).collect()),
        ("first", [Value::Array(items)]) => items.first().cloned().ok_or_else(wrong),
        ("last", [Value::Array(items)]) => items.last().cloned().ok_or_else(wrong),
        ("toLower", [Value::String(text)]) => Ok(text.to_lowercase().into()),
        // What it yields does not matter, how long it is and on what it depends does.
        ("uniqueString", _) => Ok(digits(arguments, 13).into()),
        ("guid", _) => Ok(guid(arguments).into()),
        ("resourceId", _) => resource_id(arguments).ok_or_else(wrong),
        ("subscriptionResourceId", [Value::String(kind), Value::String(name)]) => {
            Ok(format!("/subscriptions/{SUBSCRIPTION}/providers/{kind}/{name}").into())
        }
        ("resourceGroup", []) => {
            Ok(json!({ "id": group_id(GROUP), "name": GROUP, "location": "northeurope" }))
        }
        ("subscription", []) => {
            Ok(json!({ "id": format!("/subscriptions/{SUBSCRIPTION}"), "subscriptionId": SUBSCRIPTION }))
        }
        ("tenant", []) => Ok(json!({ "tenantId": "22222222-2222-2222-2222-222222222222" })),
        ("environment", []) => Ok(environment()),
        ("reference", [Value::String(id), ..]) => reference(id, arguments.get(2).is_some()),
        ("listKeys", [Value::String(id), _]) if id.contains("/sites/") => {
            Ok(json!({ "systemKeys": { "blobs_extension": "a-system-key" } }))
        }
        _ => Err(wrong()),
    }
}

fn format(pattern: &Value, values: &[Value]) -> Option<Value> {
    let mut text = pattern.as_str()?.to_owned();
    for (index, value) in values.iter().enumerate() {
        let place = format!("{{{index}}}");
        // A value without a place would be lost without a word.
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text = text.contains(&place).then(|| text.replace(&place, &shown))?;
    }
    Some(text.into())
}

fn concat(arguments: &[Value]) -> Option<Value> {
    if arguments.iter().all(Value::is_array) {
        return Some(arguments.iter().filter_map(Value::as_array).flatten().cloned().collect());
    }
    let texts: Option<Vec<&str>> = arguments.iter().map(Value::as_str).collect();
    texts.map(|texts| texts.concat().into())
}

fn union(arguments: &[Value]) -> Option<Value> {
    let objects: Option<Vec<&Map<String, Value>>> = arguments.iter().map(Value::as_object).collect();
    let members = objects?.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
    Some(Value::Object(members.collect()))
}

fn is_empty(value: &Value) -> bool {
    length(value).is_none_or(|length| length == 0)
}

fn length(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => Some(text.len().into()),
        Value::Array(items) => Some(items.len().into()),
        Value::Object(members) => Some(members.len().into()),
        _ => None,
    }
}

fn texts(items: &[Value]) -> Vec<&str> {
    items.iter().filter_map(Value::as_str).collect()
}

/// As many letters, always the same for the same arguments.
fn digits(arguments: &[Value], many: usize) -> String {
    let text = serde_json::to_string(arguments).unwrap();
    let sum = text.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let mut letters = String::new();
    let mut rest = sum;
    while letters.len() < many {
        letters.push(char::from(b'a' + u8::try_from(rest % 26).unwrap()));
        rest = rest.wrapping_mul(6_364_136_223_846_793_005).rotate_right(17).wrapping_add(sum);
    }
    letters
}

fn guid(arguments: &[Value]) -> String {
    let part = |salt: usize, many| digits(&[arguments, &[salt.into()]].concat(), many);
    [part(0, 8), part(1, 4), part(2, 4), part(3, 4), part(4, 12)].join("-")
}

fn group_id(group: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}")
}

/// `resourceId([group,] type, name, …)`: one name for each part of the type.
fn resource_id(arguments: &[Value]) -> Option<Value> {
    let arguments = texts(arguments);
    let (group, kind, names) = match arguments.as_slice() {
        [kind, names @ ..] if kind.contains('/') => (GROUP, kind, names),
        [group, kind, names @ ..] => (*group, kind, names),
        _ => return None,
    };
    let mut kinds = kind.split('/');
    let provider = kinds.next()?;
    let kinds: Vec<&str> = kinds.collect();
    (kinds.len() == names.len()).then_some(())?;
    let pairs: String = kinds.iter().zip(names).map(|(kind, name)| format!("/{kind}/{name}")).collect();
    Some(format!("{}/providers/{provider}{pairs}", group_id(group)).into())
}

/// The public cloud, with its slashes.
fn environment() -> Value {
    json!({
        "name": "AzureCloud",
        "resourceManager": "https://management.azure.com/",
        "authentication": { "loginEndpoint": "https://login.microsoftonline.com/" },
        "suffixes": { "storage": "core.windows.net" },
    })
}

/// What a resource that exists says of itself.
fn reference(id: &str, full: bool) -> Result<Value, String> {
    let identity = json!({ "identity": { "principalId": format!("principal of {id}") } });
    match id.split('/').rev().nth(1) {
        Some("sites" | "service") if full => Ok(identity),
        Some("service") => {
            let name = id.split('/').next_back().unwrap_or_default();
            Ok(json!({ "gatewayUrl": format!("https://{name}.azure-api.net") }))
        }
        Some("sites") => Ok(json!({ "defaultHostName": "app.azurewebsites.net" })),
        Some("userAssignedIdentities") => {
            Ok(json!({ "clientId": "client-of-identity", "principalId": format!("principal of {id}") }))
        }
        Some("components") => Ok(json!({ "ConnectionString": "InstrumentationKey=key" })),
        Some("trafficmanagerprofiles") => Ok(json!({ "dnsConfig": { "fqdn": "contoso-apis.example.org" } })),
        _ => Err(format!("nobody refers to {id}")),
    }
}
