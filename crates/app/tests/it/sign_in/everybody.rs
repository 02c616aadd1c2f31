//! A thousand people from two old systems sign in for the first time, and all of their passwords move.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    hashes::{mixed, ssha},
    world::{Scene, Settings, came_out},
};
use crate::{
    scenario::{count, extension, stands, write_secret},
    servers::{
        postgres::{Postgres, postgres},
        slapd::{SUFFIX, Slapd},
    },
};

/// People of each old system.
const EACH: usize = 500;
/// Who types a wrong password first.
const EVERY: usize = 20;
/// How many sign in at once.
const AT_ONCE: usize = 8;

/// Somebody, as they sign in.
struct Person {
    login: String,
    password: String,
    address: String,
    /// Types a wrong password first.
    hesitates: bool,
}

impl Person {
    fn new(number: usize, login: String) -> Self {
        // addresses of documentation, of both kinds, in many ranges
        let address = if number.is_multiple_of(2) {
            format!("{}.{}", ["192.0.2", "198.51.100", "203.0.113"][number % 3], number % 250 + 1)
        } else {
            format!("2001:db8:{number:x}::1")
        };
        let hesitates = number.is_multiple_of(EVERY);
        Self { login, password: format!("Tern {number} flies!"), address, hesitates }
    }
}

fn database(server: &Postgres) -> Vec<Person> {
    let mut sql = "CREATE TABLE people (id INT PRIMARY KEY, name TEXT, email TEXT, hash TEXT);\n".to_owned();
    let mut people = Vec::new();
    for number in 0..EACH {
        let person = Person::new(number, format!("d{number}@shop.example"));
        let hash = mixed(number, &person.password, number as u64);
        let email = &person.login;
        writeln!(sql, "INSERT INTO people VALUES ({number}, 'Buyer {number}', '{email}', '{hash}');").unwrap();
        people.push(person);
    }
    server.execute(&sql);
    people
}

/// The directory's people, and an account that may read them but none of their hashes.
fn directory() -> (String, Vec<Person>) {
    let mut ldif = format!(
        "dn: cn=crawler,{SUFFIX}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: crawler\n\
         userPassword: crawler-secret\n\n"
    );
    let mut people = Vec::new();
    for number in EACH..2 * EACH {
        let person = Person::new(number, format!("user{number}"));
        let (uid, hash) = (&person.login, ssha(&person.password, number as u64));
        write!(
            ldif,
            "dn: uid={uid},ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: Clerk {number}\n\
             sn: {number}\nmail: {uid}@staff.example\nuserPassword: {hash}\n\n"
        )
        .unwrap();
        people.push(person);
    }
    (ldif, people)
}

fn scene(database: &Postgres, directory: &Slapd) -> Scene {
    let (sql, ldap) = (database.reader_url(), directory.url());
    let sources = format!(
        "[sources.shop]\nconnector = \"sql\"\nurl = \"{sql}\"\npassword = {{ file = \"sql.secret\" }}\n\
         query = \"SELECT id, name, email, hash FROM people ORDER BY id\"\n\
         password_format = \"bcrypt-2b, argon2id, django-pbkdf2-sha256, ldap-ssha, phpass-P\"\n\
         [sources.shop.columns]\nkey = \"id\"\nemail = \"email\"\ndisplay_name = \"name\"\npassword_hash = \"hash\"\n\
         [sources.staff]\nconnector = \"ldap\"\nurl = \"{ldap}\"\nbase = \"ou=people,{SUFFIX}\"\n\
         bind_dn = \"cn=crawler,{SUFFIX}\"\nbind_password = {{ file = \"ldap.secret\" }}\n"
    );
    let checks = format!(
        "[checks.hashes]\nconnector = \"stored-hash\"\nsources = [\"shop\"]\n\
         [checks.binds]\nconnector = \"ldap-bind\"\nurl = \"{ldap}\"\nbind_as = \"uid={{login}},ou=people,{SUFFIX}\"\n\
         sources = [\"staff\"]\n"
    );
    Scene::new(&Settings { sources: &sources, checks: &checks, ..Settings::default() }, |world| {
        write_secret(&world.folder, "sql.secret", "secret");
        write_secret(&world.folder, "ldap.secret", "crawler-secret");
    })
}

/// How often something happened.
#[derive(Default)]
struct Counts {
    wrong: AtomicUsize,
    again: AtomicUsize,
}

/// Types a password, and once more where nothing could be said in time: this machine may be busy. A right password is
/// never called wrong, however busy it is.
fn types(scene: &Scene, person: &Person, password: &str, expected: &str, counts: &Counts) {
    for _ in 0..20 {
        let answer = scene.sign_in_from(&person.address, &person.login, password);
        if answer["title"] == "Please try again later" || answer["code"] == 1_003_005 {
            counts.again.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(300));
            continue;
        }
        came_out(&answer, expected);
        return;
    }
    panic!("{} is asked to come later for too long", person.login);
}

/// Everybody signs in, some at once.
fn all_sign_in(scene: &Scene, people: &[Person]) -> Counts {
    let (next, counts) = (AtomicUsize::new(0), Counts::default());
    let one_after_the_other = || {
        while let Some(person) = people.get(next.fetch_add(1, Ordering::Relaxed)) {
            if person.hesitates {
                types(scene, person, &format!("{}!", person.password), "retry", &counts);
                counts.wrong.fetch_add(1, Ordering::Relaxed);
            }
            types(scene, person, &person.password, "signed_in", &counts);
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(one_after_the_other);
        }
    });
    counts
}

/// The tenant's people by what they sign in with.
fn by_login(scene: &Scene) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for user in scene.emulator.users() {
        for identity in user["identities"].as_array().unwrap() {
            all.insert(identity["issuerAssignedId"].as_str().unwrap().to_owned(), user.clone());
        }
    }
    all
}

#[test]
fn a_thousand_people_of_a_database_and_a_directory_sign_in_and_all_passwords_move() {
    let Some(sql) = postgres() else { return };
    let (ldif, staff) = directory();
    let Some(ldap) = Slapd::start(&ldif, None) else { return };
    let mut people = database(&sql);
    people.extend(staff);
    let began = Instant::now();
    let scene = scene(&sql, &ldap);
    let migrated = began.elapsed();
    stands(&scene.status(), "credential", &[("awaiting_sign_in", 1_000)]);
    for user in scene.emulator.users() {
        assert_eq!(extension(&user, "toBeMigrated"), true, "{user:#}");
    }
    let service = scene.serve();

    let began = Instant::now();
    let counts = all_sign_in(&scene, &people);
    let signed_in = began.elapsed();
    let (wrong, again) = (counts.wrong.into_inner(), counts.again.into_inner());
    let status = scene.until_moved(1_000);
    eprintln!(
        "migrated in {migrated:.1?}; {} sign-ins, {again} of them repeated, in {signed_in:.1?}; \
         all known as moved after {:.1?}",
        people.len() + wrong,
        began.elapsed()
    );

    stands(&status, "credential", &[("moved", 1_000)]);
    assert_eq!((wrong, count(&status, "profile", "applied")), (2 * EACH / EVERY, 1_000), "{status:#}");
    let users = by_login(&scene);
    for person in &people {
        let user = &users[&person.login];
        assert_eq!(extension(user, "toBeMigrated"), false, "{user:#}");
        assert_eq!(user["_password"], person.password.as_str(), "{user:#}");
    }
    let verify = scene.run("verify --json").exits(0).json();
    assert_eq!((&verify["equal"], &verify["differs"]), (&1_000.into(), &0.into()), "{verify:#}");
    let decided = |word: &str| service.metric("sterna_decisions_total", &format!("decision=\"{word}\""));
    assert!(decided("accept") >= 1_000 && decided("wrong") >= wrong as u64);
    if again == 0 {
        assert_eq!(service.metric("sterna_decisions_total", ""), 1_000 + wrong as u64, "each was decided once");
    }
}
