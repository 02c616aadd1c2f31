//! The tenant itself: domains, organisation, identity providers.

use serde_json::{Value, json};

use super::Call;
use super::answer::Answer;
use super::only_get;
use super::permission::{READ_DOMAINS, READ_ORGANIZATION, READ_PROVIDERS};
use crate::entra::options::Kind;
use crate::entra::refusal::Refusal;
use crate::entra::scenario::Provider;

pub(super) fn domains(call: &Call<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    only_get(call)?;
    call.caller.needs(READ_DOMAINS)?;
    let all = call.service.names.domains();
    match path {
        [] => Ok(call.collection("domains", all)),
        [name] => {
            let found =
                all.into_iter().find(|domain| domain["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(name)));
            Ok(call.entity(200, "domains", found.ok_or_else(|| Refusal::missing(name))?))
        }
        [_, segment, ..] => Err(Refusal::unknown_segment(segment)),
    }
}

pub(super) fn organization(call: &Call<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    only_get(call)?;
    call.caller.needs(READ_ORGANIZATION)?;
    let names = &call.service.names;
    let (used, total) = call.directory().size();
    let tenant_type = match call.service.kind {
        Kind::EntraExternalId => "CIAM",
        Kind::AzureAdB2c => "AAD B2C",
    };
    let organization = json!({
        "id": names.id,
        "displayName": names.display_name,
        "tenantType": tenant_type,
        "countryLetterCode": "NL",
        "createdDateTime": "2026-01-01T00:00:00Z",
        "verifiedDomains": names.verified_domains(),
        "directorySizeQuota": { "used": used, "total": total },
    });
    match path {
        [] => Ok(call.collection("organization", vec![organization])),
        [id] if id.eq_ignore_ascii_case(&names.id) => Ok(call.entity(200, "organization", organization)),
        [id] => Err(Refusal::missing(id)),
        [_, segment, ..] => Err(Refusal::unknown_segment(segment)),
    }
}

pub(super) fn identity_providers(call: &Call<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    only_get(call)?;
    call.caller.needs(READ_PROVIDERS)?;
    let all: Vec<Value> = call.service.providers.iter().map(provider).collect();
    match path {
        [] => Ok(call.collection("identity/identityProviders", all)),
        ["availableProviderTypes"] => Err(Refusal::unknown_segment("availableProviderTypes")),
        [id] => {
            let found = all.into_iter().find(|provider| provider["id"] == **id);
            Ok(call.entity(200, "identity/identityProviders", found.ok_or_else(|| Refusal::missing(id))?))
        }
        [_, segment, ..] => Err(Refusal::unknown_segment(segment)),
    }
}

fn provider(provider: &Provider) -> Value {
    let kind = provider.kind.as_deref().unwrap_or(&provider.name);
    if provider.id.ends_with("-OAUTH") {
        return json!({
            "@odata.type": "#microsoft.graph.socialIdentityProvider",
            "id": provider.id,
            "displayName": provider.name,
            "identityProviderType": kind,
            "clientId": "emulated",
            "clientSecret": "******",
        });
    }
    json!({
        "@odata.type": "#microsoft.graph.builtInIdentityProvider",
        "id": provider.id,
        "displayName": provider.name,
        "identityProviderType": kind,
    })
}

/// The providers of a tenant whose scenario names none.
pub(crate) fn default_providers() -> Vec<Provider> {
    let provider =
        |id: &str, name: &str, kind: &str| Provider { id: id.into(), name: name.into(), kind: Some(kind.into()) };
    vec![
        provider("EmailPassword", "Email with password", "EmailPassword"),
        provider("Google-OAUTH", "Google", "Google"),
        provider("Facebook-OAUTH", "Facebook", "Facebook"),
    ]
}
