//! The tenant's names: initial, default and other domains, id.

use serde_json::{Value, json};

use super::scenario::Tenant;

/// The names of the tenant; they do not change while the emulator runs.
#[derive(Debug, Clone)]
pub(crate) struct TenantNames {
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) initial_domain: String,
    pub(crate) default_domain: String,
    verified: Vec<String>,
    unverified: Vec<String>,
}

impl TenantNames {
    /// Completes what the scenario says; `id` is used when it names none.
    pub(crate) fn new(settings: &Tenant, id: String) -> Result<Self, String> {
        let initial = settings.name.clone().unwrap_or_else(|| "contoso.onmicrosoft.com".to_owned());
        let label = initial.split('.').next().unwrap_or_default().to_owned();
        let mut verified = vec![initial.clone()];
        verified.extend(settings.domains.iter().cloned());
        let default = settings.default_domain.clone().unwrap_or_else(|| initial.clone());
        if !verified.iter().any(|domain| domain.eq_ignore_ascii_case(&default)) {
            return Err(format!("the default domain {default} is not one of the tenant's verified domains"));
        }
        Ok(Self {
            id: settings.id.clone().unwrap_or(id),
            display_name: settings.display_name.clone().unwrap_or(label),
            initial_domain: initial,
            default_domain: default,
            verified,
            unverified: settings.unverified_domains.clone(),
        })
    }

    pub(crate) fn is_verified(&self, domain: &str) -> bool {
        self.verified.iter().any(|known| known.eq_ignore_ascii_case(domain))
    }

    /// Whether `name` (in a path) means this tenant: its id or one of its verified domains.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.id.eq_ignore_ascii_case(name) || self.is_verified(name)
    }

    /// The `domain` resources, the initial one first.
    pub(crate) fn domains(&self) -> Vec<Value> {
        let all = self.verified.iter().map(|name| (name, true)).chain(self.unverified.iter().map(|name| (name, false)));
        all.map(|(name, verified)| self.domain(name, verified)).collect()
    }

    fn domain(&self, name: &str, verified: bool) -> Value {
        json!({
            "id": name,
            "authenticationType": "Managed",
            "availabilityStatus": Value::Null,
            "isAdminManaged": true,
            "isDefault": *name == *self.default_domain,
            "isInitial": *name == *self.initial_domain,
            "isRoot": true,
            "isVerified": verified,
            "passwordNotificationWindowInDays": 14,
            "passwordValidityPeriodInDays": 2_147_483_647_u32,
            "supportedServices": if verified { json!(["Email"]) } else { json!([]) },
        })
    }

    /// The `verifiedDomains` of the organisation.
    pub(crate) fn verified_domains(&self) -> Value {
        let domain = |name: &String| {
            json!({
                "capabilities": "Email",
                "isDefault": *name == self.default_domain,
                "isInitial": *name == self.initial_domain,
                "name": name,
                "type": "Managed",
            })
        };
        self.verified.iter().map(domain).collect()
    }
}
