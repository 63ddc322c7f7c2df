//! What the readers read on good days, and on some that were recorded.

use std::path::Path;

type Corpus = Vec<Vec<u8>>;

/// The files of a folder of fixtures.
fn fixtures(folder: &str) -> Corpus {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(folder);
    let Ok(files) = std::fs::read_dir(&folder) else { panic!("no fixtures in {}", folder.display()) };
    let mut paths: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

/// The same, and with every time at either end of the calendar, from where its offset leads out of that.
fn with_odd_times(corpus: Corpus) -> Corpus {
    let ends = [("\"9999-12-31", ":00-23:59\""), ("\"0000-01-01", ":00+23:59\"")];
    let odd: Vec<_> =
        ends.into_iter().flat_map(|end| corpus.iter().map(move |bytes| at_end(bytes, end))).collect();
    corpus.into_iter().chain(odd).collect()
}

fn at_end(bytes: &[u8], (day, offset): (&str, &str)) -> Vec<u8> {
    const MONTH_AND_DAY: usize = "03-10".len();
    let text = String::from_utf8_lossy(bytes).replace(":00Z\"", offset);
    let mut parts = text.split("\"2026-");
    let mut odd = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        odd += day;
        odd += part.get(MONTH_AND_DAY..).unwrap_or_default();
    }
    odd.into_bytes()
}

fn texts(texts: &[&str]) -> Corpus {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

pub(crate) fn envelopes() -> Corpus {
    fixtures("host")
}

pub(crate) fn records() -> Corpus {
    with_odd_times(fixtures("records"))
}

pub(crate) fn manifests() -> Corpus {
    with_odd_times(fixtures("manifests"))
}

pub(crate) fn healths() -> Corpus {
    texts(&[
        r#"{"version":1,"primary":"contoso","writer":"A"}"#,
        r#"{"version":1,"primary":"contoso","writer":"A","raised":[{"condition":"BackupMissing","service":"contoso","since":"2026-03-10T02:00:00Z","fact":"there is none","next":"Look."}],"certificatesLookedAt":"2026-03-10T02:00:00Z"}"#,
    ])
}

pub(crate) fn connection_strings() -> Corpus {
    texts(&[
        "UseDevelopmentStorage=true",
        "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://127.0.0.1",
        "DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;EndpointSuffix=core.windows.net",
        "AccountName=contoso;AccountKey=QUFBQUFBQUFBQUFB;BlobEndpoint=http://127.0.0.1:10000/contoso",
        "BlobEndpoint=https://contoso.blob.core.windows.net;SharedAccessSignature=sv=2026-04-06&sig=x",
    ])
}

pub(crate) fn resource_ids() -> Corpus {
    texts(&[
        "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/apim/providers/Microsoft.ApiManagement/service/contoso",
        "/SUBSCRIPTIONS/s/RESOURCEGROUPS/g/PROVIDERS/microsoft.apimanagement/SERVICE/contoso-west",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/contoso",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/trafficManagerProfiles/contoso",
        "contoso-20260310T020000Z",
        "services/contoso.json",
    ])
}

pub(crate) fn schedules() -> Corpus {
    texts(&[
        "0 0 2 * * *",
        "30 5 */2 * * *",
        "45 13 * * *",
        "0 0 0 29 2 5",
        "0,15,30,45 */7 8-18/2 1-15 JAN,mar MON-FRI",
        "59 59 23 31 12 6",
    ])
}

pub(crate) fn settings() -> Corpus {
    texts(&[
        "BackupStorage__blobServiceUri=https://contoso.blob.core.windows.net\nBackupStorage=\nAZURE_CREDENTIAL=managed-identity",
        "RPO_TARGET=26h\nRETENTION_DAYS=28\nINVENTORY=lists\nDRY_RUN=true\nLIVE_CHECK=off",
        "ALERT_WEBHOOK_URL=https://alerts.example/hook\nALERT_FORMAT=teams\nHEARTBEAT_URL=https://beat.example/x",
        "AZURE_CLOUD=usgov\nARM_ENDPOINT=https://arm.example\nAZURE_AUTHORITY_HOST=https://login.example",
        "BACKUP_ACCESS=user-assigned:11111111-1111-1111-1111-111111111111\nAPIM_API_VERSION=2024-05-01",
        "AZURE_CREDENTIAL=client-secret\nAZURE_TENANT_ID=t\nAZURE_CLIENT_ID=c\nAZURE_CLIENT_SECRET=@Microsoft.KeyVault(x)",
    ])
}

pub(crate) fn blob_uris() -> Corpus {
    texts(&[
        "https://contoso.blob.core.windows.net/apim-backups/contoso-20260310T020000Z.manifest.json",
        "http://127.0.0.1:10000/devstoreaccount1/apim-backups/a%20b/c%2Fd.json?sv=1&sig=x",
        "https://contoso.blob.core.windows.net//",
    ])
}

pub(crate) fn profiles() -> Corpus {
    let endpoint = |name: &str, priority: u32, status: &str| {
        format!(
            r#"{{"name":"{name}","type":"Microsoft.Network/trafficManagerProfiles/externalEndpoints","properties":{{"endpointStatus":"Enabled","endpointMonitorStatus":"{status}","target":"{name}.azure-api.net","priority":{priority},"alwaysServe":"Disabled"}}}}"#
        )
    };
    let profile = |endpoints: &[String]| {
        let endpoints = endpoints.join(",");
        format!(
            r#"{{"id":"x","properties":{{"profileStatus":"Enabled","trafficRoutingMethod":"Priority","endpoints":[{endpoints}]}}}}"#
        )
        .into_bytes()
    };
    vec![
        profile(&[endpoint("contoso-west", 1, "Online"), endpoint("contoso-north", 2, "Online")]),
        profile(&[endpoint("contoso-west", 1, "Degraded"), endpoint("contoso-north", 2, "Online")]),
        profile(&[endpoint("contoso-west-westeurope-01.regional", 1, "CheckingEndpoint")]),
        profile(&[]),
    ]
}

pub(crate) fn answers() -> Corpus {
    let service = r#"{"id":"x","name":"contoso","location":"West Europe","properties":{"provisioningState":"Succeeded"},"sku":{"name":"Standard","capacity":1}}"#;
    let error = |code: &str| {
        format!(r#"{{"error":{{"code":"{code}","message":"It failed.","details":null,"innerError":null}}}}"#)
    };
    let own = "https://management.azure.com/subscriptions/s/operationresults/d2VzdA==?api-version=2024-05-01&t=1&s=x";
    let xml = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>BlobNotFound</Code><Message>The specified blob does not exist.\nRequestId:1</Message></Error>";
    let all = [
        format!("200\n\n{service}"),
        format!("202 {own}\n60\n"),
        "202 https://contoso.example/operationresults/x\n\n".to_owned(),
        "202 /subscriptions/s/operationresults/x\nTue, 10 Mar 2026 02:11:00 GMT\n".to_owned(),
        format!("400\n\n{}", error("RestoreFailed")),
        format!("401\n\n{}", error("ExpiredAuthenticationToken")),
        format!("409\n\n{}", error("ServiceLocked")),
        format!("429\n17\n{}", error("TooManyRequests")),
        format!("503\n600\n{}", error("ServiceUnavailable")),
        format!("404\n\n{xml}"),
        "200\n\n<html></html>".to_owned(),
    ];
    all.into_iter().map(String::into_bytes).collect()
}

pub(crate) fn inventory_pages() -> Corpus {
    let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/contoso";
    let own = format!("https://management.azure.com{id}/apis?api-version=2024-05-01&$skip=100");
    let api = format!(
        r#"{{"id":"{id}/apis/orders","name":"orders","properties":{{"path":"orders","serviceUrl":"https://contoso.azure-api.net","isCurrent":true}}}}"#
    );
    let policy = format!(
        r#"{{"id":"{id}/policies/policy","name":"policy","properties":{{"referencePolicyId":"{id}/apis/orders/policies/policy","format":"rawxml","value":"<policies>\r\n</policies>"}}}}"#
    );
    let all = [
        format!(r#"{{"value":[{api},{policy}],"nextLink":"","count":2}}"#),
        format!(r#"{{"value":[{api}],"nextLink":"{own}"}}"#),
        format!(r#"{{"nextLink":"https://contoso.example/apis","value":[{policy}]}}"#),
        r#"{"value":[{"id":"x"},{"name":"a/b"},{}],"nextLink":null}"#.to_owned(),
        r#"{"value":{"name":"orders"}}"#.to_owned(),
        policy.clone(),
    ];
    let refused = ["400", "403", "404", "405", "429", "503"].map(|status| {
        format!(
            r#"{status}

{{"error":{{"code":"MethodNotAllowedInPricingTier","message":"Method not allowed in this pricing tier"}}}}"#
        )
    });
    all.into_iter().map(|body| format!("200\n\n{body}")).chain(refused).map(String::into_bytes).collect()
}
