//! WSO2 Identity Server and Asgardeo: the hook `wso2-silent` and the script that calls it (wso2-scim.md 1.2).
//!
//! A conditional-authentication script runs in the target's login. Where the password is not the target's own it asks a
//! service of ours, lets the browser wait, fetches the result and, on a yes, writes the password itself. Start at
//! `hook.rs`, the service's three calls; [`script`] writes the other half, the JavaScript. [`source`] reads people out of
//! Identity Server.

mod hook;
pub mod script;
mod settings;
pub mod source;
pub(crate) mod state;

use std::sync::Arc;

use sterna_core::{
    code::Finding,
    hook::{HookDialect, HookKind, Material, Needs},
    settings::{Setting, Values},
    support::{Asks, HookSupport},
};

use self::{hook::Hook, settings::Config};
use crate::hooks::callers::Callers;

/// The kind of hook.
pub struct Kind;

impl HookKind for Kind {
    fn kind(&self) -> &'static str {
        "wso2-silent"
    }

    fn title(&self) -> &'static str {
        "WSO2 Identity Server or Asgardeo, by a conditional-authentication script (on-demand silent password migration)"
    }

    fn settings(&self) -> &'static [Setting] {
        settings::SETTINGS
    }

    fn sample(&self) -> &'static str {
        "bearer_token = { env = \"WSO2_HOOK_TOKEN\" }\nallowed_origins = [\"https://login.example.com\"]   # where the wait page is\n# latin1_bodies = true   # Asgardeo, where the script uses callChoreo\n"
    }

    fn support(&self) -> Option<HookSupport> {
        Some(HookSupport { does: &[Asks::Background], tested_with: &[] })
    }

    fn needs(&self, values: &Values) -> Result<Needs, Vec<Finding>> {
        let mut needs = Needs::default();
        let callers = Callers::needs(values, &mut needs).err().into_iter().flatten();
        let findings: Vec<_> = callers.chain(Config::new(values).err().into_iter().flatten()).collect();
        if findings.is_empty() { Ok(needs) } else { Err(findings) }
    }

    fn open(&self, values: &Values, material: &Material) -> Result<Arc<dyn HookDialect>, Vec<Finding>> {
        let (callers, config) = (Callers::new(values, material)?, Config::new(values)?);
        Ok(Arc::new(Hook { callers, config }))
    }
}
