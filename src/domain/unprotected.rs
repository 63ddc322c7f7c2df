//! What a backup does not carry, and what it carries although it belongs to the backed-up service alone (contract:
//! apim-arm, sections 2 and 8a). Nothing of this is put right by a restore: it is compared as far as it can be read,
//! and listed with what to do about it.

use serde::{Deserialize, Serialize};

/// Things that are kept of one topic; the others are counted.
const KEPT: usize = 20;

/// Ties that are kept; the others are counted.
const MOST_TIES: usize = 100;

/// The longest text that is kept of one thing, in characters.
const LONGEST: usize = 200;

/// What was found of one topic on one service. Stored as a list, or as the text that says why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Found {
    /// Sorted, in words that are the same wherever the thing is the same.
    These(Vec<String>),
    /// It could not be read, for this reason.
    Unread(String),
}

impl Found {
    /// Sorts and bounds what was found. What is beyond the bound still counts.
    pub fn these(things: impl IntoIterator<Item = String>) -> Self {
        let mut things: Vec<_> = things.into_iter().map(bounded).collect();
        things.sort_unstable();
        things.dedup();
        if things.len() > KEPT {
            let beyond = things.split_off(KEPT);
            let digest = crate::domain::vocabulary::Digest::of(beyond.join("\n").as_bytes()).to_string();
            things.push(format!("{} more, digest {}", beyond.len(), &digest[..8]));
        }
        Self::These(things)
    }
}

fn bounded(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// What a backup leaves behind, as it was found on one service. A topic that is absent was not asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Facts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostnames: Option<Found>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorities: Option<Found>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identities: Option<Found>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Found>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocols: Option<Found>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<Found>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub portal: Option<Found>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<Found>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateways: Option<Found>,
}

/// One topic: what it is called, where it stands among the facts, and what to do about it.
type Topic = (&'static str, fn(&Facts) -> &Option<Found>, &'static str);

const TOPICS: [Topic; 9] = [
    (
        "custom hostnames and their certificates",
        |facts| &facts.hostnames,
        "give the standby the same hostnames and certificates: without them users meet a TLS error or a 404",
    ),
    ("CA certificates", |facts| &facts.authorities, "install the same certificates on the standby"),
    (
        "managed identities",
        |facts| &facts.identities,
        "give the standby's identities the rights that the primary's have, on key vaults and on backends",
    ),
    (
        "virtual network and private access",
        |facts| &facts.network,
        "give the standby a network from which its backends can be reached",
    ),
    ("protocol and cipher settings", |facts| &facts.protocols, "set the same on the standby"),
    (
        "Azure Monitor diagnostics",
        |facts| &facts.monitoring,
        "set them on the standby, the diagnostic settings of the resource included, which are not read here",
    ),
    ("developer portal content", |facts| &facts.portal, "publish the portal on the standby as well"),
    (
        "credential-manager connections",
        |facts| &facts.connections,
        "create them on the standby and consent to each there",
    ),
    (
        "self-hosted gateways",
        |facts| &facts.gateways,
        "they stay connected to the primary: keep a configuration at hand that connects them to the standby",
    ),
];

/// How something that no backup carries compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// Neither service has any.
    None,
    Alike,
    Differs,
    /// At least one side could not be read.
    Unknown,
}

impl Standing {
    /// Whether somebody has to do something about it, or at least to look.
    pub fn is_apart(self) -> bool {
        matches!(self, Self::Differs | Self::Unknown)
    }
}

/// Something that no backup carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotProtected {
    pub what: String,
    pub standing: Standing,
    /// What differs, or why that is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What to do about it.
    pub next: String,
}

/// All that a restore does not put right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unprotected {
    /// What no backup carries, topic by topic.
    pub topics: Vec<NotProtected>,
    /// What it carries although it belongs to the backed-up service, in words.
    pub ties: Vec<String>,
}

/// Compares what a backup leaves behind on the service that was backed up and on the target.
pub fn compare(source: &Facts, target: &Facts) -> Vec<NotProtected> {
    let compared = TOPICS.iter().map(|(what, of, next)| {
        let (standing, detail) = compare_topic(of(source).as_ref(), of(target).as_ref());
        NotProtected { what: (*what).to_owned(), standing, detail, next: (*next).to_owned() }
    });
    compared.collect()
}

fn compare_topic(source: Option<&Found>, target: Option<&Found>) -> (Standing, String) {
    let (source, target) = match (source, target) {
        (Some(Found::These(source)), Some(Found::These(target))) => (source, target),
        (Some(Found::Unread(why)), _) => {
            return (Standing::Unknown, format!("not read on the source: {why}"));
        }
        (_, Some(Found::Unread(why))) => {
            return (Standing::Unknown, format!("not read on the target: {why}"));
        }
        (None, _) | (_, None) => return (Standing::Unknown, "not compared".to_owned()),
    };
    if source == target {
        let standing = if source.is_empty() { Standing::None } else { Standing::Alike };
        return (standing, String::new());
    }
    let only = |one: &[String], other: &[String]| {
        one.iter().filter(|thing| !other.contains(thing)).cloned().collect::<Vec<_>>().join("; ")
    };
    let (missing, extra) = (only(source, target), only(target, source));
    let parts = [("only on the source: ", missing), ("only on the target: ", extra)];
    let parts = parts.into_iter().filter(|(_, things)| !things.is_empty());
    let detail = parts.map(|(side, things)| format!("{side}{things}")).collect::<Vec<_>>().join(". ");
    (Standing::Differs, detail)
}

/// A value that a restore takes along although it belongs to the service that was backed up, or to its region: in a
/// regional outage it is what fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tie {
    /// The entity that holds it.
    pub path: String,
    /// It names this region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// It names this host of the service itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// It is read from a key vault with this identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<Vault>,
}

/// All ties that were found in what a service holds, and where none could be looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ties {
    #[serde(default, rename = "ties", skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Tie>,
    /// How many there are beside those.
    #[serde(default, rename = "moreTies", skip_serializing_if = "is_none")]
    pub more: usize,
    /// Lists that could not be looked through, each with the reason.
    #[serde(default, rename = "tiesUnread", skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

impl Ties {
    /// Sorts and bounds what was found.
    pub fn of(mut known: Vec<Tie>, unread: Vec<String>) -> Self {
        known.sort_by(|one, other| one.path.cmp(&other.path));
        let more = known.len().saturating_sub(MOST_TIES);
        known.truncate(MOST_TIES);
        Self { known, more, unread }
    }
}

/// How a value is read from a key vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vault {
    /// The client id of a user-assigned identity; absent, it is the service's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

/// How an identity is called among the facts.
pub fn user_assigned(client_id: &str) -> String {
    format!("user-assigned {}", client_id.to_lowercase())
}

/// The ties that matter on a target with these facts, in words; and what is not known of others.
pub fn binding(ties: &Ties, target: &Facts) -> Vec<String> {
    let known = ties.known.iter().filter_map(|tie| in_words(tie, target));
    let more = (ties.more > 0).then(|| format!("{} more such values, which are not named here", ties.more));
    let unread = ties.unread.iter().map(|list| format!("not looked for in {list}"));
    known.chain(more).chain(unread).collect()
}

fn in_words(tie: &Tie, target: &Facts) -> Option<String> {
    let path = &tie.path;
    let region = tie.region.as_ref().map(|region| format!("names the region {region}"));
    let host = tie.host.as_ref().map(|host| format!("names the host {host}"));
    let vault = tie.vault.as_ref().and_then(|vault| vault_in_words(vault, target));
    let parts: Vec<_> = [region, host, vault].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("{path} {}", parts.join(" and ")))
}

fn vault_in_words(vault: &Vault, target: &Facts) -> Option<String> {
    let Some(client_id) = &vault.identity else {
        return Some(
            "is read from a key vault with the service's own identity, which is another one on the target"
                .to_owned(),
        );
    };
    let has_it = match &target.identities {
        Some(Found::These(identities)) => identities.contains(&user_assigned(client_id)),
        Some(Found::Unread(_)) | None => false,
    };
    (!has_it).then(|| {
        format!(
            "is read from a key vault with the identity {client_id}, which the target is not known to have"
        )
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn these(things: &[&str]) -> Option<Found> {
        Some(Found::these(things.iter().map(|thing| (*thing).to_owned())))
    }

    fn told(source: &Facts, target: &Facts) -> String {
        let line = |topic: &NotProtected| format!("{}: {:?} {}\n", topic.what, topic.standing, topic.detail);
        compare(source, target).iter().map(line).collect()
    }

    #[test]
    fn every_topic_is_listed_with_how_it_compares() {
        let source = Facts {
            hostnames: these(&["Proxy api.contoso.example"]),
            authorities: these(&[]),
            identities: these(&["system-assigned"]),
            network: Some(Found::Unread("HTTP 403".to_owned())),
            protocols: these(&["Tls10=True"]),
            ..Facts::default()
        };
        let target = Facts {
            hostnames: these(&["Proxy api.contoso.example"]),
            authorities: these(&[]),
            identities: these(&["system-assigned", "user-assigned 1"]),
            network: these(&[]),
            protocols: these(&[]),
            monitoring: these(&[]),
            ..Facts::default()
        };
        expect![[r#"
            custom hostnames and their certificates: Alike 
            CA certificates: None 
            managed identities: Differs only on the target: user-assigned 1
            virtual network and private access: Unknown not read on the source: HTTP 403
            protocol and cipher settings: Differs only on the source: Tls10=True
            Azure Monitor diagnostics: Unknown not compared
            developer portal content: Unknown not compared
            credential-manager connections: Unknown not compared
            self-hosted gateways: Unknown not compared
        "#]]
        .assert_eq(&told(&source, &target));
    }

    #[test]
    fn what_is_beyond_the_bound_still_counts() {
        let many = |last: u32| {
            let things: Vec<_> = (0..30).chain([last]).map(|index| format!("{index:02}")).collect();
            Facts { hostnames: Some(Found::these(things)), ..Facts::default() }
        };
        let standing = |source: &Facts, target: &Facts| compare(source, target)[0].standing;
        assert_eq!(standing(&many(40), &many(40)), Standing::Alike);
        assert_eq!(standing(&many(40), &many(41)), Standing::Differs);
    }

    #[test]
    fn ties_are_told_unless_the_target_has_the_identity() {
        let tie = |path: &str| Tie { path: path.to_owned(), region: None, host: None, vault: None };
        let ties = vec![
            Tie {
                region: Some("West Europe".to_owned()),
                host: Some("contoso.azure-api.net".to_owned()),
                ..tie("backends/b")
            },
            Tie { vault: Some(Vault { identity: None }), ..tie("namedValues/own") },
            Tie { vault: Some(Vault { identity: Some("AB-1".to_owned()) }), ..tie("namedValues/known") },
            Tie { vault: Some(Vault { identity: Some("AB-2".to_owned()) }), ..tie("certificates/unknown") },
        ];
        let target = Facts { identities: these(&[&user_assigned("ab-1")]), ..Facts::default() };
        expect![[r#"
            backends/b names the region West Europe and names the host contoso.azure-api.net
            certificates/unknown is read from a key vault with the identity AB-2, which the target is not known to have
            namedValues/own is read from a key vault with the service's own identity, which is another one on the target"#]]
        .assert_eq(&binding(&Ties::of(ties, Vec::new()), &target).join("\n"));
    }

    #[test]
    fn ties_that_are_not_named_or_were_not_looked_for_are_told_as_well() {
        let host = |number: u32| Tie {
            path: format!("backends/{number:03}"),
            region: Some("West Europe".to_owned()),
            host: None,
            vault: None,
        };
        let ties = Ties::of((0..103).rev().map(host).collect(), vec!["loggers: HTTP 429".to_owned()]);
        let told = binding(&ties, &Facts::default());
        assert_eq!(told.len(), 102);
        assert_eq!(told[0], "backends/000 names the region West Europe");
        assert_eq!(told[100], "3 more such values, which are not named here");
        assert_eq!(told[101], "not looked for in loggers: HTTP 429");
    }
}
