//! WSO2's products from the first command to the last: people move without their passwords, the passwords follow when people
//! sign in at the product with the script that `sterna export script` prints, and what was made can be taken back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{ask, files, gateway};
use crate::{
    scenario::{Emulator, adds_up, stands, write_secret},
    serving::Service,
    support::Folder,
};

const TOKEN: &str = "a token of the login script";
/// The longest that the sweep is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const CUSTOM: &str = "urn:scim:schemas:extension:custom:User";

/// Everybody with a password in the old system: name, password, and its hash as Django keeps it.
const PEOPLE: [(&str, &str, &str); 7] = [
    ("ana", "Ana-2026-long", "pbkdf2_sha256$1000$ana$hVy+kKTTpiFS9wbJEhxccWG/EA80Np8/ZKIBlUfi8L8="),
    ("nandu", "Ñandú-2026x", "pbkdf2_sha256$1000$nandu$9blnKJ0s1tIcFdBrFpWEPr/KQv05m5ct/v6UF0AJ38U="),
    ("lodz", "Łódź-2026xx", "pbkdf2_sha256$1000$lodz$9sbKQugtsTffQe6EJlsF4S6/P04DWAzs4Hv9hZ2fl8E="),
    ("weak", "old", "pbkdf2_sha256$1000$weak$RqG3/MVyOkkR/LafOEJopIzPa2vhVnRNlUATaOUehqk="),
    ("late", "Late-2026-pw", "pbkdf2_sha256$1000$late$r7+2hiZVE3LKXPdO8dtXTaqNncYJpYmN9laKWfjuLtg="),
    ("taken", "Taken-2026-pw", "pbkdf2_sha256$1000$taken$uFqxSbkt65E5Xl/rdegIFiZiwF1OEnYVXF5bm/8fdNo="),
    ("idle", "Idle-2026-pw", "pbkdf2_sha256$1000$idle$87czEeC8lnGxEoJz+oTBBgWVFPk9ZIsjPGvNz6KBtZg="),
];

fn email(name: &str) -> String {
    format!("{name}@example.com")
}

/// A product with nobody in it, and a project that is to fill it.
struct World {
    kind: &'static str,
    folder: Folder,
    emulator: Emulator,
}

impl World {
    fn new(kind: &'static str) -> Self {
        let folder = Folder::new();
        let emulator = Emulator::start(&folder, kind, "");
        write_secret(&folder, "token", TOKEN);
        write_secret(&folder, "secret", emulator.ready["client_secret"].as_str().unwrap());
        let mut target = files::target(kind, &emulator.ready);
        let secret = toml::Table::from_iter([("file".to_owned(), "secret".into())]);
        target.insert("client_secret".to_owned(), secret.into());
        let target = toml::Table::from_iter([("target".to_owned(), target.into())]);
        let root = emulator.ready["scim_url"].as_str().unwrap().split('/').take(3).collect::<Vec<_>>().join("/");
        folder.write(
            "sterna.toml",
            &format!(
                "[migration]\nname = \"silent\"\n[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n\
                 {}\n[passwords]\nstrategy = \"just-in-time\"\n[social.issuers]\n\"google.com\" = \"Google\"\n\
                 [checks.hashes]\nconnector = \"stored-hash\"\n\
                 [serve]\nlisten = \"127.0.0.1:0\"\nmetrics_listen = \"127.0.0.1:0\"\nsweep_secs = 1\n\
                 sweep_per_second = 100\npassword_slack_secs = 1\n\
                 [hooks.wso2]\nconnector = \"wso2-silent\"\nbearer_token = {{ file = \"token\" }}\n\
                 allowed_origins = [\"{root}\"]\nlatin1_bodies = {}\n",
                toml::to_string(&target).unwrap(),
                kind == "asgardeo",
            ),
        );
        let mut people: Vec<String> = PEOPLE.iter().map(|(name, _, hash)| person(name, hash)).collect();
        people.push(social());
        folder.write("people.jsonl", &people.join("\n"));
        Self { kind, folder, emulator }
    }

    /// Somebody else's request to the product's SCIM side.
    fn scim(&self, method: &str, path: &str, body: &Value) -> Value {
        let (url, token) = (&self.emulator.ready["scim_url"], &self.emulator.ready["token"]);
        let url = format!("{}{path}", url.as_str().unwrap());
        let (status, body) = ask(method, &url, token.as_str().unwrap(), body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {body}");
        body
    }

    /// The user as it is there, whatever store its name is shown with.
    fn user(&self, name: &str) -> Value {
        let users = self.emulator.users();
        let has_name = |user: &&Value| user["userName"].as_str().is_some_and(|it| it.ends_with(&email(name)));
        users.iter().find(has_name).cloned().unwrap_or_else(|| panic!("{name} among {users:#?}"))
    }

    fn sign_in(&self, name: &str, password: &str) -> String {
        let body = json!({"username": email(name), "password": password});
        let answer = self.emulator.control("/sign-in", &body);
        serde_json::from_str::<Value>(&answer).unwrap()["outcome"].as_str().unwrap().to_owned()
    }

    fn status(&self) -> Value {
        self.folder.run("status --json").exits(0).json()
    }

    /// Waits until so many credentials are in a state.
    fn until(&self, state: &str, count: u64) {
        let began = Instant::now();
        loop {
            let status = self.status();
            if status["credential"][state] == json!(count) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{state} is not {count}: {status:#}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The product's login asks this service, by the script that is printed for it.
    fn attach(&self, service: &Service) {
        let root = service.ready["serve"].as_str().unwrap();
        let (product, root) = match self.kind {
            "asgardeo" => ("asgardeo", gateway::start(root, TOKEN)),
            _ => ("is", root.to_owned()),
        };
        let script =
            self.folder.run(&format!("export script --product {product} --url {root}/hooks/wso2")).exits(0).stdout;
        let secrets = json!({"sternaToken": TOKEN, "consumerKey": "key", "consumerSecret": "secret"});
        let body = json!({"script": script, "secrets": secrets, "second_ms": 100});
        self.emulator.control("/silent-migration", &body);
    }
}

fn person(name: &str, hash: &str) -> String {
    let email = email(name);
    json!({
        "id": name, "display_name": name, "given_name": name, "family_name": "Example", "groups": ["staff"],
        "emails": [{"value": email, "verified": true, "primary": true}],
        "identities": [{"kind": "local", "name": "email", "value": email}],
        "password": {"hash": hash, "format": "django-pbkdf2-sha256"},
    })
    .to_string()
}

/// Who signs in at Google alone.
fn social() -> String {
    let email = email("gina");
    json!({
        "id": "gina", "display_name": "gina", "emails": [{"value": email, "verified": true, "primary": true}],
        "identities": [{"kind": "federated", "issuer": "google.com", "subject": "google-77"}],
    })
    .to_string()
}

fn from_first_to_last(kind: &'static str) {
    let world = World::new(kind);
    let taken = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": email("taken"),
        "password": "Somebody-else-1"});
    let taken = world.scim("POST", "/Users", &taken)["id"].as_str().unwrap().to_owned();
    moved_without_passwords(&world);
    tried_again_once_the_name_is_free(&world, &taken);
    passwords_follow(&world);
    mended_and_taken_back(&world);
}

fn moved_without_passwords(world: &World) {
    world.folder.run("extract").exits(0);
    world.folder.run("plan").exits(11);
    world.folder.run("rehearse").exits(0);
    assert_eq!(world.emulator.users().len(), 1, "a rehearsal sends nothing to the target");
    world.folder.run("apply --canary 2 --yes").exits(0);
    assert_eq!(world.emulator.users().len(), 3);
    world.folder.run("apply --yes").exits(0);
    let ana = world.user("ana");
    assert_eq!((&ana[CUSTOM]["is_migrated"], &ana["displayName"]), (&json!("false"), &json!("ana")));
    let state = world.emulator.state();
    let members = state["groups"][0]["members"].as_array().map(Vec::len);
    assert_eq!(members, Some(PEOPLE.len() - 1), "all but the one who is held: {}", state["groups"]);
}

fn tried_again_once_the_name_is_free(world: &World, taken: &str) {
    world.scim("DELETE", &format!("/Users/{taken}"), &Value::Null);
    world.folder.run("retry --yes").exits(0);
    world.folder.run("verify").exits(0);
    stands(&world.status(), "profile", &[("verified", 8)]);
}

fn passwords_follow(world: &World) {
    let service = Service::start(&world.folder, "");
    world.attach(&service);
    assert_eq!(world.sign_in("ana", "Ana-2026-lung"), "refused");
    assert_eq!(world.sign_in("ana", "Ana-2026-long"), "moved");
    assert_eq!(world.sign_in("ana", "Ana-2026-long"), "signed-in");
    assert_eq!(world.sign_in("ana", "Ana-2026-lung"), "refused");
    assert_eq!(world.sign_in("nobody", "Ana-2026-long"), "refused");
    assert_eq!(world.sign_in("nandu", "Ñandú-2026x"), "moved");
    assert_eq!(world.sign_in("weak", "old"), "moved", "an old password need not keep to the new rules");
    // callChoreo writes ISO-8859-1, in which there is no Ł
    let lodz = world.sign_in("lodz", "Łódź-2026xx");
    assert_eq!(lodz == "moved", world.kind == "wso2-is", "{lodz}");
    let moved = if world.kind == "wso2-is" { 4 } else { 3 };
    world.until("moved", moved);
    let ana = world.user("ana");
    assert_eq!((&ana["_password"], &ana[CUSTOM]["is_migrated"]), (&json!("Ana-2026-long"), &json!("true")));
    administrator_sets_a_password(world, service);
}

/// From then on the old password is wrong, everywhere.
fn administrator_sets_a_password(world: &World, service: Service) {
    let id = world.user("late")["id"].as_str().unwrap().to_owned();
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
        {"op": "replace", "value": {"password": "Set-by-hand-1"}}]});
    world.scim("PATCH", &format!("/Users/{id}"), &body);
    assert_eq!(world.sign_in("late", "Late-2026-pw"), "refused", "although nobody set is_migrated");
    assert_eq!(world.sign_in("late", "Set-by-hand-1"), "signed-in");
    // the first walk of a service reads all that wait
    drop(service);
    let _service = Service::start(&world.folder, "");
    world.until("superseded", 1);
}

fn mended_and_taken_back(world: &World) {
    let id = world.user("idle")["id"].as_str().unwrap().to_owned();
    world.emulator.ask("PATCH", &format!("/users/{id}"), &json!({"displayName": "somebody else"}));
    world.folder.run("verify").exits(10);
    world.folder.run("verify --repair --yes").exits(0);
    assert_eq!(world.user("idle")["displayName"], "idle");
    world.folder.run("undo --yes").exits(11);
    assert_eq!(world.emulator.users().len(), 8, "nobody can tell who has signed in");
    let project = world.folder.read("sterna.toml").replace("[target]\n", "[target]\nsign_ins = \"none\"\n");
    world.folder.write("sterna.toml", &project);
    world.folder.run("undo --yes").exits(11);
    let known = if world.kind == "wso2-is" { 5 } else { 4 };
    assert_eq!(world.emulator.users().len(), known, "those whose passwords have moved or changed");
    adds_up(&world.status());
}

#[test]
fn identity_server_gets_everybody_and_their_passwords_at_sign_in() {
    from_first_to_last("wso2-is");
}

#[test]
fn asgardeo_gets_everybody_and_their_passwords_at_sign_in() {
    from_first_to_last("asgardeo");
}
