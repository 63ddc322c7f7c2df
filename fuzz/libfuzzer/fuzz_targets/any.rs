//! Feeds the target that `APIM_DR_FUZZ` names.
#![no_main]

use std::sync::LazyLock;

use apim_dr_fuzz::{TARGETS, Target, target};
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("APIM_DR_FUZZ").unwrap_or_default();
    let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    target(&name).unwrap_or_else(|| panic!("APIM_DR_FUZZ is {name:?}: set it to one of {}", names.join(", ")))
});

fuzz_target!(|bytes: &[u8]| (TARGET.feed)(bytes));
