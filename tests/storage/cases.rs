//! The cases. Each has two containers of its own, which do not exist yet.

use apim_dr::azure::{Azure, LARGEST_MANIFEST, LARGEST_RECORD, Memo, SaveTrouble, Scene};
use apim_dr::clock::{InvocationClock, start_stopwatch};
use apim_dr::domain::id::ServiceId;
use apim_dr::domain::observation::{
    Action, BlobLook, BlobName, Deletion, Listing, Observation, Old, WriteOnce,
};
use apim_dr::domain::record::{OldBlob, Stage};
use apim_dr::domain::vocabulary::{BackupName, Container, Etag, Timestamp};
use futures::future::{BoxFuture, join_all};
use time::Duration;

use super::deployment::Containers;
use super::faults::Fault::{LosesReply, LosesRequest};

type Case = for<'a> fn(Containers<'a>) -> BoxFuture<'a, ()>;

macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        /// Every case by its name.
        pub(crate) const ALL: &[(&str, Case)] = &[$((stringify!($name), |containers| Box::pin($name(containers)))),*];
    };
}

cases![
    the_first_load_makes_both_containers,
    a_first_save_or_list_or_manifest_makes_them_too,
    a_saved_document_is_loaded_again,
    of_fifty_new_documents_one_is_saved,
    of_fifty_replacements_one_is_saved,
    an_old_version_is_not_replaced,
    a_save_whose_reply_was_lost_is_saved,
    a_save_that_never_arrived_is_not_known,
    a_lost_race_after_a_lost_reply_is_lost,
    a_manifest_is_written_once,
    a_manifest_whose_reply_was_lost_is_the_same,
    a_manifest_that_never_arrived_is_not_known,
    what_lies_there_is_seen_without_any_reply,
    a_list_has_all_pages,
    a_page_of_somebody_in_between_is_no_list,
    nor_is_it_a_blob_whatever_headers_it_has,
    reads_are_bounded,
    a_blob_is_seen_as_it_is,
    what_is_old_is_listed_by_name_and_deleted_at_its_version,
    a_delete_whose_reply_was_lost_is_done,
    what_somebody_holds_a_lease_on_is_not_deleted,
    nor_is_it_written_and_that_is_told_as_such,
    what_was_forgotten_is_dated_by_storage,
    a_wrong_secret_is_told_as_such,
    a_revoked_token_is_renewed,
];

const PATH: &str = "services/contoso-weu.json";

fn backup() -> BackupName {
    BackupName::parse("contoso-weu-20261123T120000Z").unwrap()
}

fn blob_name(containers: &Containers<'_>) -> BlobName {
    BlobName { container: Container::from(containers.backups.as_str()), backup: backup() }
}

async fn perform(azure: &Azure, action: Action) -> Observation {
    let id = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.ApiManagement/service/contoso-weu";
    let service: ServiceId = id.parse().unwrap();
    let began = Timestamp::new(time::macros::datetime!(2026-11-23 12:00 UTC));
    let clock = InvocationClock::new(began, start_stopwatch());
    azure
        .perform(&Scene { service: &service, clock: &clock, others: &[], memo: &Memo::default() }, &action)
        .await
}

async fn write_manifest(azure: &Azure, at: &BlobName, text: &str) -> WriteOnce {
    let action = Action::WriteManifest { at: at.clone(), bytes: text.to_owned() };
    let Observation::Wrote(wrote) = perform(azure, action).await else { panic!("a write is observed") };
    wrote
}

async fn stored(azure: &Azure) -> Option<(Vec<u8>, Etag)> {
    azure.store().load(PATH).await.unwrap().document
}

async fn the_first_load_makes_both_containers(containers: Containers<'_>) {
    let (azure, other) = (containers.azure(), containers.other());
    let loaded = azure.store().load(PATH).await.unwrap();
    assert_eq!(loaded.document, None);
    let off = (loaded.storage_time.get() - real_time()).abs();
    assert!(off < Duration::minutes(1), "the storage's time is {off} off");
    for container in [&containers.state, &containers.backups] {
        assert!(!other.create_container(container).await.unwrap(), "{container} was not made");
    }
    assert_eq!(azure.store().load(PATH).await.unwrap().document, None);
}

async fn a_first_save_or_list_or_manifest_makes_them_too(containers: Containers<'_>) {
    let azure = containers.azure();
    assert_eq!(azure.store().list("services/").await.unwrap(), Vec::<String>::new());
    let name = |kind: &str| format!("{}-{kind}", containers.state);
    let azure =
        containers.azure_with(&[("STATE_CONTAINER", &name("save")), ("BACKUP_CONTAINER", &name("b"))]);
    azure.store().save(PATH, b"{}".to_vec(), None).await.unwrap();
    let azure = containers.azure_with(&[("BACKUP_CONTAINER", &name("manifest"))]);
    let at = BlobName { container: Container::from(name("manifest")), backup: backup() };
    assert_eq!(azure.store().read_manifest(&at.container, &at.backup).await, Ok(None));
    assert_eq!(write_manifest(&azure, &at, "{}").await, WriteOnce::Written);
}

async fn a_saved_document_is_loaded_again(containers: Containers<'_>) {
    let (azure, other) = (containers.azure(), containers.other());
    let first = azure.store().save(PATH, b"first".to_vec(), None).await.unwrap();
    assert_eq!(stored(&azure).await, Some((b"first".to_vec(), first.clone())));
    let second = azure.store().save(PATH, b"second".to_vec(), Some(&first)).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(stored(&azure).await, Some((b"second".to_vec(), second)));
    let properties = other.head(&containers.state, PATH).await.unwrap().unwrap();
    assert_eq!(properties.content_type, "application/json");
    azure.store().save("empty", Vec::new(), None).await.unwrap();
    let empty = azure.store().load("empty").await.unwrap().document;
    assert_eq!(empty.map(|(bytes, _)| bytes), Some(Vec::new()));
}

/// Fifty writers at once: who won, and that the others know that they lost.
async fn race(azure: &Azure, etag: Option<&Etag>) {
    let save = |index: usize| azure.store().save(PATH, format!("writer {index}").into_bytes(), etag);
    let outcomes = join_all((0..50).map(save)).await;
    let winners: Vec<_> = (0..50).filter(|index| outcomes[*index].is_ok()).collect();
    let lost = outcomes.iter().filter(|outcome| **outcome == Err(SaveTrouble::Lost)).count();
    assert_eq!((winners.len(), lost), (1, 49));
    let (bytes, etag) = stored(azure).await.unwrap();
    assert_eq!(bytes, format!("writer {}", winners[0]).into_bytes());
    assert_eq!(outcomes[winners[0]], Ok(etag));
}

async fn of_fifty_new_documents_one_is_saved(containers: Containers<'_>) {
    let azure = containers.azure();
    azure.store().load(PATH).await.unwrap();
    race(&azure, None).await;
}

async fn of_fifty_replacements_one_is_saved(containers: Containers<'_>) {
    let azure = containers.azure();
    let etag = azure.store().save(PATH, b"before".to_vec(), None).await.unwrap();
    race(&azure, Some(&etag)).await;
}

async fn an_old_version_is_not_replaced(containers: Containers<'_>) {
    let azure = containers.azure();
    let old = azure.store().save(PATH, b"1".to_vec(), None).await.unwrap();
    azure.store().save(PATH, b"2".to_vec(), Some(&old)).await.unwrap();
    assert_eq!(azure.store().save(PATH, b"3".to_vec(), Some(&old)).await, Err(SaveTrouble::Lost));
    assert_eq!(azure.store().save(PATH, b"4".to_vec(), None).await, Err(SaveTrouble::Lost));
    assert_eq!(azure.store().save("gone", b"5".to_vec(), Some(&old)).await, Err(SaveTrouble::Lost));
    assert_eq!(stored(&azure).await.unwrap().0, b"2");
}

async fn a_save_whose_reply_was_lost_is_saved(containers: Containers<'_>) {
    let (azure, network) = containers.flaky();
    azure.store().load(PATH).await.unwrap();
    network.next_writes(&[LosesReply]);
    let first = azure.store().save(PATH, b"first".to_vec(), None).await.unwrap();
    network.next_writes(&[LosesReply; 4]);
    let second = azure.store().save(PATH, b"second".to_vec(), Some(&first)).await.unwrap();
    assert_eq!((stored(&azure).await, network.left()), (Some((b"second".to_vec(), second)), 0));
}

async fn a_save_that_never_arrived_is_not_known(containers: Containers<'_>) {
    let (azure, network) = containers.flaky();
    let first = azure.store().save(PATH, b"first".to_vec(), None).await.unwrap();
    network.next_writes(&[LosesRequest; 4]);
    let outcome = azure.store().save(PATH, b"second".to_vec(), Some(&first)).await;
    assert!(matches!(outcome, Err(SaveTrouble::NoAnswer(_))), "{outcome:?}");
    network.next_writes(&[LosesRequest]);
    azure.store().save(PATH, b"third".to_vec(), Some(&first)).await.unwrap();
    assert_eq!((stored(&azure).await.unwrap().0, network.left()), (b"third".to_vec(), 0));
}

async fn a_lost_race_after_a_lost_reply_is_lost(containers: Containers<'_>) {
    let ((azure, network), other) = (containers.flaky(), containers.other());
    let etag = azure.store().save(PATH, b"first".to_vec(), None).await.unwrap();
    other.put(&containers.state, PATH, b"theirs".to_vec(), &[]).await.unwrap();
    network.next_writes(&[LosesReply; 4]);
    assert_eq!(azure.store().save(PATH, b"ours".to_vec(), Some(&etag)).await, Err(SaveTrouble::Lost));
    assert_eq!(stored(&azure).await.unwrap().0, b"theirs");
}

async fn a_manifest_is_written_once(containers: Containers<'_>) {
    let azure = containers.azure();
    let at = blob_name(&containers);
    assert_eq!(write_manifest(&azure, &at, "one").await, WriteOnce::Written);
    assert_eq!(write_manifest(&azure, &at, "one").await, WriteOnce::Same);
    assert_eq!(write_manifest(&azure, &at, "two").await, WriteOnce::Other);
    assert_eq!(azure.store().read_manifest(&at.container, &at.backup).await, Ok(Some(b"one".to_vec())));
    let history =
        || Action::WriteHistory { path: "history/contoso-weu/1.json".to_owned(), bytes: "{}".to_owned() };
    assert_eq!(perform(&azure, history()).await, Observation::Wrote(WriteOnce::Written));
    assert_eq!(perform(&azure, history()).await, Observation::Wrote(WriteOnce::Same));
    assert_eq!(azure.store().list("history/").await.unwrap(), ["history/contoso-weu/1.json"]);
}

async fn a_manifest_whose_reply_was_lost_is_the_same(containers: Containers<'_>) {
    let (azure, network) = containers.flaky();
    let at = blob_name(&containers);
    azure.store().load(PATH).await.unwrap();
    network.next_writes(&[LosesReply]);
    assert_eq!(write_manifest(&azure, &at, "one").await, WriteOnce::Same);
    network.next_writes(&[LosesReply]);
    assert_eq!(write_manifest(&azure, &at, "two").await, WriteOnce::Other);
    assert_eq!(network.left(), 0);
}

async fn a_manifest_that_never_arrived_is_not_known(containers: Containers<'_>) {
    let (azure, network) = containers.flaky();
    azure.store().load(PATH).await.unwrap();
    network.next_writes(&[LosesRequest; 4]);
    let wrote = write_manifest(&azure, &blob_name(&containers), "one").await;
    assert!(matches!(wrote, WriteOnce::NoAnswer(_)), "{wrote:?}");
}

async fn what_lies_there_is_seen_without_any_reply(containers: Containers<'_>) {
    let (azure, network) = containers.flaky();
    let at = blob_name(&containers);
    assert_eq!(write_manifest(&azure, &at, "one").await, WriteOnce::Written);
    network.next_writes(&[LosesReply; 4]);
    assert_eq!(write_manifest(&azure, &at, "two").await, WriteOnce::Other);
}

async fn a_list_has_all_pages(containers: Containers<'_>) {
    let (azure, other) = (containers.azure(), containers.other());
    azure.store().load(PATH).await.unwrap();
    let mut names: Vec<String> = (0..1_001).map(|index| format!("many/{index:04}.json")).collect();
    names.extend(["many/a b+c%d&e.json".to_owned(), "many/Zürich.json".to_owned()]);
    for some in names.chunks(50) {
        let puts = some.iter().map(|name| other.put(&containers.state, name, b"{}".to_vec(), &[]));
        assert!(join_all(puts).await.iter().all(Result::is_ok));
    }
    other.put(&containers.state, "more.json", b"{}".to_vec(), &[]).await.unwrap();
    names.sort();
    let mut listed = azure.store().list("many/").await.unwrap();
    listed.sort();
    assert_eq!(listed, names);
    assert_eq!(
        azure.store().load("many/a b+c%d&e.json").await.unwrap().document.map(|(b, _)| b.len()),
        Some(2)
    );
}

/// Whoever believes it deletes what others need.
async fn a_page_of_somebody_in_between_is_no_list(containers: Containers<'_>) {
    let (azure, network) = containers.flaky();
    azure.store().save(PATH, b"{}".to_vec(), None).await.unwrap();
    let foreign = r#"<EnumerationResults ContainerName="another"><Blobs/></EnumerationResults>"#;
    for page in ["<html><body>Sign in to continue</body></html>", "{}", "", "null", "<a/>", foreign] {
        network.next_list(page);
        let listed = azure.store().list("services/").await;
        assert!(listed.is_err(), "{page:?} is no list: {listed:?}");
    }
    assert_eq!(azure.store().list("services/").await.unwrap(), [PATH]);
}

async fn nor_is_it_a_blob_whatever_headers_it_has(containers: Containers<'_>) {
    let (azure, network) = containers.flaky();
    let at = blob_name(&containers);
    azure.store().save(PATH, b"{}".to_vec(), None).await.unwrap();
    network.next_read("<html><body>Down for maintenance</body></html>");
    let read = azure.store().load(PATH).await;
    assert!(read.is_err_and(|trouble| trouble.to_string().contains("x-ms-blob-type")));
    network.next_read("<html><body>Down for maintenance</body></html>");
    let Observation::Inspected(BlobLook::NoAnswer(why)) = perform(&azure, Action::InspectBlob(at)).await
    else {
        panic!("that is no blob")
    };
    assert!(why.contains("x-ms-blob-type"), "{why}");
}

async fn reads_are_bounded(containers: Containers<'_>) {
    let (azure, other) = (containers.azure(), containers.other());
    let at = blob_name(&containers);
    azure.store().load(PATH).await.unwrap();
    for (length, fits) in [(LARGEST_MANIFEST, true), (LARGEST_MANIFEST + 1, false)] {
        other.put(&containers.backups, &at.backup.manifest(), vec![b' '; length], &[]).await.unwrap();
        let read = azure.store().read_manifest(&at.container, &at.backup).await;
        assert_eq!(
            read.as_ref().is_ok_and(|bytes| bytes.as_ref().unwrap().len() == length),
            fits,
            "{length}"
        );
    }
    for (length, fits) in [(LARGEST_RECORD, true), (LARGEST_RECORD + 1, false)] {
        other.put(&containers.state, PATH, vec![b' '; length], &[]).await.unwrap();
        let loaded = azure.store().load(PATH).await;
        assert_eq!(loaded.is_ok_and(|stored| stored.document.unwrap().0.len() == length), fits, "{length}");
    }
}

async fn a_blob_is_seen_as_it_is(containers: Containers<'_>) {
    let (azure, other) = (containers.azure(), containers.other());
    let at = blob_name(&containers);
    let look = || async { perform(&azure, Action::InspectBlob(at.clone())).await };
    assert_eq!(look().await, Observation::Inspected(BlobLook::Missing), "without a container");
    azure.store().load(PATH).await.unwrap();
    assert_eq!(look().await, Observation::Inspected(BlobLook::Missing));

    let etag = other.put(&containers.backups, &at.backup.blob(), vec![7; 300], &[]).await.unwrap();
    let Observation::Inspected(BlobLook::Found(facts)) = look().await else { panic!("it is there") };
    assert_eq!((facts.length, facts.leased), (300, false));
    assert_eq!(facts.etag, Etag::from(etag.as_str().to_owned()));
    assert!((facts.last_modified.get() - real_time()).abs() < Duration::minutes(1), "{facts:?}");

    let lease = "00000000-0000-0000-0000-000000000001";
    other.acquire_lease(&containers.backups, &at.backup.blob(), lease).await.unwrap();
    let Observation::Inspected(BlobLook::Found(held)) = look().await else { panic!("it is there") };
    assert!(held.leased);
    other.release_lease(&containers.backups, &at.backup.blob(), lease).await.unwrap();
    assert_eq!(look().await, Observation::Inspected(BlobLook::Found(facts)));
}

async fn list_old(azure: &Azure, stage: Stage, until: time::OffsetDateTime) -> Listing {
    let old = Action::ListOld(Old { stage, until: Timestamp::new(until) });
    let Observation::ListedOld { listing, .. } = perform(azure, old).await else { panic!("it is listed") };
    listing.unwrap()
}

async fn delete(azure: &Azure, stage: Stage, doomed: Vec<OldBlob>) -> Vec<Deletion> {
    let Observation::Deleted(deletions) = perform(azure, Action::Delete { stage, doomed }).await else {
        panic!("deletes are observed")
    };
    deletions
}

const NOON: time::OffsetDateTime = time::macros::datetime!(2026-11-23 12:00 UTC);

async fn what_is_old_is_listed_by_name_and_deleted_at_its_version(containers: Containers<'_>) {
    let (azure, other) = (containers.azure(), containers.other());
    let listed = list_old(&azure, Stage::Manifests, NOON).await;
    assert!(listed.blobs.is_empty() && listed.whole, "without a container");
    azure.store().load(PATH).await.unwrap();
    let (at, later) = (blob_name(&containers), "contoso-weu-20261123T120001Z.manifest.json");
    let (blob, manifest) = (at.backup.blob(), at.backup.manifest());
    for name in
        [&blob, &manifest, later, "contoso-weu-notes.json", "contoso-weu-b-20261123T110000Z.apimbackup"]
    {
        other.put(&containers.backups, name, b"{}".to_vec(), &[]).await.unwrap();
    }
    let listed = list_old(&azure, Stage::Manifests, NOON).await;
    let names: Vec<_> = listed.blobs.iter().map(|old| old.blob.clone()).collect();
    assert_eq!((names, listed.whole), (vec![blob.clone(), manifest.clone()], true));

    other.put(&containers.backups, &manifest, b"{ }".to_vec(), &[]).await.unwrap();
    let deletions = delete(&azure, Stage::Manifests, listed.blobs.clone()).await;
    assert_eq!(deletions, [Deletion::Gone, Deletion::Changed]);
    let listed = list_old(&azure, Stage::Manifests, NOON).await.blobs;
    assert_eq!(listed.len(), 1);
    assert_eq!(delete(&azure, Stage::Manifests, listed.clone()).await, [Deletion::Gone]);
    assert_eq!(delete(&azure, Stage::Manifests, listed).await, [Deletion::Gone], "it went before");
    assert_eq!(other.list(&containers.backups, "").await.unwrap().len(), 3, "nothing else was touched");
}

async fn a_delete_whose_reply_was_lost_is_done(containers: Containers<'_>) {
    let ((azure, network), other) = (containers.flaky(), containers.other());
    azure.store().load(PATH).await.unwrap();
    let manifest = backup().manifest();
    other.put(&containers.backups, &manifest, b"{}".to_vec(), &[]).await.unwrap();
    let listed = list_old(&azure, Stage::Manifests, NOON).await.blobs;
    network.next_writes(&[LosesRequest; 4]);
    let deletions = delete(&azure, Stage::Manifests, listed.clone()).await;
    assert!(matches!(deletions.as_slice(), [Deletion::NoAnswer(_)]), "{deletions:?}");
    network.next_writes(&[LosesReply]);
    assert_eq!(delete(&azure, Stage::Manifests, listed).await, [Deletion::Gone]);
    assert_eq!((other.get(&containers.backups, &manifest).await.unwrap(), network.left()), (None, 0));
}

async fn what_somebody_holds_a_lease_on_is_not_deleted(containers: Containers<'_>) {
    let (azure, other) = (containers.azure(), containers.other());
    azure.store().load(PATH).await.unwrap();
    let names = [backup().blob(), backup().manifest()];
    for name in &names {
        other.put(&containers.backups, name, b"{}".to_vec(), &[]).await.unwrap();
    }
    let lease = "00000000-0000-0000-0000-000000000002";
    other.acquire_lease(&containers.backups, &names[0], lease).await.unwrap();
    let listed = list_old(&azure, Stage::Manifests, NOON).await.blobs;
    let deletions = delete(&azure, Stage::Manifests, listed).await;
    let [Deletion::Protected(why), Deletion::Gone] = deletions.as_slice() else { panic!("{deletions:?}") };
    assert!(
        why.contains(&names[0]) && why.contains("LeaseIdMissing") && why.contains("released first"),
        "{why}"
    );
    other.release_lease(&containers.backups, &names[0], lease).await.unwrap();
}

async fn nor_is_it_written_and_that_is_told_as_such(containers: Containers<'_>) {
    let (azure, other) = (containers.azure(), containers.other());
    let etag = azure.store().save(PATH, b"1".to_vec(), None).await.unwrap();
    let lease = "00000000-0000-0000-0000-000000000003";
    let at = blob_name(&containers);
    assert_eq!(write_manifest(&azure, &at, "one").await, WriteOnce::Written);
    other.acquire_lease(&containers.backups, &backup().manifest(), lease).await.unwrap();
    assert_eq!(write_manifest(&azure, &at, "one").await, WriteOnce::Same, "it lies there, leased or not");
    assert_eq!(write_manifest(&azure, &at, "two").await, WriteOnce::Other);
    other.release_lease(&containers.backups, &backup().manifest(), lease).await.unwrap();
    other.acquire_lease(&containers.state, PATH, lease).await.unwrap();
    let saved = azure.store().save(PATH, b"2".to_vec(), Some(&etag)).await;
    let Err(SaveTrouble::Refused(trouble)) = &saved else { panic!("{saved:?}") };
    assert!(trouble.to_string().contains("released first"), "{trouble}");
    other.release_lease(&containers.state, PATH, lease).await.unwrap();
    azure.store().save(PATH, b"2".to_vec(), Some(&etag)).await.unwrap();
}

async fn what_was_forgotten_is_dated_by_storage(containers: Containers<'_>) {
    let (azure, other) = (containers.azure(), containers.other());
    azure.store().load(PATH).await.unwrap();
    for name in ["partial/contoso-weu/1.json", "partial/contoso-west/1.json", "history/contoso-weu/notes.txt"]
    {
        other.put(&containers.state, name, b"{}".to_vec(), &[]).await.unwrap();
    }
    let hour = Duration::hours(1);
    assert!(list_old(&azure, Stage::Partial, real_time() - hour).await.blobs.is_empty());
    assert!(list_old(&azure, Stage::History, real_time() + hour).await.blobs.is_empty());
    let listed = list_old(&azure, Stage::Partial, real_time() + hour).await.blobs;
    assert_eq!(delete(&azure, Stage::Partial, listed).await, [Deletion::Gone]);
    assert_eq!(other.list(&containers.state, "partial/").await.unwrap().len(), 1);
}

async fn a_wrong_secret_is_told_as_such(containers: Containers<'_>) {
    let key = containers.connection_string().replace("Eby8", "AAAA");
    let (setting, status, told) = match containers.opens_by_key() {
        true => {
            (("BackupStorage", key.as_str()), Some(403), "the key in BackupStorage is not this account's")
        }
        false => (("AZURE_CLIENT_SECRET", "AAAA"), None, "check AZURE_CREDENTIAL"),
    };
    let azure = containers.azure_with(&[setting]);
    let trouble = azure.store().load(PATH).await.unwrap_err();
    assert_eq!(trouble.status, status, "{trouble}");
    let text = trouble.to_string();
    let place = format!("blob {PATH} in container {} of storage account devstoreaccount1", containers.state);
    assert!(text.starts_with(&place) && text.contains(told), "{text}");
    assert!(!text.contains("AAAA") && !text.contains('?'), "{text}");
    let outcome = azure.store().save(PATH, b"{}".to_vec(), None).await.unwrap_err();
    assert!(outcome != SaveTrouble::Lost && outcome.to_string().contains(told), "{outcome}");
}

async fn a_revoked_token_is_renewed(containers: Containers<'_>) {
    let azure = containers.azure();
    azure.store().save(PATH, b"before".to_vec(), None).await.unwrap();
    containers.revoke_tokens();
    assert_eq!(stored(&azure).await.unwrap().0, b"before");
}

#[expect(clippy::disallowed_methods, reason = "real servers date by the real time")]
fn real_time() -> time::OffsetDateTime {
    time::OffsetDateTime::now_utc()
}
