//! The lines of the registry: two kinds of target and one of source.

use std::sync::Arc;

use async_trait::async_trait;
use sterna_core::{
    code::{Code, Finding},
    plan::Strategy,
    port::{Source, Target, TargetError},
    registry::{self, Context},
    settings::{Setting, Values},
    support::{Does, Gives, SourceSupport, TargetSupport},
};

use super::{
    config::{Product, SourceConfig, TargetConfig},
    settings,
    source::B2cSource,
    target::EntraTarget,
};

/// A tenant as a target.
pub struct TargetKind(pub Product);

#[async_trait]
impl registry::TargetKind for TargetKind {
    fn kind(&self) -> &'static str {
        self.0.kind()
    }

    fn title(&self) -> &'static str {
        match self.0 {
            Product::ExternalId => "Microsoft Entra External ID, an external tenant, through Microsoft Graph",
            Product::B2c => "Azure AD B2C, through Microsoft Graph",
        }
    }

    fn settings(&self) -> &'static [Setting] {
        settings::TARGET
    }

    fn sample(&self) -> &'static str {
        TARGET_SAMPLE
    }

    fn support(&self) -> Option<TargetSupport> {
        Some(TargetSupport {
            does: &[
                Does::Create,
                Does::Update,
                Does::Link,
                Does::Remove,
                Does::ReadBack,
                Does::Identities,
                Does::Passwords,
                Does::Flag,
            ],
            strategies: &[Strategy::JustInTime, Strategy::Set, Strategy::Reset],
            quota: "documented by Microsoft Graph, per application and tenant; answers 429 and headers win",
            tested_with: &[],
        })
    }

    fn check(&self, values: &Values) -> Vec<Finding> {
        TargetConfig::new(self.0, values).err().unwrap_or_default()
    }

    async fn connect(&self, values: &Values, context: &Context) -> Result<Arc<dyn Target>, TargetError> {
        let config = TargetConfig::new(self.0, values).map_err(|findings| {
            let first = findings.into_iter().next();
            let (code, message) = first.map_or((Code::E1005, String::new()), |first| (first.code, first.message));
            TargetError::new(code, message)
        })?;
        Ok(Arc::new(EntraTarget::connect(config, context).await?))
    }
}

/// An Azure AD B2C tenant as a source.
pub struct SourceKind;

impl registry::SourceKind for SourceKind {
    fn kind(&self) -> &'static str {
        Product::B2c.kind()
    }

    fn title(&self) -> &'static str {
        "the users of an Azure AD B2C tenant, through Microsoft Graph"
    }

    fn settings(&self) -> &'static [Setting] {
        settings::SOURCE
    }

    fn sample(&self) -> &'static str {
        SOURCE_SAMPLE
    }

    fn support(&self) -> Option<SourceSupport> {
        Some(SourceSupport { gives: &[Gives::Identities], tested_with: &[] })
    }

    fn open(&self, values: &Values, context: &Context) -> Result<Box<dyn Source>, Vec<Finding>> {
        let config = SourceConfig::new(values)?;
        Ok(Box::new(B2cSource::new(config, context.clone())))
    }
}

const TARGET_SAMPLE: &str = r#"tenant = "contoso.onmicrosoft.com"                # initial domain or id of the tenant
client_id = "00001111-aaaa-2222-bbbb-3333cccc4444"
client_secret = { env = "ENTRA_CLIENT_SECRET" }   # or { file = … } or { command = […] }
# certificate = "app.pem"                         # instead of a secret, with:
# private_key = { file = "app.key" }
# write_share = 0.9                               # the rest of the quota is left to live sign-up
# more app registrations, each with a write quota of its own:
# applications = [{ client_id = "…", client_secret = { env = "ENTRA_CLIENT_SECRET_2" } }]
# relink_issuers = ["facebook.com"]               # where the provider's application changes, ids do not hold
# graph_url, login_url, ca_file                   # for emulators and other clouds; or cloud = "us-gov"
"#;

const SOURCE_SAMPLE: &str = r#"tenant = "legacy.onmicrosoft.com"                 # initial domain or id of the B2C tenant
client_id = "00001111-aaaa-2222-bbbb-3333cccc4444"
client_secret = { env = "B2C_CLIENT_SECRET" }     # or { file = … } or { command = […] }
# extension_attributes = ["loyaltyId"]            # without it all of the b2c-extensions-app's are read
# sign_in_activity = true                         # needs AuditLog.Read.All
"#;
