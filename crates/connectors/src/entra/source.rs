//! Azure AD B2C as a source: users page by page over Graph. Start at [`B2cSource`]; `record.rs` turns one user into one
//! record.

use std::collections::HashSet;

use async_trait::async_trait;
use serde_json::value::RawValue;
use sterna_core::{
    code::{Code, Finding},
    port::{Cursor, Page, Record, Source, SourceError},
    registry::Context,
};

use super::{
    config::SourceConfig,
    dto::List,
    failure::{ReadError, finding, of_source},
    graph::Graph,
    paging::Trail,
    record::record,
    tenant,
};
use crate::http::encode;

/// Properties of users that are always read.
const SELECT: &str = "id,userPrincipalName,userType,creationType,identities,displayName,givenName,surname,mail,otherMails,\
                      mobilePhone,businessPhones,jobTitle,department,companyName,streetAddress,city,state,postalCode,\
                      country,usageLocation,preferredLanguage,accountEnabled,createdDateTime,lastPasswordChangeDateTime";

/// The users of an Azure AD B2C tenant.
pub struct B2cSource {
    config: SourceConfig,
    context: Context,
    ready: Option<Ready>,
}

/// What is known once the tenant was asked.
struct Ready {
    graph: Graph,
    extensions: Extensions,
    administrators: Option<HashSet<String>>,
    total: Option<u64>,
}

/// The extension attributes to read, by full name.
enum Extensions {
    Known(Vec<String>),
    /// The tenant has no application for them.
    NoApp,
    /// They may not be asked for.
    Hidden,
}

impl B2cSource {
    /// A source that connects when it is first asked for something.
    pub fn new(config: SourceConfig, context: Context) -> Self {
        Self { config, context, ready: None }
    }

    async fn ready(&mut self) -> Result<&Ready, SourceError> {
        if self.ready.is_none() {
            self.ready = Some(self.connect().await?);
        }
        self.ready.as_ref().ok_or_else(|| SourceError::new(Code::E3001, "the tenant was not connected to"))
    }

    async fn connect(&self) -> Result<Ready, SourceError> {
        let graph = Graph::new(&self.config.connection, &self.context).map_err(of_source)?;
        let extensions = self.extensions(&graph).await?;
        let administrators = if self.config.directory_roles { administrators(&graph).await? } else { None };
        let total = graph.count_users().await.ok();
        Ok(Ready { graph, extensions, administrators, total })
    }

    /// The configured attributes, else all that the extension application has.
    async fn extensions(&self, graph: &Graph) -> Result<Extensions, SourceError> {
        let wanted = &self.config.extension_attributes;
        let (full, bare): (Vec<_>, Vec<_>) = wanted.iter().cloned().partition(|name| name.starts_with("extension_"));
        if bare.is_empty() && !full.is_empty() {
            return Ok(Extensions::Known(full));
        }
        let app = match tenant::extension_app(graph, &self.config.connection).await {
            Ok(app) => app,
            Err(error) if wanted.is_empty() && error.code == Code::E2012 => return Ok(Extensions::NoApp),
            Err(error) if wanted.is_empty() && error.code == Code::E2004 => return Ok(Extensions::Hidden),
            Err(error) => return Err(of_source(error)),
        };
        if !bare.is_empty() {
            let prefix = app.prefix();
            return Ok(Extensions::Known(
                full.into_iter().chain(bare.iter().map(|b| format!("{prefix}{b}"))).collect(),
            ));
        }
        let defined =
            tenant::defined(graph, &app).await.map_err(|error| opening(error, "reading the extension attributes"))?;
        Ok(match defined {
            Some(list) => Extensions::Known(list.into_iter().map(|property| property.name).collect()),
            None => Extensions::Hidden,
        })
    }
}

impl Ready {
    fn first_link(&self, config: &SourceConfig) -> String {
        let mut select = SELECT.to_owned();
        let extensions = match &self.extensions {
            Extensions::Known(names) => names.as_slice(),
            Extensions::NoApp | Extensions::Hidden => &[],
        };
        for name in extensions.iter().chain(&config.attributes) {
            select.push(',');
            select.push_str(name);
        }
        if config.sign_in_activity {
            select.push_str(",signInActivity");
        }
        self.graph.url(&format!("/users?$select={}&$top={}", encode(&select), config.page))
    }
}

#[async_trait]
impl Source for B2cSource {
    async fn preflight(&mut self) -> Vec<Finding> {
        let config = self.config.clone();
        let ready = match self.ready().await {
            Ok(ready) => ready,
            Err(error) => return vec![finding(error)],
        };
        let mut findings = Vec::new();
        let probe = format!("/users?$select=id{}&$top=1", if config.sign_in_activity { ",signInActivity" } else { "" });
        if let Err(error) = ready.graph.get::<List<Box<RawValue>>>(&probe).await {
            let hint = if config.sign_in_activity {
                "grant User.Read.All and AuditLog.Read.All, or set `sign_in_activity = false`"
            } else {
                "grant User.Read.All and let an administrator consent"
            };
            findings.push(finding(opening(error, "reading users").hint(hint)));
        }
        match &ready.extensions {
            Extensions::Known(_) => {}
            Extensions::NoApp => {
                findings.push(Finding::note(
                    Code::E2012,
                    "the tenant has no b2c-extensions-app, so no extension attributes",
                ));
            }
            Extensions::Hidden => {
                let warning = Finding::warning(Code::E2004, "the extension attributes may not be read");
                findings.push(warning.hint("grant Application.Read.All, or list `extension_attributes` by full name"));
            }
        }
        if config.directory_roles && ready.administrators.is_none() {
            let note = Finding::note(Code::E3202, "members of directory roles may not be read");
            findings
                .push(note.hint("work accounts are left out anyway; grant RoleManagement.Read.Directory for the rest"));
        }
        findings
    }

    async fn read(&mut self, cursor: Option<&Cursor>) -> Result<Page, SourceError> {
        let config = self.config.clone();
        let ready = self.ready().await?;
        let trail = match cursor {
            None => Trail::start(ready.first_link(&config)),
            Some(cursor) => Trail::from_cursor(cursor)
                .ok_or_else(|| SourceError::new(Code::E3006, "the cursor is none of this source's"))?,
        };
        let page: List<Box<RawValue>> =
            ready.graph.follow(&trail.link).await.map_err(|error| opening(error, "reading a page of users"))?;
        let none = HashSet::new();
        let administrators = ready.administrators.as_ref().unwrap_or(&none);
        let records = page.value.iter().map(|raw| record(raw.get().as_bytes(), administrators)).collect();
        let read = trail.pages().saturating_mul(config.page);
        let done = ready.total.filter(|total| *total > 0).map(|total| fraction(read, total));
        let next = page.next.map(|next| trail.step(next)).transpose().map_err(|circle| {
            SourceError::new(Code::E3008, "Graph gave a next page that was read before").caused_by(circle)
        })?;
        let done = if next.is_none() { Some(1.0) } else { done };
        Ok(Page { records, next: next.map(|trail| trail.to_cursor()), done })
    }

    fn mend(&mut self, raw: &[u8]) -> Record {
        let none = HashSet::new();
        let administrators = self.ready.as_ref().and_then(|ready| ready.administrators.as_ref());
        record(raw, administrators.unwrap_or(&none))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a progress bar needs no more than 52 bits")]
fn fraction(part: u64, of: u64) -> f64 {
    (part as f64 / of as f64).min(1.0)
}

/// Everybody in a directory role; `None` when roles may not be read.
async fn administrators(graph: &Graph) -> Result<Option<HashSet<String>>, SourceError> {
    #[derive(serde::Deserialize)]
    struct Id {
        id: String,
    }
    let doing = "reading the directory roles";
    let roles: Vec<Id> = match graph.list("/directoryRoles?$select=id").await {
        Ok(roles) => roles,
        Err(error) if error.is_refusal() => return Ok(None),
        Err(error) => return Err(opening(error, doing)),
    };
    let mut all = HashSet::new();
    for role in roles {
        let members = graph.list::<Id>(&format!("/directoryRoles/{}/members?$select=id", encode(&role.id))).await;
        match members {
            Ok(members) => all.extend(members.into_iter().map(|member| member.id)),
            Err(error) if error.is_refusal() => return Ok(None),
            Err(error) => return Err(opening(error, doing)),
        }
    }
    Ok(Some(all))
}

fn opening(error: ReadError, doing: &str) -> SourceError {
    match error {
        ReadError::Shape => SourceError::new(Code::E3007, format!("{doing}: the answer has an unknown form")),
        ReadError::Elsewhere => SourceError::new(Code::E3007, format!("{doing}: the next page is on another server")),
        error => {
            let error = error.during(doing);
            of_source(error)
        }
    }
}
