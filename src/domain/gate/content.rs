//! What a target holds may stand in the way of a restore by itself: a stranger's content, or changes that users may
//! have made while nobody watched.

use crate::domain::decision::Context;
use crate::domain::observation::{Asking, ContentLook, Looks, Strangers};
use crate::domain::record::{By, Holds, InventoryPlace, Record, RestoreWish};
use crate::domain::vocabulary::{Digest, Timestamp, counted};

/// What has to be known of the target's content before the wish may be fulfilled. By hand everything passes.
pub fn asking(context: &Context, record: &Record, wish: &RestoreWish) -> Asking {
    if wish.by == By::Hand {
        return Asking::Nothing;
    }
    match (is_ours(record), unwatched(context, record).is_some()) {
        (true, false) => Asking::Nothing,
        (true, true) => Asking::Lists,
        (false, false) => Asking::Strangers(inventory_of(wish)),
        (false, true) => Asking::Both(inventory_of(wish)),
    }
}

fn inventory_of(wish: &RestoreWish) -> Option<InventoryPlace> {
    let inventory = wish.source.inventory.clone()?;
    Some(InventoryPlace { container: wish.source.container.clone(), inventory })
}

/// Whether what the service holds is of our making: Azure named an operation of a restore of ours once.
fn is_ours(record: &Record) -> bool {
    record.ours || matches!(record.holds, Holds::Backup(_))
}

/// Up to when nobody watched who serves, if that was after the last restore began and after the last `resume`. Azure may
/// have ended the restore long before that was seen, so what users did since it began may stand.
pub fn unwatched(context: &Context, record: &Record) -> Option<Timestamp> {
    unwatched_since(context, restored_from(record)?)
}

/// When the last restore began; where an older version did not write that down, when its end was known.
pub fn restored_from(record: &Record) -> Option<Timestamp> {
    let known_at = match &record.holds {
        Holds::Nothing => return None,
        Holds::Backup(held) => held.restored_at,
        Holds::Unknown { since, .. } => *since,
    };
    Some(record.restore_began_at.unwrap_or(known_at))
}

/// The same of a restore that began at `began_at`.
pub fn unwatched_since(context: &Context, began_at: Timestamp) -> Option<Timestamp> {
    let watched_from = context.resumed_at.map_or(began_at, |resumed| resumed.max(began_at));
    context.blind_until.filter(|until| *until > watched_from)
}

/// What the target's content has against the restore, by what was just looked at.
pub(super) fn objects(
    context: &Context,
    (record, wish): (&Record, &RestoreWish),
    looks: &Looks,
) -> Option<String> {
    let service = context.service.name();
    match (asking(context, record, wish), looks.content.as_ref()) {
        (Asking::Nothing, _) => None,
        (Asking::Strangers(_), Some(Ok(ContentLook::Strangers(found)))) => strange(context, found),
        (Asking::Lists, Some(Ok(ContentLook::Lists(now)))) => changed(context, record, now),
        (Asking::Both(_), Some(Ok(ContentLook::Both(found, now)))) => {
            strange(context, found).or_else(|| changed(context, record, now))
        }
        (_, Some(Err(why))) => Some(format!(
            "what {service} holds cannot be looked at, and may be somebody else's: {why}. If it may be overwritten all the \
             same, restore a backup by hand"
        )),
        (_, Some(Ok(_)) | None) => Some(format!("what {service} holds was not looked at")),
    }
}

fn strange(context: &Context, strangers: &Strangers) -> Option<String> {
    let (service, what) = (context.service.name(), strangers.in_words()?);
    Some(format!(
        "nothing of ours was ever restored into {service}, and it holds {what} that the backup lacks: if that may be \
         overwritten, restore a backup by hand once"
    ))
}

impl Strangers {
    fn in_words(&self) -> Option<String> {
        let kinds = [(self.apis, "API"), (self.products, "product")];
        let counted =
            kinds.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| counted(count, what));
        let counted: Vec<_> = counted.collect();
        (!counted.is_empty()).then(|| format!("{} ({})", counted.join(" and "), self.some.join(", ")))
    }
}

fn changed(context: &Context, record: &Record, now: &Digest) -> Option<String> {
    let until = unwatched(context, record)?;
    let (backup, then) = match &record.holds {
        Holds::Nothing => return None,
        Holds::Backup(held) => (&held.backup, held.lists.as_ref()),
        Holds::Unknown { backup, lists, .. } => (backup, lists.as_ref()),
    };
    let what = match then {
        Some(then) if then == now => return None,
        Some(_) => "has changed",
        None => "may have changed (its lists were not read then)",
    };
    Some(format!(
        "up to {until} nobody could tell who carries the traffic, and {} {what} since {backup} was restored into it: users \
         may have been there. If what is there now may be overwritten, restore a backup by hand or say `resume`",
        context.service.name()
    ))
}
