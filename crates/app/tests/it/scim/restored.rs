//! Accounts that somebody deleted and restored at the service have another id there, and our key: they are neither gone nor made
//! once more. What carries the key of somebody else is not touched.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{ask, files, person};
use crate::{
    scenario::{Emulator, adds_up},
    support::{Folder, Run},
};

const SECRET: &str = "SCIM_TEST_SECRET";
const PEOPLE: usize = 4;

struct World {
    folder: Folder,
    emulator: Emulator,
}

impl World {
    fn new(scenario: &str) -> Self {
        let folder = Folder::new();
        folder.write("scenario.toml", scenario);
        let emulator = Emulator::start(&folder, "scim", "--scenario scenario.toml");
        let mut target = files::target("scim", &emulator.ready);
        target.insert("sign_ins".to_owned(), "none".into());
        let target = toml::to_string(&toml::Table::from_iter([("target".to_owned(), target.into())])).unwrap();
        folder.write(
            "sterna.toml",
            &format!(
                "[migration]\nname = \"restored\"\n[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n{target}\n\
                 [passwords]\nstrategy = \"set\"\n"
            ),
        );
        folder.write("people.jsonl", &(0..PEOPLE).map(person).collect::<Vec<_>>().join("\n"));
        Self { folder, emulator }
    }

    fn run(&self, args: &str) -> Run {
        let secret = self.emulator.ready["client_secret"].as_str().unwrap();
        self.folder.run_with(args, (SECRET, secret))
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let ready = |name: &str| self.emulator.ready[name].as_str().unwrap();
        let (status, answer) = ask(method, &format!("{}{path}", ready("scim_url")), ready("token"), body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// Deletes a user and makes it again with all that it had; before and after.
    fn restore(&self, name: &str) -> (Value, Value) {
        let path = format!("/Users?filter=userName%20eq%20%22{name}%22");
        let before = self.call("GET", &path, &Value::Null)["Resources"][0].clone();
        self.call("DELETE", &format!("/Users/{}", before["id"].as_str().unwrap()), &Value::Null);
        let mut body = before.clone();
        for name in ["id", "meta", "groups"] {
            body.as_object_mut().unwrap().remove(name);
        }
        let after = self.call("POST", "/Users", &body);
        assert_ne!(before["id"], after["id"]);
        (before, after)
    }

    fn moved() -> Self {
        let world = Self::new("");
        world.run("extract").exits(0);
        world.run("plan");
        world.run("apply --yes").exits(0);
        world.run("verify").exits(0);
        world
    }
}

#[test]
fn whoever_was_restored_with_another_id_is_found_mended_and_taken_back() {
    let world = World::moved();
    world.restore("person00001");
    // the groups went with the deletion, and nothing else
    let verify = world.run("verify --json").exits(10);
    let verify = verify.json();
    assert_eq!((&verify["missing"], &verify["attributes"]), (&json!(0), &json!({"groups": 1})), "{verify}");
    let failures = world.run("export failures --output -").exits(0);
    assert!(failures.stdout.contains(r#""detail":"groups""#), "{}", failures.stdout);
    world.run("verify --repair --yes").exits(0);
    assert_eq!(world.emulator.users().len(), PEOPLE);
    world.run("undo --yes").exits(0);
    assert_eq!(world.emulator.users().len(), 0);
    let status = world.run("status --json").exits(0).json();
    adds_up(&status);
    assert_eq!(status["profile"]["undone"], json!(PEOPLE));
}

#[test]
fn undo_takes_back_who_was_restored_without_a_verify_before() {
    let world = World::moved();
    world.restore("person00002");
    let undo = world.run("undo --yes --json").exits(0).json();
    assert_eq!((&undo["removed"], &undo["gone"]), (&json!(PEOPLE), &json!(0)), "{undo}");
    assert_eq!(world.emulator.users().len(), 0);
}

#[test]
fn an_account_that_carries_the_key_of_somebody_else_is_left_alone() {
    let world = World::moved();
    let path = "/Users?filter=userName%20eq%20%22person00003%22";
    let user = world.call("GET", path, &Value::Null)["Resources"][0].clone();
    let change = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "externalId", "value": "00000000-0000-5000-8000-000000000000"}]});
    world.call("PATCH", &format!("/Users/{}", user["id"].as_str().unwrap()), &change);
    let verify = world.run("verify --json").exits(10).json();
    assert_eq!(verify["missing"], json!(1), "{verify}");
    let undo = world.run("undo --yes --json").json();
    assert_eq!(undo["removed"], json!(PEOPLE - 1), "{undo}");
    let left = world.emulator.users();
    assert_eq!((left.len(), &left[0]["userName"]), (1, &json!("person00003")));
}

#[test]
fn what_an_unknown_outcome_was_answered_with_can_be_looked_up() {
    let world = World::new("[[fault]]\nkind = \"error_5xx_before\"\non = \"bulk\"\n");
    world.run("extract").exits(0);
    world.run("plan");
    let secret = world.emulator.ready["client_secret"].as_str().unwrap();
    let mut apply = world.folder.command("apply --yes").env(SECRET, secret).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    let told = loop {
        let failures = world.run("export failures --output -");
        if failures.stdout.contains("the service answered 5") || Instant::now() > until {
            break failures.stdout;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    apply.kill().unwrap();
    apply.wait().unwrap();
    assert!(told.contains("the service answered 5"), "{told}");
}
