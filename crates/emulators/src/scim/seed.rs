//! What the service holds at the start.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::resource::draft::Draft;
use super::resource::incoming::{self, Leniency};
use super::scenario::{GroupSeed, Scenario, UserSeed};
use super::schema::Kind;
use super::store::{Resource, Slot, Store};
use crate::clock::Now;

/// Old services hold what they would not take today.
const LENIENT: Leniency = Leniency { text_booleans: false, unknown_attributes: false, schemas: true };

/// Plants the users and groups of a scenario.
pub(crate) fn plant(store: &mut Store, scenario: &Scenario, now: Now) -> Result<(), String> {
    for UserSeed { id, attributes } in &scenario.users {
        let attributes = serde_json::to_value(attributes).map_err(|error| error.to_string())?;
        add(store, "User", id.clone(), attributes, now)?;
    }
    for number in 0..scenario.generated_users {
        add(store, "User", None, made_up(number), now)?;
    }
    for GroupSeed { id, name, members } in &scenario.groups {
        let members = members.iter().map(|member| found(store, member)).collect::<Result<Vec<_>, _>>()?;
        add(store, "Group", id.clone(), json!({ "displayName": name, "members": members }), now)?;
    }
    Ok(())
}

/// Adds a resource without the rules of a create.
pub(crate) fn add(
    store: &mut Store,
    resource_type: &str,
    id: Option<String>,
    attributes: Value,
    now: Now,
) -> Result<Slot, String> {
    let kind = store.catalogue.kind(resource_type).ok_or_else(|| format!("there are no resources {resource_type}"))?;
    let data = incoming::resource(&store.catalogue, kind, attributes, LENIENT).map_err(|refusal| refusal.detail)?;
    let Draft { data, links } = Draft::new(store, kind, data).map_err(|refusal| refusal.detail)?;
    let id = id.unwrap_or_else(|| Uuid::new_v4().to_string());
    if store.slot(&id).is_some() {
        return Err("two resources of the scenario have the same id".to_owned());
    }
    // planted long ago: reads see it at once
    Ok(store.insert(kind, id, Resource::new(&data, links, now.wall), 0))
}

/// The member of a group that the file calls by its name.
fn found(store: &Store, name: &str) -> Result<Value, String> {
    let of = |resource_type: &str, attribute: &str| {
        let kind: Kind = store.catalogue.kind(resource_type)?;
        let has = |data: &Map<String, Value>| data.get(attribute).and_then(Value::as_str) == Some(name);
        let slot = store.all(kind).iter().find(|slot| store.latest(**slot).is_some_and(|found| has(&found.data())))?;
        Some(json!({ "value": store.id(*slot) }))
    };
    let found = of("User", "userName").or_else(|| of("Group", "displayName"));
    found.ok_or_else(|| format!("a group of the scenario has the member {name:?}, whom nothing before it is called"))
}

fn made_up(number: u32) -> Value {
    json!({
        "userName": format!("user{number}@example.org"),
        "name": { "givenName": "User", "familyName": format!("Number {number}") },
        "displayName": format!("User Number {number}"),
        "emails": [{ "value": format!("user{number}@example.org"), "primary": true }],
        "externalId": format!("made-up-{number}"),
        "active": true,
        "password": format!("Made-up-{number}!"),
    })
}
