//! What the handler is started with and how it is called.

use serde_json::json;

use crate::world::{BACKUPS, World};

#[tokio::test]
async fn a_call_looks_as_the_host_makes_it() {
    let world = World::new().await;
    let host = world.host().await;
    let invocation = host.tick().await;
    assert!(invocation.outcome.is_success());

    let call = world.last_call();
    assert_eq!((call["method"].as_str(), call["path"].as_str()), (Some("POST"), Some("/BackupTimer")));
    let headers = &call["headers"];
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(headers["transfer-encoding"], "chunked");
    assert_eq!(headers["content-length"], json!(null));
    assert_eq!(headers["x-azure-functions-invocationid"], invocation.id);
    assert_eq!(headers["x-azure-functions-hostversion"], "4.1037.0.0");
    assert_eq!(headers["user-agent"], "Azure-Functions-Host/4.1037.0.0");
    assert_eq!(headers["host"], format!("127.0.0.1:{}", host.handler_port()));

    let sys = &call["body"]["Metadata"]["sys"];
    assert_eq!(sys["MethodName"], "BackupTimer");
    assert_eq!(sys["UtcNow"], "2026-03-01T02:00:00.0000000Z");
    assert_eq!(sys["RandGuid"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn the_handler_gets_its_port_its_settings_and_its_folder() {
    let mut world = World::new().await;
    world.set("APIM_PRIMARY_ID", "/subscriptions/s");
    let host = world.host().await;
    host.tick().await;
    let call = world.last_call();
    let environment = &call["environment"];
    let port = host.handler_port().to_string();
    assert_eq!(environment["FUNCTIONS_CUSTOMHANDLER_PORT"], port);
    assert_eq!(environment["FUNCTIONS_HTTPWORKER_PORT"], port);
    assert_eq!(environment["FUNCTIONS_CUSTOMHANDLER_WORKER_ID"], environment["FUNCTIONS_HTTPWORKER_ID"]);
    assert_eq!(environment["FUNCTIONS_APP_ROOT_PATH"], world.folder.root().to_str().unwrap());
    assert_eq!(environment["APIM_PRIMARY_ID"], "/subscriptions/s");
    assert_eq!(environment["CARGO_MANIFEST_DIR"], json!(null), "this machine's variables stay out");
    assert_eq!(call["arguments"], json!(["--container", BACKUPS]));
    assert_eq!(call["directory"], world.folder.root().to_str().unwrap());
}

#[tokio::test]
async fn the_executable_and_its_directory_come_from_host_json() {
    let world = World::new().await;
    let binary = env!("CARGO_BIN_EXE_scripted-handler");
    std::os::unix::fs::symlink(binary, world.folder.path("apim-dr")).unwrap();
    std::fs::create_dir(world.folder.path("work")).unwrap();
    let description = json!({ "defaultExecutablePath": "apim-dr", "workingDirectory": "work" });
    let host_json = json!({ "version": "2.0", "customHandler": { "description": description } });
    world.folder.write("host.json", &host_json.to_string());
    let mut options = world.options();
    options.executable = None;
    let host = apim_dr_sim::host::Host::start(options).await.unwrap();
    assert!(host.tick().await.outcome.is_success(), "{:?}", host.lines());
    assert_eq!(world.last_call()["directory"], world.folder.path("work"));
}

#[tokio::test]
async fn a_large_body_arrives_whole() {
    let world = World::new().await;
    let host = world.host().await;
    let content = "x".repeat(5 << 20);
    world.put("big.manifest.json", &content).await;
    let tries = host.scan().await;
    assert!(tries[0].outcome.is_success(), "{tries:?}");
    let data = world.last_call()["body"]["Data"]["manifest"].as_str().unwrap().len();
    assert_eq!(data, (5_usize << 20).div_ceil(3) * 4);
}

#[tokio::test]
async fn the_product_s_own_files_make_an_app_with_two_functions() {
    let world = World::new().await;
    let mut options = world.options();
    options.app_root = concat!(env!("CARGO_MANIFEST_DIR"), "/..").into();
    let host = apim_dr_sim::host::Host::start(options).await.unwrap();
    assert!(host.disabled().is_empty(), "{:?}", host.disabled());
    world.put("contoso-20260301T020000Z.manifest.json", "{}").await;
    assert!(host.tick().await.outcome.is_success());
    assert_eq!(host.next_tick(), Some(time::macros::datetime!(2026-03-01 02:01 UTC)));
    assert_eq!(host.scan().await.len(), 1);
    let [timer, blob] = &world.calls()[..] else { panic!("two calls were made") };
    assert!(timer["body"]["Data"]["timer"]["ScheduleStatus"].is_object());
    assert_eq!(blob["body"]["Data"]["manifest"], "e30=");
    assert_eq!(blob["body"]["Metadata"]["name"], "\"contoso-20260301T020000Z\"");
}
