//! Readers of stored documents, settings and names.

use std::collections::BTreeMap;

use apim_dr::config::Config;
use apim_dr::domain::health::Health;
use apim_dr::domain::id::{ProfileId, ServiceId, ServiceName, StorageAccountId};
use apim_dr::domain::manifest::Manifest;
use apim_dr::domain::record::{Record, service_at};
use apim_dr::domain::schedule::Schedule;
use apim_dr::domain::serving::{Gateways, Profile};
use apim_dr::domain::vocabulary::BackupName;
use apim_dr::host::BlobUri;
use time::macros::datetime;

/// An error is for a person: it says something, and not everything that was read.
fn assert_clear(why: &str) {
    assert!(!why.is_empty() && why.len() < 2_000, "an error of {} bytes: {why}", why.len());
}

pub(crate) fn record(bytes: &[u8]) {
    match Record::parse(bytes) {
        Ok(record) => {
            let again = Record::parse(&record.bytes());
            assert_eq!(again.as_ref(), Ok(&record), "what is read is written and read again as it was");
            let _ = record.newest_accepted();
        }
        Err(why) => assert_clear(&why),
    }
}

pub(crate) fn manifest(bytes: &[u8]) {
    let name = BackupName::parse("contoso-20260310T020000Z");
    let Some(name) = name else { panic!("a good name is refused") };
    match Manifest::parse(&name, bytes) {
        Ok(manifest) => {
            assert_eq!(manifest.name, name);
            let again = Manifest::parse(&name, manifest.text().as_bytes());
            assert_eq!(again.as_ref(), Ok(&manifest), "what is read is written and read again as it was");
        }
        Err(why) => assert_clear(&why),
    }
}

pub(crate) fn health(bytes: &[u8]) {
    match Health::parse(bytes) {
        Ok(health) => assert_eq!(Health::parse(&health.bytes()), Ok(health)),
        Err(why) => assert_clear(&why),
    }
}

pub(crate) fn connection_string(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let problems = match Config::from_lookup(|name| lookup(name, ("BackupStorage", &text))) {
        Ok(_) => return,
        Err(problems) => problems.to_string(),
    };
    let key = text.split(';').find_map(|part| part.trim().strip_prefix("AccountKey="));
    let told = key.filter(|key| key.len() > 12).is_some_and(|key| problems.contains(key));
    assert!(!told, "the key is repeated: {problems}");
}

/// A good setting for everything but the one that is fed.
fn lookup(name: &str, (fed, text): (&str, &str)) -> Option<String> {
    if name == fed {
        return Some(text.to_owned());
    }
    let service = |name: &str| {
        let group = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/apim";
        format!("{group}/providers/Microsoft.ApiManagement/service/{name}")
    };
    Some(match name {
        "BackupStorage" => "UseDevelopmentStorage=true".to_owned(),
        "BACKUP_CONTAINER" => "apim-backups".to_owned(),
        "APIM_PRIMARY_ID" => service("contoso-west"),
        "APIM_SECONDARY_IDS" => service("contoso-north"),
        "IDENTITY_ENDPOINT" => "http://127.0.0.1:9/msi/token".to_owned(),
        "IDENTITY_HEADER" => "fuzz".to_owned(),
        _ => return None,
    })
}

/// `NAME=value` lines, as many as there are.
pub(crate) fn settings(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let fed: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let looked_up =
        |name: &str| fed.get(name).map(|value| (*value).to_owned()).or_else(|| lookup(name, ("", "")));
    match Config::from_lookup(looked_up) {
        Ok(config) => drop(config.doubts()),
        Err(problems) => assert!(problems.iter().count() > 0),
    }
}

pub(crate) fn resource_id(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(id) = text.parse::<ServiceId>() {
        assert_eq!(id.as_str().parse::<ServiceId>().as_ref(), Ok(&id));
        assert!(ServiceName::parse(id.name().as_str()).is_ok());
    }
    drop((text.parse::<StorageAccountId>(), text.parse::<ProfileId>()));
    if let Some(name) = BackupName::parse(&text) {
        assert_eq!(BackupName::of_manifest(&name.manifest()), Some(name));
    }
    drop(service_at(&text));
}

pub(crate) fn schedule(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Schedule::parse(&text) {
        Ok(schedule) => {
            let now = datetime!(2026-03-10 12:34:56.789 UTC);
            let (last, next) = (schedule.latest_at_or_before(now), schedule.next_after(now));
            assert!(last.is_none_or(|last| last <= now) && next.is_none_or(|next| next > now), "{text}");
            assert!(schedule.longest_gap() >= time::Duration::ZERO);
            assert_eq!(Schedule::parse(&schedule.to_string()).as_ref(), Ok(&schedule));
        }
        Err(why) => assert_clear(&why),
    }
}

pub(crate) fn blob_uri(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let endpoints = ["https://contoso.blob.core.windows.net/", "http://127.0.0.1:10000/devstoreaccount1"];
    let Some(uri) = BlobUri::parse(&text) else { return };
    for endpoint in endpoints.into_iter().filter_map(|endpoint| azure_core::http::Url::parse(endpoint).ok()) {
        if let Some((container, blob)) = uri.within(&endpoint) {
            assert!(!container.as_str().is_empty() && !blob.is_empty());
        }
    }
}

pub(crate) fn profile(bytes: &[u8]) {
    let services = ["contoso-west", "contoso-north"].map(ServiceName::parse);
    let services = services.into_iter().filter_map(Result::ok).collect();
    let gateways = Gateways { domain: "azure-api.net".to_owned(), services };
    match Profile::parse(bytes) {
        Ok(profile) => drop((profile.serving(&gateways), profile.line(&gateways))),
        Err(why) => assert_clear(&why),
    }
}
