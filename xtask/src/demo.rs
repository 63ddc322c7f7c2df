//! `cargo xtask demo`: from an empty standby to a verified one, an outage, and the way back, in simulated time.

mod acts;
mod comparison;
mod stage;
mod timeline;

pub(crate) use stage::{LONGEST_ACT, holds_a_backup, services};

use std::time::Instant;

use crate::shell::{self, Done};

/// Builds, plays every act, and fails if one does not come out as it should.
pub(crate) fn run() -> Done {
    shell::run(&["cargo", "build", "--quiet", "--locked", "--package", "apim-dr", "--bin", "apim-dr"])?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(show())
}

async fn show() -> Done {
    let began = Instant::now();
    let stage = stage::Stage::set().await?;
    acts::play(&stage).await?;
    stage.clear().await;
    println!("\nIt took {:.1} s.", began.elapsed().as_secs_f64());
    Ok(())
}
