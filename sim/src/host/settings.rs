//! The app settings, as the host looks them up.

use std::collections::BTreeMap;

/// Settings by name. The host does not tell upper from lower case, and an empty value is none.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings(BTreeMap<String, String>);

impl Settings {
    pub(super) fn new(given: &BTreeMap<String, String>) -> Self {
        let set = given.iter().filter(|(_, value)| !value.is_empty());
        Self(set.map(|(name, value)| (name.to_lowercase(), value.clone())).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_lowercase()).map(String::as_str)
    }

    /// Replaces every `%SETTING%`.
    ///
    /// # Errors
    /// Names the first setting that is not set.
    pub(super) fn expand(&self, text: &str) -> Result<String, String> {
        let mut parts = text.split('%');
        let mut expanded = parts.next().unwrap_or_default().to_owned();
        while let (Some(name), rest) = (parts.next(), parts.next()) {
            let Some(rest) = rest else {
                // A lone percent sign stands for itself.
                return Ok(format!("{expanded}%{name}"));
            };
            expanded += self.get(name).ok_or_else(|| format!("'%{name}%' does not resolve to a value."))?;
            expanded += rest;
        }
        Ok(expanded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_found_in_any_case_unless_they_are_empty() {
        let given = [("BACKUP_CONTAINER", "b"), ("EMPTY", "")];
        let settings = Settings::new(&given.map(|(n, v)| (n.to_owned(), v.to_owned())).into());
        assert_eq!(settings.expand("%backup_container%/{name}.json").as_deref(), Ok("b/{name}.json"));
        assert_eq!(settings.expand("100%"), Ok("100%".to_owned()));
        assert_eq!(settings.expand("a%EMPTY%"), Err("'%EMPTY%' does not resolve to a value.".to_owned()));
    }
}
