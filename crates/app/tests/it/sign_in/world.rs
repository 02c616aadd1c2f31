//! A migrated project, the emulated tenant, and the service that the tenant asks.

use std::{
    io::{BufRead, BufReader, Read},
    ops::Deref,
    path::PathBuf,
    process::{Child, ChildStdout, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sterna_wire::RsaIdentity;

use crate::scenario::{World, adds_up, count, request, write_secret};

/// The longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// `sterna serve` in a process of its own; ended by its process id.
pub(super) struct Service {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: PathBuf,
    /// Its ready line.
    pub(super) ready: Value,
}

impl Service {
    /// Starts it, and waits until it says that it can do its work.
    fn start(world: &World, args: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let stderr = world.folder.path().join(format!("serve-{}.stderr", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let mut command = world.command(&format!("serve --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 {args}"));
        let file = std::fs::File::create(&stderr).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let told = std::fs::read_to_string(&stderr).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?} {told}"));
        let service = Self { child, stdout, stderr, ready };
        until("the service is ready", || service.observed("/readyz").contains("\"ready\":true"));
        service
    }

    /// What it says on the side that is not for hooks.
    pub(super) fn observed(&self, path: &str) -> String {
        request("GET", &format!("{}{path}", self.ready["metrics"].as_str().unwrap()), "")
    }

    /// The sum of a metric over its labels; those whose labels hold `label` only.
    pub(super) fn metric(&self, name: &str, label: &str) -> u64 {
        let all = self.observed("/metrics");
        let of_it = |line: &&str| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(label)
        };
        all.lines().filter(of_it).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }

    /// Where the hook is.
    pub(super) fn hook(&self) -> String {
        format!("{}/hooks/entra", self.ready["serve"].as_str().unwrap())
    }

    pub(super) fn hang_up(&self) {
        kill_process(self.pid(), Signal::HUP).unwrap();
    }

    pub(super) fn stderr(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap()
    }

    /// Asks it to end, and gives everything that it wrote.
    pub(super) fn end(mut self) -> String {
        kill_process(self.pid(), Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        let all = format!("{}{rest}{}", self.ready, self.stderr());
        assert!(status.success(), "{status}: {all}");
        all
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if thread::panicking() {
            told(&self.stderr());
        }
        drop(self.child.kill());
        drop(self.child.wait());
        let panicked = self.stderr().contains("panicked");
        assert!(!panicked || thread::panicking(), "{}", self.stderr());
    }
}

/// A project whose people have moved and whose passwords have not. Everything of [`World`] is there too.
pub(super) struct Scene {
    world: World,
    /// The key that the tenant encrypts to.
    pub(super) identity: RsaIdentity,
}

impl Deref for Scene {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

/// What the settings say; each is TOML.
#[derive(Clone, Copy, Default)]
pub(super) struct Settings<'s> {
    /// Tables `[sources.…]`.
    pub(super) sources: &'s str,
    /// Tables `[checks.…]` and whatever else.
    pub(super) checks: &'s str,
    /// More of `[serve]`.
    pub(super) serve: &'s str,
    /// More of the hook.
    pub(super) hook: &'s str,
}

impl Scene {
    /// The project; `write` puts the files there that its sources read.
    pub(super) fn new(settings: &Settings<'_>, write: impl FnOnce(&World)) -> Self {
        let Settings { sources, checks, serve, hook } = settings;
        let target = "settling_secs = 1\nrequest_timeout_secs = 5\nwrites_per_second = 600\n\
                      tenant_writes_per_second = 600\n";
        let world = World::new(sources, target, checks, "[quota]\nwrites_per_second = 600\n");
        let identity = RsaIdentity::generate("JitMigration").unwrap();
        write_keys(&world, "jit", &identity);
        let told: Value = serde_json::from_str(&world.emulator.ask("GET", "/just-in-time", &Value::Null)).unwrap();
        let toml = format!(
            "{}\n[serve]\nsweep_secs = 1\nsweep_per_second = 1000\n{serve}\n[hooks.entra]\n\
             connector = \"entra-on-password-submit\"\ntenant_id = {}\nclient_id = {}\nkey_set_url = {}\n\
             keys = [{{ certificate = \"jit.crt\", private_key = {{ file = \"jit.key\" }} }}]\n{hook}\n",
            world.folder.read("sterna.toml"),
            world.emulator.ready["tenant_id"],
            told["app_id"],
            world.emulator.ready["jwks_url"],
        );
        world.folder.write("sterna.toml", &toml);
        write(&world);
        world.migrate();
        Self { world, identity }
    }

    /// People by (id, bcrypt hash), whose sign-in name is `ID@example.com`, checked by the hash that the ledger holds,
    /// after the checks of the settings.
    pub(super) fn with_hashes(people: &[(&str, String)], settings: &Settings<'_>) -> Self {
        let checks = format!("{}[checks.hashes]\nconnector = \"stored-hash\"\n", settings.checks);
        let sources = "[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n";
        Self::new(&Settings { sources, checks: &checks, ..*settings }, |world| {
            let line = |(id, hash): &(&str, String)| {
                let identity = json!({ "kind": "local", "name": "email", "value": format!("{id}@example.com") });
                let person = json!({
                    "id": id, "display_name": format!("Person {id}"), "identities": [identity],
                    "password": { "hash": hash, "format": "bcrypt-2b" },
                });
                person.to_string() + "\n"
            };
            world.folder.write("people.jsonl", &people.iter().map(line).collect::<String>());
        })
    }

    /// Starts the service, and lets the tenant ask it.
    pub(super) fn serve(&self) -> Service {
        self.serve_with("", &json!({}))
    }

    /// The same with arguments for `sterna serve`, and more of the tenant's settings.
    pub(super) fn serve_with(&self, args: &str, tenant: &Value) -> Service {
        let service = Service::start(&self.world, args);
        self.just_in_time(&service, tenant);
        service
    }

    /// Sets the tenant up to ask `service`, more often than the 50 times a second of the real one.
    pub(super) fn just_in_time(&self, service: &Service, more: &Value) {
        let mut settings = json!({
            "target_url": service.hook(), "certificate_pem": self.identity.certificate_pem, "calls_per_second": 5_000,
        });
        for (name, value) in more.as_object().unwrap() {
            settings[name] = value.clone();
        }
        self.emulator.control("/just-in-time", &settings);
    }

    /// Somebody types a name and a password; what the tenant says.
    pub(super) fn sign_in(&self, username: &str, password: &str) -> Value {
        self.sign_in_from("203.0.113.7", username, password)
    }

    pub(super) fn sign_in_from(&self, address: &str, username: &str, password: &str) -> Value {
        self.ask("/sign-in", &json!({ "username": username, "password": password, "client_ip": address }))
    }

    /// The control side, whose answers may say `error` here.
    pub(super) fn ask(&self, path: &str, body: &Value) -> Value {
        let url = self.emulator.ready["state_url"].as_str().unwrap().trim_end_matches('/').to_owned() + path;
        let answer = request("POST", &url, &body.to_string());
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// Waits until so many passwords have moved; the status of then.
    pub(super) fn until_moved(&self, wanted: u64) -> Value {
        until(&format!("{wanted} passwords have moved"), || count(&self.status(), "credential", "moved") >= wanted);
        let status = self.status();
        adds_up(&status);
        assert_eq!(count(&status, "credential", "moved"), wanted, "{status:#}");
        status
    }
}

/// Key and certificate in the project's folder.
pub(super) fn write_keys(world: &World, name: &str, identity: &RsaIdentity) {
    world.folder.write(&format!("{name}.crt"), &identity.certificate_pem);
    write_secret(&world.folder, &format!("{name}.key"), &identity.private_key_pem);
}

#[expect(clippy::print_stderr, reason = "a failed test shows what the service said")]
fn told(text: &str) {
    eprintln!("the service said:\n{text}");
}

/// Waits until it holds.
pub(super) fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "in vain: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Asserts the outcome of a sign-in.
pub(super) fn came_out(answer: &Value, outcome: &str) {
    assert_eq!(answer["outcome"], outcome, "{answer:#}");
}
