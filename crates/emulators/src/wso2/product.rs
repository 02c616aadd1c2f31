//! The products' own ways on the form of the SCIM emulator: every hook, in the order in which a request meets them.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use http::{HeaderMap, Method};
use serde_json::{Map, Value, json};

use super::account::Account;
use super::bulk::Bulk;
use super::catalogue::SYSTEM;
use super::incoming::Habits;
use super::links::{self, Links};
use super::names::Stores;
use super::policy::check_user_name;
use super::scopes::{self, Act, Area};
use super::settings::{Kind as ProductKind, Settings, Version};
use super::sign_in::settings::SilentMigration;
use super::sign_in::token::Tokens;
use super::{lists, people, quirk, tokens, words};
use crate::scim::access::Caller;
use crate::scim::answer::Answer;
use crate::scim::call::{Call, Item, Outcome};
use crate::scim::list::ListQuery;
use crate::scim::product::{Change, ControlOutcome, Product, Shown};
use crate::scim::quirk::Quirk;
use crate::scim::refusal::Refusal;
use crate::scim::schema::{ENTERPRISE, Kind};
use crate::scim::service::{Service, Trouble};

/// The numbers of the resource types in the catalogue.
pub(super) const USERS: Kind = 0;
pub(super) const GROUPS: Kind = 1;

/// Characters of a value in the default database (wso2-scim.md 2.4).
const LONGEST_VALUE: usize = 1_024;

/// One of the two products.
pub(super) struct Wso2 {
    pub(super) kind: ProductKind,
    pub(super) settings: Settings,
    pub(super) stores: Stores,
    links: Mutex<Links>,
    /// Users that there are.
    users: AtomicUsize,
    pub(super) migration: RwLock<Option<Arc<SilentMigration>>>,
    pub(super) tokens: Tokens,
}

impl Wso2 {
    pub(super) fn new(kind: ProductKind, settings: Settings, users: usize, tokens: Tokens) -> Self {
        Self {
            kind,
            stores: Stores::new(kind.default_store(), &settings.user_stores, kind == ProductKind::Asgardeo),
            links: Mutex::new(Links::new(&settings.connections)),
            settings,
            users: AtomicUsize::new(users),
            migration: RwLock::default(),
            tokens,
        }
    }

    /// Where the attributes of the product itself are.
    pub(super) fn system_schema(&self) -> &'static str {
        if self.settings.version(self.kind) >= Version::V7_1 { SYSTEM } else { ENTERPRISE }
    }

    pub(super) fn account(&self) -> Account<'_> {
        Account {
            urn: self.system_schema(),
            rules: self.settings.passwords(self.kind),
            history: self.settings.password_history,
            codes: true,
            invitations: self.settings.invitations,
            lock_on_creation: self.settings.lock_on_creation,
        }
    }

    fn links(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The path of the interface for links behind its base.
    fn link_path<'p>(&self, path: &'p str) -> Option<&'p str> {
        let base = format!("/t/{}{LINKS}", self.settings.tenant(self.kind));
        let super_tenant = (self.kind == ProductKind::IdentityServer).then_some(LINKS);
        [Some(base.as_str()), super_tenant].into_iter().flatten().find_map(|base| path.strip_prefix(base))
    }

    /// The attributes of a user that are about to be stored.
    fn user(
        &self,
        service: &Service,
        before: Option<&Map<String, Value>>,
        data: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        self.user_name(before, data)?;
        move_system_attributes(service, data);
        if longest(data.values()) > LONGEST_VALUE {
            let is_silent = before.is_none() && service.quirks().has(&quirk::UNMAPPED_ERROR_202);
            let status = if is_silent { 202 } else { 500 };
            return Err(Refusal::new(status, "Error in adding the user to the user store."));
        }
        let account = Account { codes: service.quirks().has(&quirk::PASSWORD_ERROR_CODES), ..self.account() };
        let written = account.write(before, data, service.clock.now().wall);
        written.map_err(|detail| Refusal::bad("invalidValue", detail))
    }

    /// User names have a form, a store, and stay what they are (wso2-scim.md 2.5).
    fn user_name(&self, before: Option<&Map<String, Value>>, data: &mut Map<String, Value>) -> Result<(), Refusal> {
        let Some(text) = data.get("userName").and_then(Value::as_str) else { return Ok(()) };
        let name = self.stores.part(text).map_err(|store| words::unknown_store(&store))?;
        let shown = self.stores.shown(&name);
        match before.and_then(|before| before.get("userName")).and_then(Value::as_str) {
            Some(old) if old.to_lowercase() != shown.to_lowercase() => {
                return Err(Refusal::bad("mutability", "Username cannot be updated."));
            }
            Some(old) => {
                let old = Value::from(old);
                data.insert("userName".to_owned(), old);
            }
            None => {
                let form = check_user_name(self.settings.user_names(self.kind), &name.name);
                form.map_err(|detail| Refusal::bad("invalidValue", detail))?;
                data.insert("userName".to_owned(), Value::from(shown));
            }
        }
        Ok(())
    }

    /// Groups are in a store like users (wso2-scim.md 2.10).
    fn group_name(&self, data: &mut Map<String, Value>) -> Result<(), Refusal> {
        let Some(text) = data.get("displayName").and_then(Value::as_str) else { return Ok(()) };
        let name = self.stores.part(text).map_err(|store| words::unknown_store(&store))?;
        data.insert("displayName".to_owned(), Value::from(self.stores.shown(&name)));
        Ok(())
    }

    /// Users can be members of groups of their own store only.
    fn check_members(&self, call: &Call<'_>, body: &Value) -> Result<(), Refusal> {
        let store = call.service.store();
        let name_of = |kind: Kind, id: &str, attribute: &str| {
            let slot = store.slot_of(kind, id)?;
            let data = store.latest(slot)?.data();
            data.get(attribute).and_then(Value::as_str).map(ToOwned::to_owned)
        };
        let id = call.item.segments().last().copied().unwrap_or_default();
        let group = name_of(GROUPS, id, "displayName");
        let group = group.or_else(|| body["displayName"].as_str().map(ToOwned::to_owned));
        let group_store = self.stores.of(&group.unwrap_or_default());
        let mut members = Vec::new();
        member_ids(body, false, &mut members);
        let is_elsewhere =
            |id: &&String| name_of(USERS, id, "userName").is_some_and(|name| self.stores.of(&name) != group_store);
        match members.iter().find(is_elsewhere) {
            Some(_) => {
                let detail =
                    "One or more group members do not exist in the same user store. Hence, can not create the group.";
                Err(Refusal::bad("invalidValue", detail))
            }
            None => Ok(()),
        }
    }

    fn habits(service: &Service) -> Habits {
        let quirks = service.quirks();
        Habits { trims: quirks.has(&quirk::TRIMMED_TEXTS), text_booleans: quirks.has(&quirk::ANY_TEXT_IS_FALSE) }
    }

    /// The area of a SCIM request and what is done there; nothing for discovery.
    fn asked(item: &Item) -> Option<(Area, Act)> {
        let segments = item.segments();
        let (area, rest) = match segments.as_slice() {
            ["Users", rest @ ..] => (Area::Users, rest),
            ["Groups", rest @ ..] => (Area::Groups, rest),
            ["v2", "Roles", rest @ ..] => (Area::Roles, rest),
            _ => return None,
        };
        let act = match (item.method.as_str(), rest) {
            ("GET", []) | ("POST", [".search"]) => Act::List,
            ("GET", _) => Act::View,
            ("POST", _) => Act::Create,
            ("DELETE", _) => Act::Delete,
            _ => Act::Update,
        };
        Some((area, act))
    }

    fn link_outcome(&self, call: &Call<'_>, path: &str) -> Outcome {
        let version = self.settings.version(self.kind);
        let item = call.item;
        let demand = |area, act| {
            let scope = scopes::needed(area, act, false);
            if call.caller.may(&scope) { Ok(()) } else { Err(words::forbidden()) }
        };
        let exists = |id: &str| {
            let store = call.service.store();
            store.slot_of(USERS, id).is_some_and(|slot| store.latest(slot).is_some())
        };
        let plain = |status: u16, body: Value| {
            let answer = if body.is_null() { Answer::empty(status) } else { Answer::json(status, body) };
            Ok(Answer { content_type: "application/json", ..answer })
        };
        let refused = |refusal: &links::UaaError| plain(refusal.status, refusal.body());
        if path == "/federated-associations/bulk" && item.method == Method::POST && version >= Version::V7_2 {
            demand(Area::LinksBulk, Act::Create)?;
            return match self.links().bulk(&item.json()?, &exists) {
                Ok(body) => plain(200, body),
                Err(refusal) => refused(&refusal),
            };
        }
        let Some((user, asked)) = links::asked(item.method.as_str(), path) else { return Err(words::not_found()) };
        let (act, status) = match asked {
            links::Asked::Add if version < Version::V7_1 => {
                return Err(Refusal::new(405, "HTTP 405 Method Not Allowed"));
            }
            links::Asked::Add if call.service.quirks().has(&quirk::LINK_MADE_201) => (Act::Create, 201),
            links::Asked::Add => (Act::Create, 200),
            links::Asked::List => (Act::View, 200),
            links::Asked::Remove(_) => (Act::Delete, 204),
        };
        demand(Area::Links, act)?;
        let data = if asked == links::Asked::Add { item.json()? } else { Value::Null };
        match self.links().answer(user, asked, &data, &exists) {
            Ok(body) => plain(status, body),
            Err(refusal) => refused(&refusal),
        }
    }
}

/// The product's attributes are declared in the enterprise extension too, and are the same claims (wso2-scim.md 2.6).
fn move_system_attributes(service: &Service, data: &mut Map<String, Value>) {
    let Some(system) = service.profile.catalogue.schema(SYSTEM) else { return };
    let Some(Value::Object(enterprise)) = data.get_mut(ENTERPRISE) else { return };
    let is_system = |name: &String| system.attributes.iter().any(|attribute| attribute.name == *name);
    let names: Vec<String> = enterprise.keys().filter(|name| is_system(name)).cloned().collect();
    let moved: Vec<(String, Value)> = names.into_iter().filter_map(|name| enterprise.remove_entry(&name)).collect();
    if enterprise.is_empty() {
        data.remove(ENTERPRISE);
    }
    if !moved.is_empty() {
        let own = data.entry(SYSTEM.to_owned()).or_insert_with(|| Value::Object(Map::new()));
        own.as_object_mut().into_iter().for_each(|own| own.extend(moved.clone()));
    }
}

/// The interface for links behind a tenant (wso2-scim.md 6).
pub(super) const LINKS: &str = "/api/users/v1";

/// The longest text of these values.
fn longest<'v>(values: impl Iterator<Item = &'v Value>) -> usize {
    let length = |value: &'v Value| match value {
        Value::String(text) => text.chars().count(),
        Value::Array(elements) => longest(elements.iter()),
        Value::Object(members) => longest(members.values()),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    values.map(length).max().unwrap_or(0)
}

/// The ids in `members`, wherever in a body or a PATCH they are.
fn member_ids(value: &Value, is_member: bool, found: &mut Vec<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| member_ids(element, is_member, found)),
        Value::Object(members) => {
            let is_for_members = members.get("path").and_then(Value::as_str) == Some("members");
            for (name, value) in members {
                match value.as_str() {
                    Some(id) if name == "value" && is_member => found.push(id.to_owned()),
                    _ => member_ids(value, is_member || is_for_members || name == "members", found),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether a request came for a child organisation.
pub(super) fn is_child(item: &Item) -> bool {
    item.base.ends_with("/o/scim2")
}

impl Product for Wso2 {
    fn has_route(&self, call: &Call<'_>) -> bool {
        self.link_path(&call.item.path).is_some()
    }

    fn route(&self, call: &Call<'_>) -> Outcome {
        let path = self.link_path(&call.item.path).ok_or_else(words::not_found)?;
        self.link_outcome(call, path)
    }

    fn admit(&self, call: &Call<'_>) -> Result<(), Refusal> {
        let item = call.item;
        let segments = item.segments();
        if item.is_operation {
            return Ok(());
        }
        if segments.is_empty() || segments == [".search"] {
            return Err(words::not_found());
        }
        if call.service.quirks().has(&quirk::WRONG_TYPE_406) {
            words::check_types(item)?;
        }
        let may = match Self::asked(item) {
            _ if segments == ["Bulk"] => scopes::allow_bulk(call.caller, is_child(item)),
            Some((area, act)) => call.caller.may(&scopes::needed(area, act, is_child(item))),
            None => true,
        };
        if may { Ok(()) } else { Err(words::forbidden()) }
    }

    fn incoming(&self, call: &Call<'_>, kind: Kind, change: Change, body: &mut Value) -> Result<(), Refusal> {
        let (service, habits) = (call.service, Self::habits(call.service));
        match change {
            Change::Patch => habits.patch(&service.profile.catalogue, kind, body),
            Change::Create | Change::Replace => habits.resource(&service.profile.catalogue, kind, body),
        }
        if kind == GROUPS {
            self.check_members(call, body)?;
        }
        if change == Change::Create && service.quirks().has(&quirk::EVERY_CREATE_202) {
            return Err(Refusal::new(202, "An approval workflow holds the request."));
        }
        let is_full = self.settings.user_quota.is_some_and(|most| self.users.load(Ordering::Relaxed) >= most);
        if kind == USERS && change == Change::Create && is_full {
            return Err(Refusal::typed(403, "userLimitReached", "Maximum number of allowed users have been reached."));
        }
        Ok(())
    }

    fn before(
        &self,
        service: &Service,
        kind: Kind,
        _change: Change,
        before: Option<&Map<String, Value>>,
        data: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        match kind {
            USERS => self.user(service, before, data),
            GROUPS => self.group_name(data),
            _ => {
                // a role without an audience is one of the organisation
                let audience = json!({ "type": "organization", "value": self.settings.tenant(self.kind) });
                data.entry("audience").or_insert(audience);
                Ok(())
            }
        }
    }

    fn after(&self, call: &Call<'_>, kind: Kind, change: Change, _data: &Map<String, Value>, answer: &mut Answer) {
        if kind == USERS && change == Change::Create {
            self.users.fetch_add(1, Ordering::Relaxed);
        }
        if kind == GROUPS && change == Change::Patch && call.service.quirks().has(&quirk::GROUP_PATCH_204) {
            (answer.status, answer.body) = (204, None);
        }
    }

    fn before_delete(&self, _service: &Service, kind: Kind, _data: &Map<String, Value>) -> Result<(), Refusal> {
        if kind == USERS {
            // never below zero, whatever the control side deletes
            let less = |users: usize| Some(users.saturating_sub(1));
            let _ = self.users.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
        Ok(())
    }

    fn show(&self, service: &Service, kind: Kind, shown: Shown, view: &mut Map<String, Value>) {
        self.show_resource(service, kind, shown, view);
    }

    fn list(&self, call: &Call<'_>, kind: Option<Kind>, query: &mut ListQuery) -> Result<(), Refusal> {
        lists::prepare(self, call, kind, query)
    }

    fn listed(&self, call: &Call<'_>, kind: Option<Kind>, body: &mut Map<String, Value>) {
        if kind == Some(USERS) && call.service.quirks().has(&quirk::TOTAL_OF_STORE) {
            body.insert("totalResults".to_owned(), Value::from(lists::users_of_default_store(self, call.service)));
        }
    }

    fn conflict(&self, service: &Service, kind: Kind, attribute: &str, data: &Map<String, Value>) -> Refusal {
        words::conflict(&service.quirks(), kind, attribute, data)
    }

    fn error_body(&self, _service: &Service, refusal: &Refusal) -> Value {
        words::error_body(refusal)
    }

    fn bulk(&self, call: &Call<'_>, trouble: &mut Trouble) -> Option<Outcome> {
        let limits = call.service.limits;
        let is_kept = !call.service.quirks().has(&quirk::PAYLOAD_NOT_KEPT);
        if is_kept && call.item.body.len() > limits.max_payload_bytes {
            let detail =
                format!("The size of the bulk operation exceeds the maxPayloadSize ({}).", limits.max_payload_bytes);
            return Some(Err(Refusal::new(413, detail)));
        }
        let quirks = call.service.quirks();
        let mut bulk =
            Bulk { call, quirks: &quirks, is_child: is_child(call.item), made: std::collections::HashMap::new() };
        Some(bulk.run(trouble))
    }

    fn discovery(&self, call: &Call<'_>, item: &Item, body: &mut Value) {
        words::discovery(call, item, body);
        let is_more = self.kind == ProductKind::Asgardeo && call.service.quirks().has(&quirk::ANNOUNCES_MORE);
        if is_more && item.segments() == ["ServiceProviderConfig"] {
            body["bulk"]["maxOperations"] = Value::from(1_000);
        }
    }

    fn unauthorized(&self) -> Refusal {
        let realm = if self.kind == ProductKind::Asgardeo { "Bearer" } else { "Basic realm=\"WSO2\"" };
        Refusal::new(401, "Unauthorized").with("WWW-Authenticate", realm)
    }

    fn basic(&self, _service: &Service, username: &str, password: &str) -> Option<Caller> {
        // the shipped administrator; Asgardeo takes tokens only
        let is_admin = self.kind == ProductKind::IdentityServer && (username, password) == ("admin", "admin");
        is_admin.then(|| Caller { name: "admin".to_owned(), scopes: None })
    }

    fn token(
        &self,
        service: &Service,
        _path: &str,
        headers: &HeaderMap,
        form: &[(String, String)],
    ) -> Option<(u16, Value)> {
        Some(tokens::answer(service, &self.settings.organizations, headers, form))
    }

    fn state(&self, service: &Service) -> Map<String, Value> {
        let ids: Vec<String> = {
            let store = service.store();
            store
                .all(USERS)
                .iter()
                .filter(|slot| store.latest(**slot).is_some())
                .map(|slot| store.id(*slot).to_owned())
                .collect()
        };
        let links = self.links();
        let shown = ids.iter().map(|id| (id.clone(), links.state(id)));
        let links = shown.filter(|(_, links)| links.as_array().is_some_and(|links| !links.is_empty())).collect();
        Map::from_iter([("federatedAssociations".to_owned(), Value::Object(links))])
    }

    fn lever<'a>(
        &'a self,
        service: &'a Service,
        method: &'a Method,
        path: &'a [&'a str],
        body: &'a [u8],
    ) -> Option<Pin<Box<dyn Future<Output = ControlOutcome> + Send + 'a>>> {
        people::levers::answer(self, service, method, path, body)
    }
}

/// Quirks by their names, without those that are taken away.
pub(super) fn quirk_names(settings: &Settings, more: &[String]) -> Result<Vec<String>, String> {
    // attributes that no schema has are left aside without a word, as Charon reads by its schemas
    let lenient = std::iter::once(&crate::scim::quirk::UNKNOWN_ATTRIBUTES);
    let usual: Vec<&str> = quirk::usual().iter().copied().chain(lenient).map(|quirk: &Quirk| quirk.name).collect();
    if let Some(unknown) = settings.without_quirks.iter().find(|name| !usual.contains(&name.as_str())) {
        let names = usual.join(", ");
        return Err(format!("without_quirks: no quirk {unknown:?} is on; those that are on are {names}"));
    }
    let kept = usual.iter().map(ToString::to_string).filter(|name| !settings.without_quirks.contains(name));
    Ok(kept.chain(more.iter().cloned()).collect())
}
