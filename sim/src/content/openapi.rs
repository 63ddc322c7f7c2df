//! Imports an OpenAPI 3 document as API Management does: one API, one operation for each method of a path,
//! one schema that holds all components.

use serde_json::{Map, Value, json};

use super::Content;

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// The name that API Management gives to the one schema of an imported document; ours is fixed.
const SCHEMA: &str = "components";

impl Content {
    /// Imports `document` as the API `name`, served under `path`.
    ///
    /// # Panics
    ///
    /// If the document is no OpenAPI 3 document in JSON; the documents are part of the program.
    pub fn import(&mut self, name: &str, path: &str, document: &str) {
        let document: Value = serde_json::from_str(document).expect("an OpenAPI document in JSON");
        let api = format!("apis/{name}");
        self.put(&api, api_properties(&document, path));
        self.put(&format!("{api}/schemas/{SCHEMA}"), schema_properties(&document));
        let paths = document["paths"].as_object().expect("an OpenAPI document with paths");
        for (template, item) in paths {
            for (method, operation) in methods(item) {
                let id = operation["operationId"].as_str().expect("an operation with an operationId");
                let properties = operation_properties(&document, (template, method), (item, operation));
                self.put(&format!("{api}/operations/{id}"), properties);
            }
        }
    }
}

fn methods(item: &Value) -> impl Iterator<Item = (&str, &Value)> {
    METHODS.iter().filter_map(|method| item.get(method).map(|operation| (*method, operation)))
}

fn api_properties(document: &Value, path: &str) -> Value {
    json!({
        "displayName": document["info"]["title"],
        "apiRevision": "1",
        "description": document["info"]["description"],
        "subscriptionRequired": true,
        "serviceUrl": document["servers"][0]["url"],
        "path": path,
        "protocols": ["https"],
        "authenticationSettings": {"oAuth2": null, "openid": null},
        "subscriptionKeyParameterNames": {"header": "Ocp-Apim-Subscription-Key", "query": "subscription-key"},
        "isCurrent": true,
    })
}

fn schema_properties(document: &Value) -> Value {
    json!({
        "contentType": "application/vnd.oai.openapi.components+json",
        "document": {"components": {"schemas": document["components"]["schemas"]}},
    })
}

fn operation_properties(document: &Value, at: (&str, &str), found: (&Value, &Value)) -> Value {
    let (template, method) = at;
    let (item, operation) = found;
    let parameters = parameters(document, item, operation);
    json!({
        "displayName": operation["summary"],
        "method": method.to_uppercase(),
        "urlTemplate": template,
        "templateParameters": of_place(&parameters, "path"),
        "description": operation.get("description").cloned().unwrap_or_else(|| json!("")),
        "request": {
            "queryParameters": of_place(&parameters, "query"),
            "headers": of_place(&parameters, "header"),
            "representations": representations(&operation["requestBody"]["content"]),
        },
        "responses": responses(&operation["responses"]),
        "policies": null,
    })
}

/// The parameters of the path and of the operation, references resolved.
fn parameters(document: &Value, item: &Value, operation: &Value) -> Vec<Value> {
    [&item["parameters"], &operation["parameters"]]
        .into_iter()
        .filter_map(Value::as_array)
        .flatten()
        .map(|parameter| resolved(document, parameter).clone())
        .collect()
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).expect("a reference that resolves"),
        None => value,
    }
}

fn of_place(parameters: &[Value], place: &str) -> Vec<Value> {
    parameters.iter().filter(|parameter| parameter["in"] == place).map(parameter_contract).collect()
}

fn parameter_contract(parameter: &Value) -> Value {
    json!({
        "name": parameter["name"],
        "description": parameter["description"],
        "type": parameter["schema"]["type"],
        "required": parameter["required"].as_bool().unwrap_or(false),
        "values": parameter["schema"]["enum"].as_array().cloned().unwrap_or_default(),
        "schemaId": SCHEMA,
    })
}

fn responses(responses: &Value) -> Vec<Value> {
    let none = Map::new();
    let responses = responses.as_object().unwrap_or(&none);
    let contract = |(code, response): (&String, &Value)| {
        json!({
            "statusCode": code.parse::<u16>().unwrap_or(500),
            "description": response["description"],
            "representations": representations(&response["content"]),
            "headers": [],
        })
    };
    responses.iter().map(contract).collect()
}

fn representations(content: &Value) -> Vec<Value> {
    let none = Map::new();
    let content = content.as_object().unwrap_or(&none);
    let contract = |(media, body): (&String, &Value)| {
        let reference = body["schema"]["$ref"].as_str().unwrap_or_default();
        let type_name = reference.rsplit('/').next().unwrap_or_default();
        json!({"contentType": media, "schemaId": SCHEMA, "typeName": type_name})
    };
    content.iter().map(contract).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_an_api_with_operations_and_a_schema() {
        let document = r##"{
            "openapi": "3.0.3",
            "info": {"title": "Parcels", "description": "Where parcels are.", "version": "1"},
            "servers": [{"url": "https://parcels.example"}],
            "paths": {"/parcels/{id}": {
                "parameters": [{"$ref": "#/components/parameters/id"}],
                "get": {"operationId": "get-parcel", "summary": "One parcel", "responses": {"200": {
                    "description": "The parcel",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Parcel"}}}}}},
                "delete": {"operationId": "forget-parcel", "summary": "Forget", "responses": {}}}},
            "components": {
                "parameters": {"id": {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}},
                "schemas": {"Parcel": {"type": "object"}}}}"##;
        let mut content = Content::default();
        content.import("parcels", "shipping/parcels", document);
        let api = &content.get("apis/parcels").unwrap().properties;
        assert_eq!(api["displayName"], "Parcels");
        assert_eq!(api["serviceUrl"], "https://parcels.example");
        assert_eq!(content.children("apis/parcels/operations").count(), 2);
        let get = &content.get("apis/parcels/operations/get-parcel").unwrap().properties;
        assert_eq!(get["templateParameters"][0]["name"], "id");
        assert_eq!(get["responses"][0]["representations"][0]["typeName"], "Parcel");
        let schema = &content.get("apis/parcels/schemas/components").unwrap().properties;
        assert_eq!(schema["document"]["components"]["schemas"]["Parcel"]["type"], "object");
    }
}
