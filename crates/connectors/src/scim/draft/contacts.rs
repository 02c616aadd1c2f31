//! Addresses and numbers of a draft.

use serde_json::{Map, Value};
use sterna_core::{
    account::{Account, Address, Contact, Identity, LocalName},
    code::Code,
};

use super::{Making, fit};
use crate::scim::shape::ADDRESS_TYPES;

impl Making<'_> {
    /// The main address first; what somebody signs in with is an address too.
    pub(super) fn emails(&mut self, account: &Account) {
        let mut list: Vec<String> = Vec::new();
        let contacts = main_first(&account.profile.emails);
        let signs_in = account.identities.iter().filter_map(|identity| match identity {
            Identity::Local { name: LocalName::Email, value } => Some(value.as_str()),
            _ => None,
        });
        let is_verified = contacts.first().is_some_and(|main| main.verified == Some(true));
        for text in contacts.iter().map(|contact| contact.value.as_str()).chain(signs_in) {
            match fit::email(text) {
                Ok(address) if list.iter().any(|known| known.eq_ignore_ascii_case(&address)) => {}
                Ok(address) => list.push(address),
                Err(code) => self.lose(code, "emails"),
            }
        }
        // the main one, and one of each type
        self.give_list("emails", list, ADDRESS_TYPES.len() + 1, is_verified);
    }

    /// The main number first.
    pub(super) fn phones(&mut self, phones: &[Contact]) {
        let mut list: Vec<String> = Vec::new();
        let contacts = main_first(phones);
        let is_verified = contacts.first().is_some_and(|main| main.verified == Some(true));
        for phone in contacts {
            match fit::text(&self.shape.dialect, &phone.value) {
                Ok(number) if list.contains(&number) => {}
                Ok(number) => list.push(number),
                Err(code) => self.lose(code, "phoneNumbers"),
            }
        }
        self.give_list("phoneNumbers", list, self.shape.dialect.phone_types.len(), is_verified);
    }

    /// Gives a list, cut where the product holds one of each type, and says that its first entry was verified.
    fn give_list(&mut self, name: &str, mut list: Vec<String>, most: usize, is_verified: bool) {
        if self.shape.dialect.separator.is_some() && list.len() > most {
            list.truncate(most);
            self.lose(Code::L1005, name);
        }
        if list.is_empty() {
            return;
        }
        self.give(name, Value::from(list));
        if let Some(mark) = self.mark_of(name).filter(|_| is_verified) {
            self.attributes.insert(mark, Value::from(true));
        }
    }

    /// The attribute that says that the main address or number was verified, where the product has one (wso2-scim.md 2.6).
    pub(super) fn mark_of(&self, name: &str) -> Option<String> {
        let mark = match name {
            "emails" => "emailVerified",
            "phoneNumbers" => "phoneVerified",
            _ => return None,
        };
        let urn = self.shape.schemas.system();
        let is_there = self.shape.dialect.has_resets && self.shape.schemas.extension(urn, mark).is_some();
        is_there.then(|| format!("{urn}:{mark}"))
    }

    /// The one postal address of the model.
    pub(super) fn postal(&mut self, address: Option<&Address>) {
        let Some(address) = address else { return };
        let parts = [
            ("streetAddress", &address.street),
            ("locality", &address.locality),
            ("region", &address.region),
            ("postalCode", &address.postal_code),
            ("country", &address.country),
        ];
        let mut members = Map::new();
        for (name, text) in parts {
            let Some(text) = text.as_deref().filter(|text| !text.trim().is_empty()) else { continue };
            match fit::text(&self.shape.dialect, text) {
                Ok(text) => drop(members.insert(name.to_owned(), Value::from(text))),
                Err(code) => self.lose(code, name),
            }
        }
        if !members.is_empty() {
            self.give("addresses", Value::from(members));
        }
    }
}

/// The main one of several first, the others in their order.
fn main_first(contacts: &[Contact]) -> Vec<&Contact> {
    let mut list: Vec<&Contact> = contacts.iter().collect();
    if let Some(main) = list.iter().position(|contact| contact.primary) {
        let main = list.remove(main);
        list.insert(0, main);
    }
    list
}
