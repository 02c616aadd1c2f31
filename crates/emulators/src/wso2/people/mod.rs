//! The users of the service, as the sign-in side sees them.

pub(super) mod levers;

use serde_json::{Map, Value};

use crate::scim::filter::{Filter, Op};
use crate::scim::resource::draft::Draft;
use crate::scim::schema::ENTERPRISE;
use crate::scim::service::Service;
use crate::scim::store::{Slot, Store};
use crate::wso2::catalogue::SYSTEM;
use crate::wso2::product::Wso2;
use crate::wso2::sign_in::People;

/// The number of users among the resource types.
const USERS: usize = 0;

/// What may be typed instead of a user name, where alternative login identifiers are on.
const IDENTIFIERS: [&str; 2] = ["userName", "emails.value"];

/// The users.
pub(super) struct Directory<'a> {
    pub(super) service: &'a Service,
    pub(super) product: &'a Wso2,
}

impl Directory<'_> {
    /// The only user with this value.
    fn only(&self, store: &Store, attribute: &str, value: &str) -> Option<Slot> {
        let value = if attribute == "userName" { self.product.stores.canonical(value) } else { value.to_owned() };
        let filter = Filter::Compare(attribute.to_owned(), Op::Eq, Value::from(value.as_str()));
        let has = |slot: &Slot| {
            let data = store.latest(*slot).map(|resource| resource.data()).unwrap_or_default();
            let same = |found: &Value| found.as_str().is_some_and(|text| text.to_lowercase() == value.to_lowercase());
            match attribute {
                "userName" => data.get("userName").is_some_and(same),
                _ => data
                    .get("emails")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .any(|email| same(&email["value"])),
            }
        };
        let found: Vec<Slot> = store.candidates(USERS, Some(&filter)).into_iter().filter(has).collect();
        match found.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// Who is meant by what was typed.
    fn meant(&self, store: &Store, typed: &str) -> Option<Slot> {
        IDENTIFIERS.iter().find_map(|attribute| self.only(store, attribute, typed))
    }

    fn data(&self, id: &str) -> Option<Map<String, Value>> {
        let store = self.service.store();
        let slot = store.slot_of(USERS, id)?;
        store.latest(slot).map(|resource| resource.data())
    }

    fn change(
        &self,
        id: &str,
        change: impl FnOnce(&mut Map<String, Value>) -> Result<(), String>,
    ) -> Result<(), String> {
        let now = self.service.clock.now();
        let mut store = self.service.store();
        let gone = || "the user is gone".to_owned();
        let slot = store.slot_of(USERS, id).ok_or_else(gone)?;
        let before = store.latest(slot).cloned().ok_or_else(gone)?;
        let Draft { mut data, links } = Draft::of(&before);
        change(&mut data)?;
        store.write(slot, Some(before.next(&data, links, now.wall)), now.micros);
        Ok(())
    }
}

/// The last part of a claim's URI, which is the attribute's name too: `…/claims/identity/accountLocked`.
fn attribute(uri: &str) -> &str {
    uri.rsplit('/').next().unwrap_or(uri)
}

impl People for Directory<'_> {
    fn check(&self, typed: &str, password: &str) -> bool {
        let store = self.service.store();
        let data = self.meant(&store, typed).and_then(|slot| store.latest(slot)).map(|resource| resource.data());
        // the product trims passwords
        data.is_some_and(|data| {
            let own = data.get("password").and_then(Value::as_str);
            own.is_some_and(|own| own == password || own == password.trim()) && self.product.account().is_open(&data)
        })
    }

    fn resolve(&self, typed: &str) -> Option<String> {
        let store = self.service.store();
        let slot = self.meant(&store, typed)?;
        let data = store.latest(slot)?.data();
        let name = data.get("userName")?.as_str()?;
        self.product.stores.part(name).ok().map(|name| name.name)
    }

    fn find(&self, name: &str) -> Option<String> {
        // the store has to be one of the product's, to the word
        self.product.stores.part(name).ok()?;
        let store = self.service.store();
        self.only(&store, "userName", name).map(|slot| store.id(slot).to_owned())
    }

    fn claim(&self, id: &str, uri: &str) -> Option<String> {
        let data = self.data(id)?;
        let places = [self.product.settings.custom_schema.as_str(), SYSTEM, ENTERPRISE];
        let value = places.iter().find_map(|urn| data.get(*urn)?.get(attribute(uri)))?;
        Some(value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
    }

    fn set_claim(&self, id: &str, uri: &str, value: &str) {
        let name = attribute(uri);
        if !self.product.settings.custom_attributes.iter().any(|known| known == name) {
            // a claim that is mapped to nothing is stored nowhere that SCIM shows
            return;
        }
        let urn = self.product.settings.custom_schema.clone();
        // a user that is gone meanwhile has no claims either
        let _ = self.change(id, |data| {
            let own = data.entry(urn).or_insert_with(|| Value::Object(Map::new()));
            own[name] = Value::from(value);
            Ok(())
        });
    }

    fn update_password(&self, id: &str, password: &str, skip_rules: bool) -> Result<(), String> {
        let at = self.service.clock.now().wall;
        let skips = skip_rules && !self.service.quirks().has(&crate::wso2::quirk::IGNORES_SKIPPED_RULES);
        self.change(id, |data| self.product.account().set_password(data, password, skips, at))
    }
}
