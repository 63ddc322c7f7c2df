//! The body of an invocation, read as it streams in.
//!
//! The host puts the trigger's value into `Data`, and for a blob that is the blob's whole content in Base64:
//! hundreds of megabytes, if a function is ever bound to a backup. Nothing here needs it, so it passes
//! through in constant memory: a small scanner follows the JSON's strings and brackets and keeps all but a
//! large `Data`.

use serde_json::{Map, Value};

/// Everything outside `Data` has to fit in here; the host's own metadata takes a few kilobytes.
const KEPT_LIMIT: usize = 1024 * 1024;

/// A larger `Data` reads as null. A timer's takes some 200 bytes.
const DATA_LIMIT: usize = 16 * 1024;

/// The parsed body, without a large `Data`.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) data: Value,
    pub(super) metadata: Map<String, Value>,
}

impl Envelope {
    /// Takes the two members that matter. Without metadata there is no time, and nothing can be done.
    pub(super) fn of(mut members: Map<String, Value>) -> Result<Self, String> {
        match members.remove("Metadata") {
            Some(Value::Object(metadata)) => {
                Ok(Self { data: members.remove("Data").unwrap_or_default(), metadata })
            }
            _ => Err("the host's envelope has no Metadata".to_owned()),
        }
    }
}

/// Takes a body in chunks cut anywhere. It never refuses one: the host sends the whole body whatever comes
/// back, so the reasons are given at the end.
#[derive(Debug, Default)]
pub(super) struct EnvelopeReader {
    /// All bytes but those of a large `Data`.
    kept: Vec<u8>,
    overflowed: bool,
    /// The value of `Data` so far, while it is being read.
    data: Option<Data>,
    depth: usize,
    string: Option<InString>,
    /// The key being read or last read at the top level, cut to [`KEY_LIMIT`].
    key: Vec<u8>,
    /// Whether the top level has passed the colon after its key.
    after_colon: bool,
}

#[derive(Debug, Default)]
struct Data {
    bytes: Vec<u8>,
    dropped: bool,
}

/// Inside a string; whether the byte before was a backslash that escapes the next.
#[derive(Clone, Copy, Debug)]
struct InString {
    escaped: bool,
}

const DATA_KEY: &[u8] = b"Data";

/// One more than any key that matters.
const KEY_LIMIT: usize = DATA_KEY.len() + 1;

impl EnvelopeReader {
    /// Takes the next bytes.
    pub(super) fn push(&mut self, mut chunk: &[u8]) {
        while let [first, rest @ ..] = chunk {
            match self.string {
                None => {
                    self.take_structure(*first);
                    chunk = rest;
                }
                Some(InString { escaped: true }) => {
                    self.take_text(&[*first]);
                    self.string = Some(InString { escaped: false });
                    chunk = rest;
                }
                Some(InString { escaped: false }) => chunk = self.take_run(chunk),
            }
        }
    }

    /// Takes a string's bytes up to and with the next quote or backslash; gives back what follows.
    fn take_run<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let special = chunk.iter().position(|byte| matches!(byte, b'"' | b'\\'));
        let (run, rest) = chunk.split_at(special.unwrap_or(chunk.len()));
        self.take_text(run);
        let [special, rest @ ..] = rest else { return rest };
        self.string = match special {
            b'"' => None,
            _ => Some(InString { escaped: true }),
        };
        self.keep(&[*special]);
        rest
    }

    /// Takes bytes that stand inside a string, and notes them if it is a key at the top level.
    fn take_text(&mut self, text: &[u8]) {
        self.keep(text);
        if self.depth == 1 && !self.after_colon {
            let room = KEY_LIMIT.saturating_sub(self.key.len());
            self.key.extend_from_slice(&text[..text.len().min(room)]);
        }
    }

    /// Takes a byte that stands outside strings.
    fn take_structure(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.string = Some(InString { escaped: false });
                if self.depth == 1 && !self.after_colon {
                    self.key.clear();
                }
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                if self.depth == 1 {
                    self.end_member();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            b',' if self.depth == 1 => self.end_member(),
            b':' if self.depth == 1 => return self.begin_value(),
            _ => {}
        }
        self.keep(&[byte]);
    }

    fn begin_value(&mut self) {
        self.keep(b":");
        self.after_colon = true;
        if self.key == DATA_KEY {
            self.data = Some(Data::default());
        }
    }

    /// A member of the top level is over: its key no longer counts, and a small `Data` is kept after all.
    fn end_member(&mut self) {
        self.after_colon = false;
        self.key.clear();
        if let Some(data) = self.data.take() {
            self.keep(if data.dropped { b"null" } else { &data.bytes });
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        match &mut self.data {
            Some(data) if data.dropped => {}
            Some(data) if data.bytes.len() + bytes.len() > DATA_LIMIT => {
                *data = Data { bytes: Vec::new(), dropped: true };
            }
            Some(data) => data.bytes.extend_from_slice(bytes),
            None if self.overflowed || self.kept.len() + bytes.len() > KEPT_LIMIT => self.overflowed = true,
            None => self.kept.extend_from_slice(bytes),
        }
    }

    /// Parses what was kept. Fails with the reason, which repeats nothing of the body: it may hold a
    /// blob's address with a signature.
    pub(super) fn finish(self) -> Result<Envelope, String> {
        if self.overflowed {
            return Err(format!("the host's envelope holds more than {KEPT_LIMIT} bytes besides its Data"));
        }
        let members = serde_json::from_slice(&self.kept).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("the body is not the host's envelope of Data and Metadata (line {line}, column {column})")
        })?;
        Envelope::of(members)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<Envelope, String> {
        let mut reader = EnvelopeReader::default();
        chunks.into_iter().for_each(|chunk| reader.push(chunk));
        reader.finish()
    }

    fn read_text(text: &str) -> Envelope {
        read([text.as_bytes()]).unwrap()
    }

    /// Keys named Data elsewhere, escapes, brackets in strings, and text beyond ASCII.
    const TRICKY: &str = r#" { "Data" : {"manifest":"a\\\"}{][,:\u00e9é", "Data": [1,{"x":"\\"}]},
        "Metadata":{"Data":"\"kept\"","Uri":"\"http:\/\/h\/c\/b\"","n":[{"a":"]"}]}, "Other": "Data" } "#;

    #[test]
    fn a_small_envelope_is_kept_whole() {
        let envelope = read_text(TRICKY);
        assert_eq!(envelope.data, json!({ "manifest": "a\\\"}{][,:éé", "Data": [1, { "x": "\\" }] }));
        assert_eq!(
            Value::Object(envelope.metadata),
            json!({ "Data": "\"kept\"", "Uri": "\"http://h/c/b\"", "n": [{ "a": "]" }] })
        );
    }

    #[test]
    fn where_the_body_is_cut_changes_nothing() {
        let whole = format!("{:?}", read_text(TRICKY));
        let bytes = TRICKY.as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let parts = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(format!("{:?}", read(parts).unwrap()), whole, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn a_large_data_reads_as_null_and_takes_no_memory() {
        for (open, close) in [("\"", "\""), ("{\"manifest\":\"", "\"}"), ("[\"", "\\\"\"]")] {
            let mut reader = EnvelopeReader::default();
            reader.push(format!("{{\"Data\":{open}").as_bytes());
            let block = vec![b'A'; 64 * 1024];
            for _ in 0..64 {
                reader.push(&block);
                let held =
                    reader.kept.capacity() + reader.data.as_ref().map_or(0, |data| data.bytes.capacity());
                assert!(held <= 2 * DATA_LIMIT, "{held} bytes held");
            }
            reader.push(format!("{close},\"Metadata\":{{\"a\":1}}}}").as_bytes());
            let envelope = reader.finish().unwrap();
            assert_eq!(envelope.data, Value::Null);
            assert_eq!(envelope.metadata["a"], 1);
        }
    }

    #[test]
    fn data_is_kept_up_to_its_limit() {
        for (length, kept) in [(DATA_LIMIT - 2, true), (DATA_LIMIT - 1, false)] {
            let envelope = read_text(&format!("{{\"Data\":\"{}\",\"Metadata\":{{}}}}", "A".repeat(length)));
            assert_eq!(envelope.data.is_string(), kept, "{length}");
        }
    }

    #[test]
    fn data_may_come_last_or_not_at_all() {
        let last = read_text(r#"{"Metadata":{"a":1},"Data":{"timer":2}}"#);
        assert_eq!((last.data, last.metadata["a"].clone()), (json!({ "timer": 2 }), json!(1)));
        let bare = read_text(r#"{"Metadata":{}}"#);
        assert_eq!((bare.data, bare.metadata), (Value::Null, Map::new()));
    }

    #[test]
    fn what_is_no_envelope_is_refused_without_repeating_it() {
        let no_object = ["", "[]", "null", "secret", "{\"Data\":", "{\"Data\":[}}", "}{", "{} secret"];
        let no_object = no_object.map(|body| (body, "not the host's envelope"));
        let no_metadata = ["{}", "{\"Metadata\":\"secret\"}", "{\"Metadata\":null}", "{\"Data\":{}}"];
        let no_metadata = no_metadata.map(|body| (body, "has no Metadata"));
        for (body, what) in no_object.into_iter().chain(no_metadata) {
            let error = read([body.as_bytes()]).unwrap_err();
            assert!(error.contains(what), "{body}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn too_much_besides_data_is_read_to_its_end_and_refused() {
        let mut reader = EnvelopeReader::default();
        reader.push(b"{\"Metadata\":{\"a\":\"");
        let block = vec![b'A'; 64 * 1024];
        for _ in 0..64 {
            reader.push(&block);
            assert!(reader.kept.capacity() <= 2 * KEPT_LIMIT);
        }
        reader.push(b"\"}}");
        assert!(reader.finish().unwrap_err().contains("1048576 bytes besides its Data"));
    }
}
