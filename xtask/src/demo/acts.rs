//! The acts, one after the other. Each says what it shows, and fails if it does not come out so.

use std::fs;

use super::comparison;
use super::stage::{HELD, Stage};
use super::timeline::act;
use crate::shell::{Done, built};

/// What somebody changes on the secondary while it serves.
const CHANGE: &str = "<policies><inbound><base /><!-- a quick fix during the outage --></inbound></policies>";

/// What somebody changes on the secondary while nobody looks.
const MISTAKE: &str = "<policies><inbound><return-response /></inbound></policies>";

/// What somebody deletes there.
const DELETED: &str = "namedValues/shipments-url";

/// Plays every act.
pub(super) async fn play(stage: &Stage) -> Done {
    println!("\nPrimary {}, secondary {}: both simulated, as is the time.", stage.primary, stage.secondary);
    examination(stage)?;
    first_standby(stage).await?;
    changed_by_hand(stage).await?;
    outage(stage).await?;
    held_back(stage).await?;
    way_back(stage).await?;
    page(stage).await
}

fn examination(stage: &Stage) -> Done {
    act("Before anything is begun", "$ apim-dr doctor      (what is in order is left out here)");
    let told = stage.program(&["doctor"])?;
    told.lines().filter(|line| !line.starts_with("ok ")).for_each(|line| println!("{line}"));
    Ok(())
}

async fn first_standby(stage: &Stage) -> Done {
    act(
        "A first standby",
        "There has never been a backup, so one is due; its manifest's arrival starts the restore.",
    );
    stage.until(&stage.secondary, &HELD).await?;
    show_comparison(stage).await?;
    // The simulator has counted for itself.
    match stage.cloud().differences(&stage.primary, &stage.secondary).is_alike() {
        true => Ok(()),
        false => Err("the secondary does not hold what the primary holds".into()),
    }
}

async fn changed_by_hand(stage: &Stage) -> Done {
    act(
        "Somebody changes the standby",
        "What it holds is compared again every few hours, so that a failover finds no surprise.",
    );
    let secondary = stage.cloud().service(&stage.secondary);
    secondary.set_policy("apis/orders", MISTAKE);
    secondary.remove(DELETED);
    stage.say(
        "somebody",
        &format!("edits the policy of the API `orders` on the secondary, and deletes {DELETED}"),
    );
    stage.until(&stage.secondary, &["standby.mismatched"]).await?;
    show_comparison(stage).await?;
    stage.say("operator", "leaves it: the next backup is restored over it");
    stage.until(&stage.secondary, &HELD).await?;
    Ok(())
}

/// The comparison as the handler keeps it in the secondary's record.
async fn show_comparison(stage: &Stage) -> Done {
    let record = stage.document(&format!("services/{}.json", stage.secondary)).await?;
    let record = serde_json::from_slice(&record).map_err(|error| error.to_string())?;
    println!("\n{}", comparison::table(&record)?);
    Ok(())
}

async fn outage(stage: &Stage) -> Done {
    act(
        "An outage",
        "The primary's gateway fails. Traffic Manager notices by itself, and so does the handler.",
    );
    stage.cloud().service(&stage.primary).gateway_down();
    stage.say(&stage.primary, "its gateway no longer answers");
    stage.until(&stage.primary, &["failover.latched"]).await?;
    stage.cloud().service(&stage.secondary).set_policy("apis/orders", CHANGE);
    stage.say("operator", "mends the policy of the API `orders` on the secondary, which serves now");
    stage.until(&stage.secondary, &["backup.verified"]).await?;
    Ok(())
}

async fn held_back(stage: &Stage) -> Done {
    act(
        "The outage ends",
        "Traffic returns by itself, the schedule backs the primary up again, and its restore is held back: it would \
         overwrite what was changed meanwhile.",
    );
    stage.cloud().service(&stage.primary).gateway_up();
    stage.say(&stage.primary, "its gateway answers again");
    stage.until(&stage.primary, &["failover.returned"]).await?;
    stage.until(&stage.secondary, &["restore.deferred"]).await?;
    match has_change(stage, &stage.secondary) {
        true => Ok(()),
        false => Err("what was changed on the secondary was overwritten".into()),
    }
}

async fn way_back(stage: &Stage) -> Done {
    act(
        "Failing back",
        "The operator brings the change to the primary, and says that it is to be followed again.",
    );
    let traffic = stage.cloud().traffic_manager();
    traffic.disable(&stage.primary);
    stage.say("operator", "disables the primary's endpoint");
    stage.until_serving(&stage.secondary).await?;
    stage.minutes(1).await?;
    stage.by_hand("BackupTimer", "now").await?;
    let backup = stage.until(&stage.secondary, &["backup.verified"]).await?;
    stage.restore_by_hand(&backup).await?;
    stage.until(&stage.primary, &HELD).await?;
    traffic.enable(&stage.primary);
    stage.say("operator", "enables the primary's endpoint");
    stage.until_serving(&stage.primary).await?;
    stage.minutes(1).await?;
    stage.by_hand("BackupTimer", "resume").await?;
    stage.until(&stage.secondary, &HELD).await?;
    let both = has_change(stage, &stage.primary) && has_change(stage, &stage.secondary);
    if both { Ok(()) } else { Err("the change did not come back".into()) }
}

fn has_change(stage: &Stage, service: &str) -> bool {
    let content = stage.cloud().service(service).content();
    content.get("apis/orders/policies/policy").is_some_and(|policy| policy.properties["value"] == CHANGE)
}

async fn page(stage: &Stage) -> Done {
    stage.minutes(1).await?;
    act("How it stands", "$ apim-dr status");
    println!("{}", stage.program(&["status"])?);
    let page = stage.document(&format!("status/{}.html", stage.primary)).await?;
    let path = built("demo-status.html");
    fs::write(&path, page).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("The same as a page: {}", path.display());
    Ok(())
}
