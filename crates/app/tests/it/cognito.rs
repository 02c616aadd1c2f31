//! A user pool that nobody here wrote (`cognito-local`) asks at the first sign-in, stores the password, and asks no more.

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use aws_lc_rs::{digest, pbkdf2};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    serving::{HASH, PASSWORD, Service, client, secret},
    support::Folder,
};

/// People who sign in.
const PEOPLE: usize = 150;

/// The pool's server; ended with its value.
struct Pool {
    child: Child,
    url: String,
    client_id: String,
    client: Client,
}

impl Drop for Pool {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn program() -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../counterparts/cognito/node_modules/cognito-local/lib/bin/start.js");
    if program.exists() {
        return Some(program);
    }
    assert!(std::env::var("REQUIRE_COUNTERPARTS").as_deref() != Ok("1"), "{} is not installed", program.display());
    eprintln!("skipped: cognito-local is not installed; `make setup` installs it");
    None
}

impl Pool {
    async fn start(program: &Path, folder: &Folder, hook: &str) -> Self {
        std::fs::create_dir(folder.path().join(".cognito")).unwrap();
        let config = json!({
            "LambdaClient": {"credentials": {"accessKeyId": "local", "secretAccessKey": "local"}, "endpoint": hook, "region": "local"},
            "TriggerFunctions": {"UserMigration": "mig"},
            "UserPoolDefaults": {"UsernameAttributes": ["email"]},
        });
        folder.write(".cognito/config.json", &config.to_string());
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let log = std::fs::File::create(folder.path().join("cognito.log")).unwrap();
        let child = Command::new("node")
            .arg(program)
            .current_dir(folder.path())
            .env("HOST", "127.0.0.1")
            .env("PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut pool =
            Self { child, url: format!("http://127.0.0.1:{port}/"), client_id: String::new(), client: client() };
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "{}", folder.read("cognito.log"));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let made = pool.ask("CreateUserPool", &json!({"PoolName": "p", "UsernameAttributes": ["email"]})).await;
        let id = &made["UserPool"]["Id"];
        let flows = json!({"UserPoolId": id, "ClientName": "c", "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]});
        let made = pool.ask("CreateUserPoolClient", &flows).await;
        made["UserPoolClient"]["ClientId"].as_str().unwrap().clone_into(&mut pool.client_id);
        pool
    }

    async fn ask(&self, operation: &str, body: &Value) -> Value {
        let request = self
            .client
            .post(&self.url)
            .header("content-type", "application/x-amz-json-1.1")
            .header("authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/local/cognito-idp/aws4_request, SignedHeaders=host, Signature=x")
            .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
            .body(body.to_string());
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }

    /// Whether somebody gets in.
    async fn lets_in(&self, name: &str, password: &str) -> bool {
        let body = json!({
            "AuthFlow": "USER_PASSWORD_AUTH", "ClientId": self.client_id,
            "AuthParameters": {"USERNAME": name, "PASSWORD": password},
        });
        let answer = self.ask("InitiateAuth", &body).await;
        let is_in = answer["AuthenticationResult"]["AccessToken"].is_string();
        let refusals = ["NotAuthorizedException", "InvalidPasswordException"];
        assert!(is_in || refusals.contains(&answer["__type"].as_str().unwrap_or_default()), "{answer}");
        is_in
    }
}

/// The hash of a password in one of several formats.
fn hashed(number: usize, password: &str) -> Value {
    let salt = format!("salt{number:08}");
    match number % 3 {
        0 => {
            let mut bytes =
                digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &[password.as_bytes(), salt.as_bytes()].concat())
                    .as_ref()
                    .to_vec();
            bytes.extend_from_slice(salt.as_bytes());
            json!({"format": "ldap-ssha", "hash": format!("{{SSHA}}{}", STANDARD.encode(bytes))})
        }
        1 => {
            let mut key = [0; 32];
            let rounds = std::num::NonZeroU32::new(2_000).unwrap();
            pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt.as_bytes(), password.as_bytes(), &mut key);
            json!({"format": "django-pbkdf2-sha256", "hash": format!("pbkdf2_sha256$2000${salt}${}", STANDARD.encode(key))})
        }
        _ => json!({"format": "bcrypt", "hash": HASH}),
    }
}

fn password(number: usize) -> String {
    if number % 3 == 2 { PASSWORD.to_owned() } else { format!("Pass w\u{f6}rd {number}!") }
}

fn project() -> Folder {
    let folder = Folder::project(
        "[migration]\nname = \"pool\"\n[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n\
         [target]\nconnector = \"on-demand\"\n[checks.hashes]\nconnector = \"stored-hash\"\n\
         [serve]\nlisten = \"127.0.0.1:0\"\nmetrics_listen = \"off\"\n\
         [hooks.cognito]\nconnector = \"cognito-user-migration\"\nbearer_token = { file = \"token\" }\n\
         deadline_ms = 1500\nlambda_emulation = true\n",
    );
    secret(&folder, "token", "0123456789abcdef");
    let people = (0..PEOPLE).map(|number| {
        let email = format!("p{number}@example.com");
        let contact = json!([{"value": email, "verified": true, "primary": true}]);
        let identity = json!([{"kind": "local", "name": "email", "value": email}]);
        json!({"id": number.to_string(), "given_name": "Ana", "emails": contact, "identities": identity,
            "password": hashed(number, &password(number))})
        .to_string()
    });
    folder.write("people.jsonl", &people.collect::<Vec<_>>().join("\n"));
    folder.run("extract").exits(0);
    folder.run("plan").exits(0);
    folder.run("apply --yes").exits(0);
    folder
}

#[tokio::test]
async fn people_of_a_real_pool_move_at_their_first_sign_in_and_are_asked_about_once() {
    let Some(program) = program() else { return };
    let folder = project();
    let service = Service::start(&folder, "");
    let pool =
        Pool::start(&program, &folder, &format!("{}/hooks/cognito", service.ready["serve"].as_str().unwrap())).await;
    for number in 0..PEOPLE {
        let (name, password) = (format!("p{number}@example.com"), password(number));
        if number % 20 == 0 {
            assert!(!pool.lets_in(&name, "not it").await, "{name} with a wrong password");
        }
        assert!(pool.lets_in(&name, &password).await, "{name} with the old password");
    }
    assert!(!pool.lets_in("nobody@example.com", "x").await);
    let status = folder.run("status --json").exits(0).json();
    assert_eq!((status["credential"]["answered"].as_u64(), &status["adds_up"]), (Some(150), &json!(true)), "{status}");
    // the pool has the passwords: they work while nobody is there to be asked
    drop(service);
    for number in (0..PEOPLE).step_by(10) {
        let name = format!("p{number}@example.com");
        assert!(pool.lets_in(&name, &password(number)).await, "{name} for the second time");
        assert!(!pool.lets_in(&name, "not it").await);
    }
}
