//! Ids that look random and are the same in every run: a test that fails once fails again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

/// A shared source of ids. Clones draw from the same sequence.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    seed: u64,
    drawn: Arc<AtomicU64>,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: Arc::default() }
    }

    /// The next GUID.
    pub(crate) fn guid(&self) -> String {
        let hex = hex(&self.bytes()[..16]);
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }

    /// The next eight hexadecimal digits.
    pub(crate) fn short(&self) -> String {
        hex(&self.bytes()[..4])
    }

    /// The next 32 bytes.
    pub(crate) fn bytes(&self) -> [u8; 32] {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        Sha256::digest(format!("{}:{drawn}", self.seed)).into()
    }
}

/// A GUID that always belongs to `name`.
pub(crate) fn guid_of(name: &str) -> String {
    let hex = hex(&Sha256::digest(name.to_lowercase())[..16]);
    format!("{}-{}-4{}-b{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_never_an_id() {
        let (first, second) = (Ids::new(7), Ids::new(7));
        let drawn = [first.guid(), first.guid(), first.short()];
        assert_eq!(drawn, [second.guid(), second.guid(), second.short()]);
        assert_ne!(drawn[0], drawn[1]);
        assert_eq!(drawn[0].len(), 36);
        assert_eq!(guid_of("Contoso"), guid_of("contoso"));
    }
}
