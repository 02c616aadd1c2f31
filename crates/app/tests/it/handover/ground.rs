//! Whom the projects of these tests hold, and how they are handed over.

use age::x25519::Identity;
use serde_json::{Value, json};

use super::opened::Opened;
use crate::{scenario::World, sign_in::hashes};

/// The formats of [`hashes::mixed`], in its order.
pub(super) const FORMATS: [&str; hashes::FORMS] =
    ["bcrypt-2b", "argon2id", "django-pbkdf2-sha256", "ldap-ssha", "phpass-P"];

pub(super) const PLAIN: &str = "Zq9!plain-password";

/// Accounts that are planned: five with a hash, one with a password, one social, one combined with a second factor.
pub(super) const PLANNED: u64 = 8;

pub(super) fn password(form: usize) -> String {
    format!("Zq1!pass-{form}-word")
}

pub(super) fn hash(form: usize) -> String {
    hashes::mixed(form, &password(form), form as u64)
}

/// Everybody: those who are planned, one with an issuer that is not listed, two with one address, and no record at all.
pub(super) fn people() -> Vec<String> {
    let local = |id: &str, mail: &str| json!([{ "kind": "local", "name": "email", "value": format!("{mail}@zqdomain.example"), "id": id }]);
    let without_id = |mut names: Value| {
        names[0].as_object_mut().unwrap().remove("id");
        names
    };
    let mut people: Vec<Value> = (0..hashes::FORMS)
        .map(|form| {
            let names = without_id(local("", &format!("zqmail-{form}")));
            let credential = json!({ "hash": hash(form), "format": FORMATS[form] });
            json!({ "id": format!("zqvalue-{form}"), "display_name": "Zqgiven Zqfamily", "identities": names, "password": credential })
        })
        .collect();
    people.push(json!({
        "id": "zqvalue-5", "display_name": "Zqgiven Plain", "given_name": "Zqgiven", "family_name": "Zqfamily",
        "identities": without_id(local("", "zqmail-5")), "password": { "plaintext": PLAIN },
        "phones": [{ "value": "+4930901820991", "verified": true }], "address": { "street": "Zqstreet 1", "country": "DE" },
        "attributes": { "plan": "zqvalue-plan" }, "groups": ["staff"], "roles": ["editor"],
    }));
    let google = |subject: &str| json!({ "kind": "federated", "issuer": "Google.com", "subject": subject });
    people.push(json!({ "id": "zqvalue-6", "display_name": "Zqgiven Social", "identities": [google("zqsubject-6")], "groups": ["staff", "all"] }));
    let mut both = without_id(local("", "zqmail-7"));
    both.as_array_mut().unwrap().push(google("zqsubject-7"));
    people.push(json!({
        "id": "zqvalue-7", "display_name": "Zqgiven Both", "identities": both, "password": "held-by-legacy",
        "factors": [{ "kind": "totp", "value": "ZQSECRETFACTOR" }],
    }));
    let unlisted = json!([{ "kind": "federated", "issuer": "unlisted.example", "subject": "zqsubject-8" }]);
    people.push(json!({ "id": "zqvalue-8", "display_name": "Zqgiven Unlisted", "identities": unlisted }));
    for id in ["zqvalue-9", "zqvalue-10"] {
        people.push(
            json!({ "id": id, "display_name": "Zqgiven Twice", "identities": without_id(local("", "zqmail-twice")) }),
        );
    }
    let mut lines: Vec<String> = people.iter().map(Value::to_string).collect();
    lines.push("{\"id\":\"zqvalue-11\",\"display_name\":\"Zqgiven".to_owned());
    lines
}

pub(super) const MORE: &str = "[social.issuers]\n\"google.com\" = \"google.com\"\n\
    [cohorts.first]\nwhere = [{ attribute = \"display_name\", one_of = [\"Zqgiven Plain\", \"Zqgiven Social\"] }]\n";

/// A project whose accounts are read; the pair of keys of whoever loads them.
pub(super) fn extracted() -> (World, Identity) {
    let world = World::with_people(&people(), MORE, "");
    world.run("extract").exits(12);
    (world, Identity::generate())
}

/// Plans; the issuer that is not listed is an error to mend, and its account is held.
pub(super) fn plan(world: &World) {
    let plan = world.run("plan").exits(10);
    assert!(plan.stderr.contains("E5004"), "{}", plan.stderr);
}

pub(super) fn planned() -> (World, Identity) {
    let (world, key) = extracted();
    plan(&world);
    (world, key)
}

/// Hands over, and gives what the receiver finds and what was said on standard output.
pub(super) fn handed_over(world: &World, key: &Identity, args: &str) -> (Opened, Value) {
    let args = format!("export handover --recipient {} --output out.tar.age --json {args}", key.to_public());
    let run = world.run(&args).exits(0);
    (Opened::new(&world.folder.path().join("out.tar.age"), key), run.json())
}
