//! The stored inventory: a JSON document that can be read line by line. Its head stands on the first line, then each
//! entity on one of its own, in the fixed order.

use serde::{Deserialize, Serialize};

use super::{ContentDigest, Counts, Depth, Entity, LAYOUT, Unread};
use crate::domain::id::ServiceId;
use crate::domain::unprotected::{Facts, Ties};
use crate::domain::vocabulary::{BackupName, Digest, Timestamp};

/// The version this program writes, and the newest that it reads.
pub const VERSION: u32 = 1;

/// What the first line ends with, and the last one is.
const OPENING: &str = ",\"entities\":{\n";
const CLOSING: &str = "}}\n";

/// What an inventory says before its entities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    pub version: u32,
    pub layout: u32,
    pub service: ServiceId,
    /// The backup that it belongs to.
    pub backup: BackupName,
    pub depth: Depth,
    /// When it was begun: nothing in it is older.
    pub taken_at: Timestamp,
    pub counts: Counts,
    /// What could not be read, and is not compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
    /// What of the service a backup leaves behind.
    #[serde(default)]
    pub facts: Facts,
    /// Values that a restore takes along although they belong to this service or its region.
    #[serde(flatten)]
    pub ties: Ties,
    /// The version of the program that wrote it.
    pub writer: String,
}

impl Head {
    /// The first line of the document.
    pub fn line(&self) -> String {
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.pop();
        line + OPENING
    }

    /// Reads the first line of a document, and says where the entities begin. The error says why this cannot be
    /// compared with.
    pub fn read(document: &[u8]) -> Result<(Self, u64), String> {
        let end = document.iter().position(|byte| *byte == b'\n').ok_or("its first line has no end")? + 1;
        let line =
            std::str::from_utf8(&document[..end]).map_err(|error| format!("it is no text: {error}"))?;
        let line = line.strip_suffix(OPENING).ok_or("its first line does not lead to entities")?;
        let whole = format!("{line}}}");
        let Versions { version, layout } =
            serde_json::from_str(&whole).map_err(|error| format!("it is not an inventory: {error}"))?;
        if version > VERSION || layout != LAYOUT {
            return Err(format!(
                "it has version {version} and layout {layout}, and this program compares version {VERSION} and layout \
                 {LAYOUT}: another apim-dr took it"
            ));
        }
        let head = serde_json::from_str(&whole).map_err(|error| format!("it cannot be read: {error}"))?;
        Ok((head, end as u64))
    }
}

#[derive(Deserialize)]
struct Versions {
    version: u32,
    layout: u32,
}

/// One line of a document below its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Entity(Entity),
    /// The last one.
    End,
}

impl Entity {
    /// The entity's line, as it stands in a chunk: the last comma of a document is taken away when it is joined.
    pub fn line(&self) -> String {
        let path = serde_json::Value::from(self.path.as_str());
        format!("{path}:\"{}\",\n", self.digest)
    }
}

impl Line {
    /// Reads a line, with or without its line end.
    pub fn read(line: &str) -> Result<Self, String> {
        if line.trim_end() == CLOSING.trim_end() {
            return Ok(Self::End);
        }
        let pair = line.trim_end().trim_end_matches(',');
        let (path, digest) = pair.rsplit_once(':').ok_or("a line has no digest")?;
        let path: String =
            serde_json::from_str(path).map_err(|error| format!("a line has no path: {error}"))?;
        let digest = digest.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let digest = digest.and_then(ContentDigest::parse).ok_or_else(|| format!("{path} has no digest"))?;
        Ok(Self::Entity(Entity { path, digest }))
    }
}

/// The end of a document, given how its last chunk ends.
pub fn close(last_chunk: &mut Vec<u8>) {
    if last_chunk.ends_with(b",\n") {
        last_chunk.truncate(last_chunk.len() - 2);
        last_chunk.push(b'\n');
    }
    last_chunk.extend_from_slice(CLOSING.as_bytes());
}

/// A digest over entities that goes on from one invocation to the next: each step digests the one before it and what
/// has been read since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Chain(Digest);

impl Default for Chain {
    fn default() -> Self {
        Self(Digest::of(b""))
    }
}

impl Chain {
    /// Takes in one more entity.
    pub fn take(&mut self, entity: &Entity) {
        self.0 = Digest::of(format!("{} {}", self.0, entity.line()).as_bytes());
    }

    /// What stands for everything that was taken in.
    pub fn digest(&self) -> &Digest {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::inventory::content::{Folding, digest_of};

    fn head() -> Head {
        let service = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ApiManagement/service/contoso";
        Head {
            version: VERSION,
            layout: LAYOUT,
            service: service.parse().unwrap(),
            backup: BackupName::parse("contoso-20260310T020000Z").unwrap(),
            depth: Depth::Deep,
            taken_at: Timestamp::new(time::OffsetDateTime::UNIX_EPOCH),
            counts: Counts { apis: 1, products: 0, entities: 2 },
            unread: Vec::new(),
            facts: Facts::default(),
            ties: Ties::default(),
            writer: "0".to_owned(),
        }
    }

    fn entity(path: &str) -> Entity {
        Entity { path: path.to_owned(), digest: digest_of(path, &json!({}), &Folding::of([])) }
    }

    fn document(entities: &[Entity]) -> String {
        let mut body = entities.iter().map(Entity::line).collect::<String>().into_bytes();
        close(&mut body);
        head().line() + std::str::from_utf8(&body).unwrap()
    }

    #[test]
    fn a_document_is_json_and_reads_line_by_line() {
        let entities = [entity("apis/a\"b:c"), entity("users/1")];
        let text = document(&entities);
        expect![[r#"
            {"version":1,"layout":1,"service":"/subscriptions/s/resourceGroups/rg/providers/Microsoft.ApiManagement/service/contoso","backup":"contoso-20260310T020000Z","depth":"deep","takenAt":"1970-01-01T00:00:00Z","counts":{"apis":1,"products":0,"entities":2},"facts":{},"writer":"0","entities":{
            "apis/a\"b:c":"44136fa355b3678a1146ad16f7e8649e",
            "users/1":"44136fa355b3678a1146ad16f7e8649e"
            }}
        "#]].assert_eq(&text);
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["entities"]["users/1"], "44136fa355b3678a1146ad16f7e8649e");
        let (read, begin) = Head::read(text.as_bytes()).unwrap();
        assert_eq!(read, head());
        let lines: Vec<_> = text[begin as usize..].lines().map(|line| Line::read(line).unwrap()).collect();
        let [one, other] = entities;
        assert_eq!(lines, [Line::Entity(one), Line::Entity(other), Line::End]);
    }

    #[test]
    fn an_empty_inventory_is_a_document_too() {
        let text = document(&[]);
        assert!(serde_json::from_str::<Value>(&text).unwrap()["entities"].as_object().unwrap().is_empty());
        let (_, begin) = Head::read(text.as_bytes()).unwrap();
        assert_eq!(Line::read(&text[begin as usize..]), Ok(Line::End));
    }

    #[test]
    fn what_is_no_inventory_of_this_layout_says_why() {
        let text = document(&[entity("apis/a")]);
        let why = |text: &str| Head::read(text.as_bytes()).unwrap_err();
        expect!["its first line has no end"].assert_eq(&why(""));
        expect!["its first line does not lead to entities"].assert_eq(&why("{}\n"));
        expect!["it has version 1 and layout 2, and this program compares version 1 and layout 1: another apim-dr took it"]
            .assert_eq(&why(&text.replace("\"layout\":1", "\"layout\":2")));
        expect!["it has version 2 and layout 1, and this program compares version 1 and layout 1: another apim-dr took it"]
            .assert_eq(&why(&text.replace("\"version\":1", "\"version\":2")));
        expect!["it cannot be read: missing field `service` at line 1 column 270"]
            .assert_eq(&why(&text.replace("\"service\"", "\"of\"")));
        expect!["a line has no digest"].assert_eq(&Line::read("x").unwrap_err());
        expect!["apis/a has no digest"].assert_eq(&Line::read("\"apis/a\":\"0f\",").unwrap_err());
        expect!["a line has no path: expected value at line 1 column 1"]
            .assert_eq(&Line::read("apis/a:\"44136fa355b3678a1146ad16f7e8649e\",").unwrap_err());
    }

    #[test]
    fn a_chain_tells_order_and_content_apart() {
        let chain = |paths: &[&str]| {
            let mut chain = Chain::default();
            paths.iter().for_each(|path| chain.take(&entity(path)));
            chain
        };
        assert_eq!(chain(&["apis/a", "users/1"]), chain(&["apis/a", "users/1"]));
        assert_ne!(chain(&["apis/a", "users/1"]), chain(&["users/1", "apis/a"]));
        assert_ne!(chain(&["apis/a"]), chain(&[]));
    }
}
