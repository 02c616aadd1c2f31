//! The lines of the registry.

use std::sync::Arc;

use async_trait::async_trait;
use sterna_core::{
    code::{Code, Finding},
    plan::Strategy,
    port::{Target, TargetError},
    registry::{self, Context},
    settings::{Setting, Values},
    support::{Does, TargetSupport},
};

use super::{config::TargetConfig, dialect::Product, settings, target::ScimTarget};

/// A SCIM service as a target.
pub struct TargetKind(pub Product);

const DOES: &[Does] = &[Does::Create, Does::Update, Does::Remove, Does::ReadBack, Does::Groups, Does::Passwords];

const WSO2_DOES: &[Does] = &[
    Does::Create,
    Does::Update,
    Does::Link,
    Does::Remove,
    Does::ReadBack,
    Does::Identities,
    Does::Groups,
    Does::Roles,
    Does::Passwords,
    Does::Flag,
];

#[async_trait]
impl registry::TargetKind for TargetKind {
    fn kind(&self) -> &'static str {
        self.0.kind()
    }

    fn title(&self) -> &'static str {
        match self.0 {
            Product::Scim => "any service that keeps to SCIM 2.0 (RFC 7643, RFC 7644)",
            Product::Wso2Is => "WSO2 Identity Server, through SCIM 2.0",
            Product::Asgardeo => "an organisation of Asgardeo, through SCIM 2.0",
        }
    }

    fn settings(&self) -> &'static [Setting] {
        match self.0 {
            Product::Scim => settings::SCIM,
            Product::Wso2Is => settings::WSO2_IS,
            Product::Asgardeo => settings::ASGARDEO,
        }
    }

    fn sample(&self) -> &'static str {
        match self.0 {
            Product::Scim => settings::SCIM_SAMPLE,
            Product::Wso2Is => settings::WSO2_IS_SAMPLE,
            Product::Asgardeo => settings::ASGARDEO_SAMPLE,
        }
    }

    fn support(&self) -> Option<TargetSupport> {
        Some(match self.0 {
            Product::Scim => TargetSupport {
                does: DOES,
                strategies: &[Strategy::Set, Strategy::Reset],
                quota: "as configured; 429 and Retry-After win",
                tested_with: &["scim2-server 0.8.3", "SCIMMY 1.3"],
            },
            Product::Wso2Is => TargetSupport {
                does: WSO2_DOES,
                strategies: &[Strategy::JustInTime, Strategy::Set, Strategy::Reset],
                quota: "as configured; 429 and Retry-After win",
                tested_with: &[],
            },
            Product::Asgardeo => TargetSupport {
                does: WSO2_DOES,
                strategies: &[Strategy::JustInTime, Strategy::Set, Strategy::Reset],
                quota: "documented: 5 Bulk requests of 100 and 200 other calls a minute",
                tested_with: &[],
            },
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
        Ok(Arc::new(ScimTarget::connect(config, context).await?))
    }
}
