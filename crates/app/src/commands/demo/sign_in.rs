//! The last chapter: somebody signs in at the new place with the old password, and the ledger knows that it has moved.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sterna_core::code::Code;
use sterna_wire::RsaIdentity;

use super::{Demo, PROJECT, cannot};
use crate::failure::Failure;

/// One of the bundled staff, whose old bcrypt hash is in `people.jsonl`.
const NAME: &str = "person002@staff.example";
/// Her old password.
const PASSWORD: &str = "Terns fly far, 2026";
/// How long the reading back may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The service in a process of its own; ended with the demo.
struct Service {
    process: Child,
    address: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Demo<'_> {
    /// Serves, signs in, waits until the password has moved.
    pub(super) async fn sign_in(&self) -> Result<(), Failure> {
        self.tell(
            "\nThe morning after. The tenant asks our service when somebody types a password that it does not know: the hook's \
             settings, and the key that only the service has, go into the project.",
        );
        let client = reqwest::Client::builder().no_proxy().build().map_err(|error| cannot("make a client", &error))?;
        let told = self.ask(&client, "GET", "/just-in-time", None).await?;
        let identity = RsaIdentity::generate("JitMigration").map_err(|error| cannot("make a certificate", &error))?;
        self.write_hook(&told, &identity)?;
        let service = self.serve()?;
        let on = json!({
            "target_url": format!("{}/hooks/entra", service.address), "certificate_pem": identity.certificate_pem,
        });
        self.ask(&client, "POST", "/just-in-time", Some(&on)).await?;
        self.tell(&format!("\n{NAME} signs in, first with a wrong password, then with the old one."));
        for (password, expected) in [("no idea", "retry"), (PASSWORD, "signed_in")] {
            let body = json!({ "username": NAME, "password": password, "client_ip": "203.0.113.7" });
            let answer = self.ask(&client, "POST", "/sign-in", Some(&body)).await?;
            self.tell(&format!("  the tenant says: {}", answer["outcome"].as_str().unwrap_or_default()));
            if answer["outcome"] != expected {
                return Err(Failure::new(Code::E5010, format!("the sign-in should have been {expected}: {answer}")));
            }
        }
        self.wait_until_moved().await?;
        self.tell("\nThe password is the tenant's now, and the ledger has read it back:");
        self.step("status", &[0])
    }

    /// What the service has to know of the tenant, and its key.
    fn write_hook(&self, told: &Value, identity: &RsaIdentity) -> Result<(), Failure> {
        let write = |name: &str, text: &str| {
            let path = self.folder.join(name);
            fs::write(&path, text).and_then(|()| private(&path)).map_err(|error| cannot("write its files", &error))
        };
        write("jit.crt", &identity.certificate_pem)?;
        write("jit.key", &identity.private_key_pem)?;
        let (tenant, keys) = (&self.emulator.ready["tenant_id"], &self.emulator.ready["jwks_url"]);
        let hook = format!(
            "\n[checks.hashes]                           # the old bcrypt hashes, sealed in the ledger\n\
             connector = \"stored-hash\"\n\n\
             [serve]\nsweep_secs = 1\n\n\
             [hooks.entra]\nconnector = \"entra-on-password-submit\"\ntenant_id = {tenant}\nclient_id = {}\n\
             key_set_url = {keys}\nkeys = [{{ certificate = \"jit.crt\", private_key = {{ file = \"jit.key\" }} }}]\n",
            told["app_id"]
        );
        self.edit(PROJECT, |text| text.to_owned() + &hook)
    }

    fn serve(&self) -> Result<Service, Failure> {
        const ARGUMENTS: &str = "serve --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0";
        self.tell(&format!("\n$ sterna {ARGUMENTS} &"));
        let mut process = self
            .command(ARGUMENTS)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| cannot("start the service", &error))?;
        let mut line = String::new();
        let stdout = process.stdout.take();
        let mut service = Service { process, address: String::new() };
        if let Some(stdout) = stdout {
            BufReader::new(stdout).read_line(&mut line).map_err(|error| cannot("start the service", &error))?;
        }
        let ready: Value = serde_json::from_str(&line).map_err(|error| cannot("start the service", &error))?;
        ready["serve"].as_str().unwrap_or_default().clone_into(&mut service.address);
        Ok(service)
    }

    async fn wait_until_moved(&self) -> Result<(), Failure> {
        let began = Instant::now();
        while self.status()?["credential"]["moved"] != 1 {
            if began.elapsed() > PATIENCE {
                return Err(Failure::new(Code::E5010, "the moved password was not read back"));
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        Ok(())
    }

    /// Asks the emulator's control side.
    async fn ask(
        &self,
        client: &reqwest::Client,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let url = self.emulator.ready["state_url"].as_str().unwrap_or_default().trim_end_matches('/').to_owned() + path;
        let request = if method == "GET" { client.get(url) } else { client.post(url) };
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answered = async { request.send().await?.error_for_status()?.json().await };
        answered.await.map_err(|error: reqwest::Error| cannot("talk to the emulator", &error))
    }
}

/// Only the owner may read a key.
fn private(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}
