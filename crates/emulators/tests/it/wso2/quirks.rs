//! Quirks: each is in the documentation, under the list that it belongs to, and can be turned off there.

use reqwest::Method;
use serde_json::json;
use sterna_emulators::wso2::QUIRKS;

use super::World;
use crate::support::page;

#[tokio::test]
async fn every_quirk_is_in_the_documentation_under_its_list() {
    let page = page("emulated-wso2.md");
    let (usual, rare) = page.split_once("## Quirks").unwrap().1.split_once("These have to be asked for").unwrap();
    let world = World::server("").await;
    let on = world.control(Method::GET, "", json!({})).await.body["quirks"].clone();
    let on: Vec<&str> = on.as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
    for quirk in QUIRKS {
        let row = format!("| `{}` | {} |", quirk.name, quirk.doc);
        let list = if on.contains(&quirk.name) { usual } else { rare };
        assert!(list.contains(&row), "docs/emulated-wso2.md lacks the row, or has it in the other list\n{row}");
    }
    assert_eq!(usual.matches("\n| `").count(), on.len());
    assert_eq!(rare.split("## ").next().unwrap().matches("\n| `").count(), QUIRKS.len() + 1 - on.len());
}

#[tokio::test]
async fn every_quirk_that_is_on_can_be_turned_off() {
    let world = World::server("").await;
    let on = world.control(Method::GET, "", json!({})).await.body["quirks"].clone();
    let world = World::server(&format!("[product]\nwithout_quirks = {on}")).await;
    assert_eq!(world.control(Method::GET, "", json!({})).await.body["quirks"], json!([]));
}
