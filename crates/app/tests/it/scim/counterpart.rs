//! Against scim2-server, which nobody here wrote: everybody arrives once and whole though the program is killed five times, what
//! somebody else changes is found and mended, and what was made can be undone. At its end the server writes down all it holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Child,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{ask, password, person};
use crate::{
    servers::scim::{Launch, Scim, TOKEN},
    support::Folder,
};

/// How many people move.
const PEOPLE: usize = 10_000;
/// How many are moved and taken back.
const UNDONE: usize = 300;
/// How often the program is killed on the way.
const KILLS: usize = 5;

/// How long nobody new may arrive.
const STILL: Duration = Duration::from_mins(2);

/// A process that is killed at the end, whatever the end is.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct World {
    folder: Folder,
    url: String,
}

impl World {
    fn new(server: &Scim, tenant: &str, people: usize) -> Self {
        let url = server.url(tenant);
        let folder = Folder::project(&format!(
            "[migration]\nname = \"scim\"\n[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n\
             [target]\nconnector = \"scim\"\nurl = \"{url}\"\ntoken = {{ env = \"SCIM_TEST_TOKEN\" }}\n\
             groups = \"create\"\nsign_ins = \"none\"\nbatch_size = 100\nconcurrency = 2\nwrites_per_second = 100000\n\
             settling_secs = 1\nrequest_timeout_secs = 20\n[passwords]\nstrategy = \"set\"\n"
        ));
        let lines: Vec<String> = (0..people).map(person).collect();
        folder.write("people.jsonl", &lines.join("\n"));
        Self { folder, url }
    }

    fn run(&self, args: &str) -> crate::support::Run {
        self.folder.run_with(args, ("SCIM_TEST_TOKEN", TOKEN))
    }

    fn plan(&self, people: usize) {
        self.run("extract").exits(0);
        let plan = self.run("plan --json");
        assert!([0, 11].contains(&plan.code), "{} {}", plan.stdout, plan.stderr);
        assert_eq!(plan.json()["planned"], json!(people));
    }

    fn users(&self) -> usize {
        let (_, body) = ask("GET", &format!("{}/Users?count=0", self.url), TOKEN, &Value::Null);
        usize::try_from(body["totalResults"].as_u64().unwrap()).unwrap()
    }

    /// Starts an apply, and kills it once so many users are there; `false` when it ended before.
    fn apply_killed_at(&self, users: usize) -> bool {
        let mut apply = Running(self.folder.command("apply --yes").env("SCIM_TEST_TOKEN", TOKEN).spawn().unwrap());
        let mut last = (0, Instant::now());
        while last.0 < users {
            if apply.0.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(200));
            let now = self.users();
            if now > last.0 {
                last = (now, Instant::now());
            }
            assert!(last.1.elapsed() < STILL, "apply does not get on: {now} users");
        }
        true
    }

    /// The user of person number so-and-so as the server gives it.
    fn user(&self, number: usize) -> Value {
        let url = format!("{}/Users?filter=userName%20eq%20%22person{number:05}%22", self.url);
        let (status, body) = ask("GET", &url, TOKEN, &Value::Null);
        assert_eq!((status, &body["totalResults"]), (200, &json!(1)), "{body}");
        body["Resources"][0].clone()
    }

    fn status(&self) -> Value {
        let status = self.run("status --json").exits(0).json();
        assert_eq!(status["adds_up"], json!(true), "{status}");
        status
    }
}

#[test]
fn ten_thousand_people_arrive_once_and_whole_though_the_program_is_killed_five_times() {
    let Some(server) = Scim::start(&Launch { tenants: &["a", "b"], ..Launch::default() }) else { return };
    let world = World::new(&server, "a", PEOPLE);
    world.plan(PEOPLE);
    for kill in 1..=KILLS {
        assert!(world.apply_killed_at(PEOPLE * kill / (KILLS + 1)), "apply ended before kill {kill}");
    }
    world.run("apply --yes").exits(0);
    assert_eq!(world.users(), PEOPLE);
    world.run("verify").exits(0);
    foreign_change(&world);
    taken_back(&server);
    let status = world.status();
    let dump = server.dump();
    everybody_is_there(&dump, &status);
}

/// Somebody else renames one person, locks another out, and deletes a third: verify says so, and mends it.
fn foreign_change(world: &World) {
    let change = |number: usize, path: &str, value: Value| {
        let id = world.user(number)["id"].as_str().unwrap().to_owned();
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": path, "value": value}]});
        let (status, answer) = ask("PATCH", &format!("{}/Users/{id}", world.url), TOKEN, &body);
        assert!((200..300).contains(&status), "{status} {answer}");
    };
    change(17, "displayName", json!("Somebody Else"));
    change(4_711, "active", json!(false));
    world.run("verify").exits(10);
    world.run("verify --repair --yes").exits(0);
    world.run("verify").exits(0);
    assert_eq!(world.user(17)["displayName"], json!("Person 17 Łukasz"));
    assert_eq!(world.user(4_711)["active"], json!(true));
}

/// In the other directory some people are moved and undone: nobody is left.
fn taken_back(server: &Scim) {
    let world = World::new(server, "b", UNDONE);
    world.plan(UNDONE);
    world.run("apply --yes").exits(0);
    assert_eq!(world.users(), UNDONE);
    world.run("undo --yes").exits(0);
    assert_eq!(world.users(), 0);
    world.status();
}

/// The server's own account of what it holds, beside the source: every attribute, password and membership.
fn everybody_is_there(dump: &Value, status: &Value) {
    let resources = dump["a"].as_array().unwrap();
    let of = |kind: &'static str| resources.iter().filter(move |one| one["meta"]["resourceType"] == kind);
    let users: BTreeMap<&str, &Value> = of("User").map(|user| (user["userName"].as_str().unwrap(), user)).collect();
    assert_eq!((users.len(), of("User").count()), (PEOPLE, PEOPLE));
    let mut members: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for group in of("Group") {
        let list = group["members"].as_array().into_iter().flatten();
        let ids = list.map(|member| member["value"].as_str().unwrap());
        assert!(members.insert(group["displayName"].as_str().unwrap(), ids.collect()).is_none(), "a group twice");
    }
    for number in 0..PEOPLE {
        let user = users[format!("person{number:05}").as_str()];
        assert_eq!(user["displayName"], json!(format!("Person {number} Łukasz")));
        assert_eq!(user["name"]["familyName"], json!(format!("Núñez {number}")));
        assert_eq!(user["emails"][0]["value"], json!(format!("person{number:05}@example.com")));
        assert_eq!(user["phoneNumbers"][0]["value"], json!(format!("+3460{number:07}")));
        assert_eq!(user["addresses"][0]["locality"], json!("Kraków"));
        assert_eq!(user["password"], json!(password(number)));
        let enterprise = &user["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"];
        assert_eq!(enterprise["department"], json!(format!("D{}", number % 3)));
        let id = user["id"].as_str().unwrap();
        for group in [format!("team {}", number % 10), format!("site {}", number % 7)] {
            assert!(members[group.as_str()].contains(id), "person {number} is not in {group}");
        }
    }
    assert_eq!(members.values().map(BTreeSet::len).sum::<usize>(), 2 * PEOPLE);
    assert_eq!(status["profile"]["verified"], json!(PEOPLE), "{status}");
    let left = dump["b"].as_array().unwrap();
    assert!(left.iter().all(|one| one["meta"]["resourceType"] == "Group"), "somebody was left");
}
