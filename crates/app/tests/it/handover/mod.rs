//! The hand-over package: it opens with the receiver's key alone, its sums hold, its hashes are checked by what it says of
//! them, and nothing of it is anywhere in the clear.

mod ground;
mod opened;

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, process::Command};

use age::x25519::Identity;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use self::{
    ground::{FORMATS, PLAIN, PLANNED, extracted, handed_over, hash, password, planned},
    opened::{Opened, taken},
};
use crate::{
    scenario::{
        adds_up, count,
        secrets::{files, patterns},
        settle, write_secret,
    },
    servers::program,
    sign_in::hashes,
    support::Folder,
};

fn sum(counts: &Value) -> u64 {
    counts.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

#[test]
fn the_package_holds_whom_the_plan_would_create_and_its_sums_are_those_of_status() {
    let (world, key) = planned();
    let before = world.status();
    let (package, said) = handed_over(&world, &key, "--with-hashes");
    assert_eq!(world.status(), before, "nothing moves");
    adds_up(&before);
    assert_eq!(package.lines().len() as u64, PLANNED);
    assert_eq!(count(&before, "profile", "planned"), PLANNED);
    let manifest = package.manifest();
    let (accounts, left) = (&manifest["accounts"], &manifest["left_out"]);
    assert_eq!(accounts["together"], PLANNED);
    assert_eq!(accounts["by_kind"], json!({ "local": 6, "social": 1, "combined": 1 }));
    assert_eq!(accounts["by_password"], json!({ "hash": 5, "password": 1, "none": 1, "held-by-legacy": 1 }));
    assert_eq!(accounts["by_source"], json!({ "legacy": PLANNED }));
    assert_eq!(left["by_state"], json!({ "held": 3 }));
    assert_eq!(left["rejected"], 1);
    let everybody = PLANNED + sum(&left["by_state"]) + sum(&left["by_reason"]);
    assert_eq!(before["accounts"], everybody);
    let codes: BTreeSet<&str> =
        left["reasons"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert_eq!(codes, BTreeSet::from(["L4001", "L4003"]));
    assert_eq!((&manifest["adds_up"], &manifest["plan"]["target"]), (&json!(true), &json!("entra-external-id")));
    assert!(
        manifest["losses"].as_array().unwrap().iter().any(|loss| loss["what"] == "totp" && loss["of"] == "package")
    );
    assert_eq!((&said["accounts"], &said["left_out"]), (accounts, left));
    assert_eq!(package.names(), ["README.txt", "groups.jsonl", "manifest.json", "users-00001.jsonl"]);
    assert_eq!(
        package.text("groups.jsonl"),
        "{\"displayName\":\"all\",\"members\":1}\n{\"displayName\":\"staff\",\"members\":2}\n"
    );
    assert!(!package.holds("ZQSECRETFACTOR") && !package.holds("unlisted.example"));
}

#[test]
fn a_line_is_a_scim_user_with_what_belongs_to_it_beside_it() {
    let (world, key) = planned();
    let (package, _) = handed_over(&world, &key, "--extension urn:example:schema:1.0:User");
    let line = package.line("zqvalue-5");
    let key = line["user"]["externalId"].as_str().unwrap();
    assert_eq!(key.len(), 36);
    assert_eq!(
        line["user"],
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:example:schema:1.0:User"],
            "externalId": key,
            "userName": "zqmail-5@zqdomain.example",
            "displayName": "Zqgiven Plain",
            "name": { "givenName": "Zqgiven", "familyName": "Zqfamily" },
            "emails": [{ "value": "zqmail-5@zqdomain.example", "primary": true }],
            "phoneNumbers": [{ "value": "+4930901820991", "primary": true }],
            "addresses": [{ "streetAddress": "Zqstreet 1", "country": "DE" }],
            "roles": [{ "value": "editor" }],
            "urn:example:schema:1.0:User": { "plan": "zqvalue-plan" },
        })
    );
    assert_eq!(line["groups"], json!(["staff"]));
    assert_eq!(line["verified"], json!(["+4930901820991"]));
    assert_eq!(line["credential"], json!({ "kind": "password" }), "no secret without being asked for");
    assert_eq!(line["source"], json!({ "name": "legacy", "id": "zqvalue-5" }));
    let social = package.line("zqvalue-6");
    assert_eq!(social["associations"], json!([{ "idp": "google.com", "federatedUserId": "zqsubject-6" }]));
    assert_eq!(social["user"]["userName"], social["user"]["externalId"]);
    let hashed = package.line("zqvalue-3");
    assert_eq!(hashed["credential"], json!({ "kind": "hash", "format": "ldap-ssha" }));
    assert!(!package.holds(&hash(3)) && !package.holds(PLAIN));
}

#[test]
fn each_hash_is_checked_by_the_program_and_by_the_steps_that_the_package_prescribes() {
    let (world, key) = planned();
    let (package, _) = handed_over(&world, &key, "--with-hashes");
    let mut lines = Vec::new();
    for (form, format) in FORMATS.into_iter().enumerate() {
        let credential = package.line(&format!("zqvalue-{form}"))["credential"].clone();
        assert_eq!((&credential["format"], &credential["value"]), (&json!(format), &json!(hash(form))));
        for typed in [password(form), "another".to_owned()] {
            let line = json!({ "format": credential["format"], "hash": credential["value"], "password": typed });
            lines.push(line.to_string());
        }
        if ["ldap-ssha", "django-pbkdf2-sha256"].contains(&format) {
            let verify = &credential["verify"];
            let expected = BASE64_STANDARD.decode(verify["expected_base64"].as_str().unwrap()).unwrap();
            assert_eq!(taken(&verify["steps"], &password(form)), expected);
            assert_ne!(taken(&verify["steps"], "another"), expected);
        }
    }
    world.folder.write("tests.jsonl", &lines.join("\n"));
    let run = world.run("password verify --file tests.jsonl").exits(0);
    let verdicts: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(verdicts.len(), 2 * hashes::FORMS);
    for pair in verdicts.chunks(2) {
        assert_eq!((&pair[0]["verdict"], &pair[1]["verdict"]), (&json!("match"), &json!("mismatch")));
    }
    let manifest = package.manifest();
    let groups = manifest["hashes"].as_array().unwrap();
    assert_eq!(groups.len(), hashes::FORMS);
    let django = groups.iter().find(|group| group["format"] == "django-pbkdf2-sha256").unwrap();
    assert_eq!((&django["hashes"], &django["parameters"]), (&json!(1), &json!("sha256 n=1000")));
    assert!(package.text("README.txt").contains("PBKDF2 (HMAC-sha256, 1000 iterations, 5 bytes of salt"));
    assert!(!package.holds(PLAIN));
}

#[test]
fn nothing_of_a_package_is_anywhere_in_the_clear() {
    let (world, key) = planned();
    let secrets: Vec<String> =
        (0..hashes::FORMS).map(hash).chain([PLAIN.to_owned(), "ZQSECRETFACTOR".to_owned()]).collect();
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let patterns = patterns(
        &secrets,
        &["zqmail", "zqdomain", "zqgiven", "zqfamily", "zqsubject", "zqvalue", "zqstreet", "4930901820"],
    );
    let look = |place: &str, bytes: &[u8]| {
        let bytes = bytes.to_ascii_lowercase();
        let found = patterns.iter().find(|(_, finder)| finder.find(&bytes).is_some());
        assert!(found.is_none(), "{place} holds {}", found.unwrap().0);
    };
    let temporary = tempfile::tempdir().unwrap();
    for args in [
        "--with-hashes --with-passwords --yes --output out.tar.age",
        "--with-hashes",
        "--cohort nobody",
        "--output sterna.toml",
    ] {
        let mut command = world.command(&format!("export handover -vvv --recipient {} {args}", key.to_public()));
        let output = command.env("RUST_LOG", "trace").env("TMPDIR", temporary.path()).output().unwrap();
        look(&format!("standard output of {args}"), &output.stdout);
        look(&format!("standard error of {args}"), &output.stderr);
    }
    let written = files(world.folder.path()).into_iter().chain(files(temporary.path()));
    let mut packages = 0;
    for path in written.filter(|path| !path.ends_with("people.jsonl") && !path.ends_with("sterna.toml")) {
        packages += u32::from(path.extension().is_some_and(|ending| ending == "age"));
        look(&path.display().to_string(), &fs::read(&path).unwrap());
    }
    assert_eq!(packages, 2, "one where it was wanted, one in exports/");
    let opened = Opened::new(&world.folder.path().join("out.tar.age"), &key);
    assert!(opened.holds(PLAIN) && opened.holds("zqmail-5@zqdomain.example"), "the package itself has them");
}

#[test]
fn passwords_in_clear_go_along_only_on_a_second_word_and_loudly() {
    let (world, key) = planned();
    let base = format!("export handover --recipient {} --output out.tar.age", key.to_public());
    world.run(&format!("{base} --with-passwords")).exits(2);
    let unasked = world.run(&format!("{base} --with-hashes --with-passwords"));
    assert!(unasked.code != 0 && unasked.stderr.contains("E1012"), "{}", unasked.stderr);
    assert!(!world.folder.path().join("out.tar.age").exists());
    let run = world.run(&format!("{base} --with-hashes --with-passwords --yes")).exits(0);
    assert!(run.stderr.contains("IN CLEAR"), "{}", run.stderr);
    let package = Opened::new(&world.folder.path().join("out.tar.age"), &key);
    assert_eq!(package.line("zqvalue-5")["credential"], json!({ "kind": "password", "value": PLAIN }));
    assert!(package.text("README.txt").contains("PASSWORDS IN CLEAR ARE IN THE PACKAGE"));
    let audit = world.run("export audit --output -").exits(0);
    assert!(audit.stdout.contains("PASSWORDS IN CLEAR") && audit.stdout.contains(&key.to_public().to_string()));
}

#[test]
fn several_receivers_open_it_and_strangers_do_not() {
    let (world, first) = planned();
    let (second, stranger) = (Identity::generate(), Identity::generate());
    world.folder.write("keys.txt", &format!("# the vendor\n\n{}\n", second.to_public()));
    let (_, said) = handed_over(&world, &first, "--recipients-file keys.txt");
    assert_eq!(said["recipients"].as_array().unwrap().len(), 2);
    let path = world.folder.path().join("out.tar.age");
    assert_eq!(Opened::new(&path, &second).lines().len() as u64, PLANNED);
    let decryptor = age::Decryptor::new(fs::File::open(&path).unwrap()).unwrap();
    assert!(decryptor.decrypt(std::iter::once(&stranger as &dyn age::Identity)).is_err());
    for name in ["out.tar.age", "out.tar.age.sha256"] {
        let mode = fs::metadata(world.folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn the_usual_tools_open_it() {
    let Some(tool) = program(&["age"]) else { return };
    let (world, key) = planned();
    let (package, _) = handed_over(&world, &key, "--with-hashes");
    let secret = age::secrecy::ExposeSecret::expose_secret(&key.to_string()).to_owned();
    write_secret(&world.folder, "key.txt", &secret);
    let script = format!("{} -d -i key.txt out.tar.age | tar x && sha256sum -c out.tar.age.sha256", tool.display());
    let output = Command::new("sh").args(["-ec", &script]).current_dir(world.folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(world.folder.read("handover/manifest.json"), package.text("manifest.json"));
}

#[test]
fn what_is_wrong_is_refused_before_anything_is_written() {
    let (world, key) = planned();
    let public = key.to_public();
    let fails = |args: &str, code: i32, words: &str| {
        let run = world.run(&format!("export handover {args}"));
        assert!(run.code == code && run.stderr.contains(words), "{args}: {} {}", run.code, run.stderr);
        run
    };
    fails("", 2, "--recipient");
    world.folder.write("keys.txt", "# nobody yet\n");
    fails("--recipients-file keys.txt", 2, "never written unencrypted");
    let private = age::secrecy::ExposeSecret::expose_secret(&key.to_string()).to_owned();
    let run = fails(&format!("--recipient {private}"), 2, "PRIVATE key");
    assert!(!run.stderr.to_lowercase().contains(&private.to_lowercase()), "it is not repeated");
    fails("--recipient ssh-ed25519", 2, "no public key");
    world.folder.write("there", "kept");
    fails(&format!("--recipient {public} --output there"), 1, "there already");
    world.folder.write("other.sha256", "kept");
    fails(&format!("--recipient {public} --output other"), 1, "there already");
    fails(&format!("--recipient {public} --output none/out"), 1, "E1013");
    fails(&format!("--recipient {public} --cohort nobody"), 2, "E5014");
    fails(&format!("--recipient {public} --extension User"), 2, "URN");
    assert_eq!((world.folder.read("there"), world.folder.read("other.sha256")), ("kept".into(), "kept".into()));
    let left = files(world.folder.path()).into_iter().filter(|path| path.display().to_string().contains("handover-"));
    assert_eq!(left.count(), 0, "no part is left");
    assert!(!world.folder.path().join("other").exists());
}

#[test]
fn a_cohort_is_handed_over_alone() {
    let (world, key) = planned();
    let (package, _) = handed_over(&world, &key, "--cohort first");
    let ids: BTreeSet<String> = package.lines().iter().map(|line| line["source"]["id"].to_string()).collect();
    assert_eq!(ids, BTreeSet::from(["\"zqvalue-5\"".to_owned(), "\"zqvalue-6\"".to_owned()]));
    let manifest = package.manifest();
    assert_eq!(manifest["left_out"]["by_reason"], json!({ "other-cohort": PLANNED - 2 }));
    assert_eq!((&manifest["adds_up"], &manifest["cohort"]), (&json!(true), &json!("first")));
}

#[test]
fn without_a_plan_everybody_goes_whom_a_plan_would_not_hold_for_the_sources_alone() {
    let (world, key) = extracted();
    let (package, _) = handed_over(&world, &key, "");
    let manifest = package.manifest();
    assert_eq!(package.lines().len() as u64, PLANNED);
    assert_eq!(manifest["plan"], Value::Null);
    assert_eq!(manifest["left_out"]["by_reason"], json!({ "L4001": 2, "L4003": 1 }));
    assert_eq!(manifest["adds_up"], true);
    let social = package.line("zqvalue-6");
    assert_eq!(social["associations"], json!([{ "idp": "google.com", "federatedUserId": "zqsubject-6" }]));
}

#[test]
fn what_the_receiver_loaded_is_found_by_its_key_and_nobody_is_doubled() {
    let (world, key) = extracted();
    let exclude = "[social]\nexclude = [\"unlisted.example\"]\n[social.issuers]";
    world.reconfigure("[social.issuers]", exclude);
    world.plan();
    let (package, _) = handed_over(&world, &key, "");
    // somebody loads them under their keys: a ledger that is thrown away afterwards plays the part
    let ledger = world.copy_ledger();
    world.run("apply --yes").exits(0);
    world.roll_back(&ledger);
    let keys: BTreeSet<String> =
        package.lines().iter().map(|line| line["user"]["externalId"].as_str().unwrap().to_owned()).collect();
    let loaded = world.emulator.users();
    let there: BTreeSet<String> = loaded.iter().map(|user| user["mailNickname"].as_str().unwrap().to_owned()).collect();
    assert_eq!(there, keys);
    settle();
    world.plan();
    // those who are there already are in no further package
    let again = world.run(&format!("export handover --recipient {} --output again.tar.age --json", key.to_public()));
    let again = again.exits(0).json();
    assert_eq!(again["accounts"]["together"], 0, "{again}");
    assert_eq!(again["left_out"]["by_reason"], json!({ "there-already": PLANNED }));
    world.run("apply --yes").exits(0);
    let status = world.exactly_once(PLANNED);
    assert_eq!(count(&status, "profile", "applied"), PLANNED);
    world.run("undo --yes").exits(0);
    assert_eq!(world.emulator.users().len(), 0, "they count as made by this project");
}

#[test]
fn a_hash_that_nothing_fixes_is_handed_over_with_what_it_may_be_and_a_warning() {
    let md5 = "5f4dcc3b5aa765d61d8327deb882cf99";
    let folder = Folder::project(
        "[migration]\nname = \"one\"\n[sources.rows]\nconnector = \"csv\"\npath = \"rows.csv\"\n[sources.rows.columns]\nkey = \"id\"\nemail = \"mail\"\npassword_hash = \"hash\"\n",
    );
    folder.write("rows.csv", &format!("id,mail,hash\n1,a@example.org,{md5}\n"));
    folder.run("extract");
    let key = Identity::generate();
    let args = format!("export handover --recipient {} --output out.tar.age --with-hashes", key.to_public());
    let run = folder.run(&args).exits(11);
    assert!(run.stderr.contains("E5019"), "{}", run.stderr);
    let package = Opened::new(&folder.path().join("out.tar.age"), &key);
    let credential = &package.line("1")["credential"];
    assert_eq!((&credential["format"], &credential["value"]), (&json!("unknown"), &json!(md5)));
    assert!(credential["may_be"].as_array().unwrap().contains(&json!("hex-md5")), "{credential}");
    assert_eq!(credential.get("verify"), None);
}

/// More than one file of accounts; only a few letters each.
const MANY: usize = 10_050;

#[test]
fn many_accounts_make_several_files_and_a_killed_run_leaves_nothing_in_the_clear() {
    let rows: Vec<String> = (0..MANY).map(|n| format!("id{n},zqmail-{n}@zqdomain.example\n")).collect();
    let folder = Folder::project(
        "[migration]\nname = \"many\"\n[sources.rows]\nconnector = \"csv\"\npath = \"rows.csv\"\n[sources.rows.columns]\nkey = \"id\"\nemail = \"mail\"\n",
    );
    folder.write("rows.csv", &format!("id,mail\n{}", rows.concat()));
    folder.run("extract").exits(0);
    let key = Identity::generate();
    let args = format!("export handover --recipient {} --output out.tar.age", key.to_public());
    let part = || files(folder.path()).into_iter().find(|path| path.extension().is_some_and(|ending| ending == "part"));
    let mut child = folder.command(&args).spawn().unwrap();
    while part().is_none() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let patterns = patterns(&[], &["zqmail", "zqdomain"]);
    for path in files(folder.path()).into_iter().filter(|path| !path.ends_with("rows.csv")) {
        let bytes = fs::read(&path).unwrap().to_ascii_lowercase();
        assert!(patterns.iter().all(|(_, finder)| finder.find(&bytes).is_none()), "{}", path.display());
    }
    // whatever was written by then, the same command goes through under another name
    folder.run(&args.replace("out.tar", "again.tar")).exits(0);
    let package = Opened::new(&folder.path().join("again.tar.age"), &key);
    assert_eq!(package.names(), ["README.txt", "manifest.json", "users-00001.jsonl", "users-00002.jsonl"]);
    assert_eq!(package.text("users-00001.jsonl").lines().count(), 10_000);
    let keys: BTreeSet<String> = package.lines().iter().map(|line| line["user"]["externalId"].to_string()).collect();
    assert_eq!(keys.len(), MANY);
}
