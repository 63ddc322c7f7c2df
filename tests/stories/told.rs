//! What a person who ran a function by hand is told of a service.

use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

#[test]
fn how_a_primary_stands() {
    let mut story = Story::of_primary();
    story.stands("01:59");
    story.tick("02:00").look(finds("Succeeded")).stands("02:01");
    story.look(finds("Succeeded")).answer(accepted("op-1")).stands("02:10");
    story.tick("02:20").poll(ended()).stands("02:20");
    story.inspect(found()).stands("02:20");
    story.write(apim_dr::domain::observation::WriteOnce::Written).stands("03:00");
    story
        .tick("11T02:00")
        .look(finds("Succeeded"))
        .look(finds("Succeeded"))
        .answer(refused())
        .stands("11T02:05");
    story.check(expect![[r#"
        01:59 contoso: nothing runs
        02:00 A Idle + resumed -> Idle, look for contoso@02:00
        02:00 A Idle + look Succeeded -> Inventory, again
        02:00 A Inventory(read, by A) + joined -> Requested(by A), look for contoso@02:00 | inventory.taken backup.requested
        02:01 contoso: backup contoso-20260310T020000Z requested for 1 min
        02:00 A Requested(by A) + look Succeeded -> Requested(by A), POST backup contoso@02:00
        02:00 A Requested(by A) + 202 op-1 -> Running(op-1), rest | backup.accepted
        02:10 contoso: backup contoso-20260310T020000Z running for 10 min
        02:20 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:20 B Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        02:20 contoso: backup contoso-20260310T020000Z ended, being proven for 20 min
        02:20 B Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
        02:20 contoso: backup contoso-20260310T020000Z proven, writing the manifest for 20 min
        02:20 B Committing + written -> Idle, again | backup.verified {backups: contoso@02:00; last verified: contoso@02:00; covered: 02:00; aside: inventory after of contoso@02:00; closed: verified contoso@02:00}
        02:20 B Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
        03:00 contoso: nothing runs; last verified backup contoso-20260310T020000Z, 60 min old
        11T02:00 C Idle + resumed -> Idle, look for contoso@11T02:00
        11T02:00 C Idle + look Succeeded -> Inventory, again {aside: -}
        11T02:00 C Inventory(read, by C) + joined -> Requested(by C), look for contoso@11T02:00 | inventory.taken backup.requested
        11T02:00 C Requested(by C) + look Succeeded -> Requested(by C), POST backup contoso@11T02:00
        11T02:00 C Requested(by C) + 400 InvalidParameters -> Idle, again | backup.failed {backup failures: 1, again from 11T02:05; closed: verified contoso@02:00, failed contoso@11t02:00}
        11T02:00 C Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
        11T02:05 contoso: nothing runs; last verified backup contoso-20260310T020000Z, 1445 min old; last failure at 2026-03-11T02:00:00Z: Azure refused the backup: HTTP 400 InvalidParameters: the storage account is not reachable
    "#]]);
}

#[test]
fn how_a_secondary_stands() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("02:00")).stands("02:30");
    story.drive().look(finds("Updating")).stands("02:30");
    story.tick("02:31").look(finds("Succeeded")).stands("02:31");
    story.look(finds("Succeeded")).answer(accepted("op-1")).stands("02:40");
    story.tick("02:50").poll(ended()).stands("02:51");
    story.restore_runs("03:00", manifest("02:55")).tick("03:10").poll(ended_badly()).stands("03:11");
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00; seen: 02:00}
        02:30 contoso-dr: nothing runs; contoso-20260310T020000Z is to be restored
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Updating -> Idle, rest | restore.deferred {deferred: since 02:30: the service is Updating by somebody else}
        02:30 contoso-dr: nothing runs; contoso-20260310T020000Z waits to be restored: the service is Updating by somebody else
        02:31 B Idle + resumed -> Idle, look for contoso@02:00
        02:31 B Idle + look Succeeded -> Requested(by B), look for contoso@02:00 | restore.requested {deferred: -}
        02:31 contoso-dr: restore of contoso-20260310T020000Z requested for 0 min; contoso-20260310T020000Z is to be restored
        02:31 B Requested(by B) + look Succeeded -> Requested(by B), POST restore contoso@02:00
        02:31 B Requested(by B) + 202 op-1 -> Running(op-1), rest | restore.accepted {ours: yes}
        02:40 contoso-dr: restore of contoso-20260310T020000Z running for 9 min; contoso-20260310T020000Z is to be restored
        02:50 C Running(op-1) + resumed -> Running(op-1), poll op-1
        02:50 C Running(op-1) + poll 200 -> Verifying, again | restore.ended
        02:50 C Verifying(by C) + compared -> Idle, write history/contoso-dr/20260310T023100Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; wish: -; closed: unverified contoso@02:00}
        02:51 contoso-dr: nothing runs; holds contoso-20260310T020000Z, not compared: the backup has no inventory to compare with
        03:00 D Idle + manifest contoso@02:55 -> Idle, rest | restore.wished {wish: contoso@02:55; seen: 02:55}
        03:00 D Idle + resumed -> Idle, look for contoso@02:55
        03:00 D Idle + look Succeeded -> Requested(by D), look for contoso@02:55 | restore.requested
        03:00 D Requested(by D) + look Succeeded -> Requested(by D), POST restore contoso@02:55
        03:00 D Requested(by D) + 202 op-1 -> Running(op-1), rest | restore.accepted
        03:10 E Running(op-1) + resumed -> Running(op-1), poll op-1
        03:10 E Running(op-1) + poll 400 BackupRestoreFailed -> Idle, write history/contoso-dr/20260310T023100Z-restore.json | restore.failed {holds: unknown after contoso@02:55; attempts: 1, again from 03:15; restore failures: 1, again from 03:15; closed: unverified contoso@02:00, failed contoso@02:55}
        03:11 contoso-dr: nothing runs; what it holds is unknown: Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written; contoso-20260310T025500Z is to be restored; last failure at 2026-03-10T03:10:00Z: Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written
    "#]]);
}

#[test]
fn the_last_failure_is_told_and_not_the_first() {
    let mut story = Story::of_secondary().having(|story| {
        story.restore_posts("02:30", manifest("02:00")).answer(refused());
        story.offer("02:40", manifest("02:35").with_blob(missing()))
    });
    story.stands("02:41");
    story.check(expect![[r#"
        02:41 contoso-dr: nothing runs; contoso-20260310T020000Z is to be restored; last failure at 2026-03-10T02:40:00Z: contoso-20260310T023500Z is not restored: the blob contoso-20260310T023500Z.apimbackup is gone
    "#]]);
}
