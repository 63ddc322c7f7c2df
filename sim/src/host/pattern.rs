//! The path of a blob trigger: a container, and a pattern with tokens for the blob's name.

use std::collections::BTreeMap;

/// A compiled path such as `backups/{name}.manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) container: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Token(String),
}

impl Pattern {
    /// Compiles a path whose settings are already in place.
    ///
    /// # Errors
    /// When the container holds a token, a token does not end, or no blob is named.
    pub(super) fn parse(path: &str) -> Result<Self, String> {
        let needs_both = || format!("Invalid blob trigger path '{path}': it names no blob.");
        let (container, blob) = path.split_once('/').ok_or_else(needs_both)?;
        if container.contains(['{', '}']) || container.is_empty() {
            return Err(format!("Invalid blob trigger path '{path}': the container takes no token."));
        }
        let mut parts = Vec::new();
        let mut rest = blob;
        while let Some((literal, after)) = rest.split_once('{') {
            let unclosed = || format!("Invalid blob trigger path '{path}': a token does not end.");
            let (token, after) = after.split_once('}').ok_or_else(unclosed)?;
            parts.push(Part::Literal(literal.to_owned()));
            parts.push(Part::Token(token.to_owned()));
            rest = after;
        }
        parts.push(Part::Literal(rest.to_owned()));
        Ok(Self { container: container.to_owned(), parts })
    }

    /// The tokens' values if `blob` fits from its first to its last character. Tokens take as much as they
    /// can, slashes included; case counts.
    pub(super) fn tokens(&self, blob: &str) -> Option<BTreeMap<String, String>> {
        fit(&self.parts, blob)
    }
}

fn fit(parts: &[Part], text: &str) -> Option<BTreeMap<String, String>> {
    let Some((first, rest)) = parts.split_first() else {
        return text.is_empty().then(BTreeMap::new);
    };
    match first {
        Part::Literal(literal) => fit(rest, text.strip_prefix(literal.as_str())?),
        Part::Token(name) => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]).rev();
            let mut fits = ends.filter_map(|end| {
                let mut tokens = fit(rest, &text[end..])?;
                tokens.insert(name.clone(), text[..end].to_owned());
                Some(tokens)
            });
            fits.next()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(blob: &str) -> Option<String> {
        let pattern = Pattern::parse("backups/{name}.manifest.json").unwrap();
        pattern.tokens(blob).map(|tokens| tokens["name"].clone())
    }

    #[test]
    fn a_token_takes_all_it_can() {
        assert_eq!(name("contoso-1.manifest.json").as_deref(), Some("contoso-1"));
        assert_eq!(name("a/b c.manifest.json").as_deref(), Some("a/b c"));
        assert_eq!(name("x.manifest.json.manifest.json").as_deref(), Some("x.manifest.json"));
        assert_eq!(name(".manifest.json").as_deref(), Some(""));
        assert_eq!(name("x.Manifest.json"), None);
        assert_eq!(name("x.manifest.json.tmp"), None);
    }

    #[test]
    fn several_tokens_share_a_name() {
        let pattern = Pattern::parse("b/{a}-{b}.json").unwrap();
        let tokens = pattern.tokens("x-y-z.json").unwrap();
        assert_eq!((&*tokens["a"], &*tokens["b"]), ("x-y", "z"));
    }

    #[test]
    fn a_container_takes_no_token() {
        assert!(Pattern::parse("{container}/{name}").is_err());
        assert!(Pattern::parse("b/{name").is_err());
        assert!(Pattern::parse("b").is_err());
    }
}
