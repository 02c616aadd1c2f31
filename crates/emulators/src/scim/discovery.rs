//! What the service says about itself (RFC 7643 5 to 7, RFC 7644 4).

use serde_json::{Value, json};

use super::answer::Answer;
use super::call::{Call, Outcome};
use super::quirk;
use super::refusal::Refusal;
use super::schema::{LIST_RESPONSE, RESOURCE_TYPE, ResourceType, SCHEMA, SERVICE_PROVIDER_CONFIG, Schema};

impl Call<'_> {
    /// Answers `GET` of one of the three endpoints.
    pub(crate) fn discovery(&self, endpoint: &str, name: Option<&str>) -> Outcome {
        // RFC 7644 4: a filter here is refused, so that nobody trusts an answer that ignored it
        if self.item.parameter("filter").is_some() {
            return Err(Refusal::new(403, "Discovery cannot be filtered."));
        }
        let is_hidden = endpoint != "ServiceProviderConfig" && self.service.quirks().has(&quirk::NO_SCHEMAS);
        if is_hidden {
            return Err(Refusal::not_found("such address"));
        }
        let mut body = match (endpoint, name) {
            ("ServiceProviderConfig", None) => self.config(),
            ("Schemas", None) => {
                Self::listed_all(self.service.profile.catalogue.schemas().iter().map(|s| self.schema(s)))
            }
            ("Schemas", Some(id)) => {
                let schema = self.service.profile.catalogue.schema(id);
                self.schema(schema.ok_or_else(|| Refusal::not_found("such schema"))?)
            }
            ("ResourceTypes", None) => {
                Self::listed_all(self.service.profile.catalogue.types().iter().map(|known| self.resource_type(known)))
            }
            ("ResourceTypes", Some(name)) => {
                let catalogue = &self.service.profile.catalogue;
                let kind = catalogue.kind(name).ok_or_else(|| Refusal::not_found("such resource type"))?;
                self.resource_type(catalogue.resource_type(kind))
            }
            _ => return Err(Refusal::not_found("such address")),
        };
        self.service.profile.product.discovery(self, self.item, &mut body);
        Ok(Answer::json(200, body))
    }

    fn listed_all(resources: impl Iterator<Item = Value>) -> Value {
        let resources: Vec<Value> = resources.collect();
        let count = resources.len();
        json!({
            "schemas": [LIST_RESPONSE],
            "totalResults": count,
            "startIndex": 1,
            "itemsPerPage": count,
            "Resources": resources,
        })
    }

    fn meta(&self, resource_type: &str, path: &str) -> Value {
        json!({ "resourceType": resource_type, "location": format!("{}{path}", self.item.base) })
    }

    fn schema(&self, schema: &Schema) -> Value {
        let mut body = json!(schema);
        body["schemas"] = json!([SCHEMA]);
        body["meta"] = self.meta("Schema", &format!("/Schemas/{}", schema.id));
        body
    }

    fn resource_type(&self, known: &ResourceType) -> Value {
        let mut body = json!({
            "schemas": [RESOURCE_TYPE],
            "id": known.name,
            "name": known.name,
            "endpoint": known.endpoint,
            "description": known.description,
            "schema": known.schema,
            "meta": self.meta("ResourceType", &format!("/ResourceTypes/{}", known.name)),
        });
        if !known.extensions.is_empty() {
            let extension = |(id, required): &(String, bool)| json!({ "schema": id, "required": required });
            body["schemaExtensions"] = known.extensions.iter().map(extension).collect();
        }
        body
    }

    fn config(&self) -> Value {
        let (features, limits) = (self.service.features, self.service.limits);
        let is_cursor_only = self.service.quirks().has(&quirk::CURSOR_ONLY);
        let by_index = features.index_paging && !is_cursor_only;
        let scheme = |kind: &str, name: &str, specification: &str, is_primary: bool| {
            json!({
                "type": kind,
                "name": name,
                "description": name,
                "specUri": specification,
                "primary": is_primary,
            })
        };
        let mut body = json!({
            "schemas": [SERVICE_PROVIDER_CONFIG],
            "patch": { "supported": features.patch },
            "bulk": {
                "supported": features.bulk,
                "maxOperations": limits.max_operations,
                "maxPayloadSize": limits.max_payload_bytes,
            },
            "filter": { "supported": features.filter, "maxResults": limits.max_results },
            "changePassword": { "supported": features.change_password },
            "sort": { "supported": features.sort },
            "etag": { "supported": features.etag },
            "authenticationSchemes": [
                scheme("oauthbearertoken", "OAuth Bearer Token", "https://www.rfc-editor.org/info/rfc6750", true),
                scheme("httpbasic", "HTTP Basic", "https://www.rfc-editor.org/info/rfc7617", false),
            ],
            "meta": self.meta("ServiceProviderConfig", "/ServiceProviderConfig"),
        });
        if features.cursor_paging {
            body["pagination"] = json!({
                "cursor": true,
                "index": by_index,
                "defaultPaginationMethod": if by_index { "index" } else { "cursor" },
                "defaultPageSize": limits.default_page.min(limits.max_results),
                "maxPageSize": limits.max_results,
                "cursorTimeout": limits.cursor_timeout.as_secs(),
            });
        }
        body
    }
}
