//! The hook `entra-on-password-submit`: Entra External ID's event `OnPasswordSubmit` (entra.md 1 and 2).
//!
//! Pure: keys come in when it is made, the present with each call. `bearer.rs` says who calls, `jwe.rs` and `context.rs`
//! what was typed, `message.rs` about whom; this file puts them together and writes the four actions.

mod bearer;
mod context;
mod json;
mod jwe;
mod keys;
mod message;
mod settings;

use std::{collections::BTreeMap, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use sterna_core::{
    code::{Code, Finding},
    hook::{
        Call, Decision, HookAnswer, HookDialect, KeySetAddress, Material, Needs, Next, Once, Refusal, Reply,
        Submission, Who,
    },
    ids::TargetId,
    settings::{Setting, Values},
    support::HookSupport,
    time::Timestamp,
};
use uuid::Uuid;
use zeroize::Zeroizing;

use self::{
    bearer::{Checks, Expected, NotTaken, SigningKey, Verified},
    context::{Context, LONGEST_MS, SKEW_MS},
    jwe::Tries,
    keys::{Key, MOST_KEYS},
    message::Message,
};

pub use jwe::{INFLATED_BYTES, MESSAGE_BYTES};

/// The kind of hook.
pub struct HookKind;

impl sterna_core::hook::HookKind for HookKind {
    fn kind(&self) -> &'static str {
        "entra-on-password-submit"
    }

    fn title(&self) -> &'static str {
        "Microsoft Entra External ID at a sign-in, by the custom authentication extension of the event OnPasswordSubmit"
    }

    fn settings(&self) -> &'static [Setting] {
        settings::SETTINGS
    }

    fn sample(&self) -> &'static str {
        "tenant_id = \"aaaabbbb-0000-cccc-1111-dddd2222eeee\"\nclient_id = \"00001111-aaaa-2222-bbbb-3333cccc4444\"   # the extension app\nkeys = [{ certificate = \"jit.crt\", private_key = { file = \"jit.key\" } }]\n"
    }

    fn support(&self) -> Option<HookSupport> {
        Some(HookSupport { does: &[], tested_with: &["jose", "jwcrypto", "joserfc"] })
    }

    fn needs(&self, values: &Values) -> Result<Needs, Vec<Finding>> {
        let mut needs = Needs::default();
        let mut findings = Vec::new();
        let tenant = values.text("tenant_id").unwrap_or_default();
        if Uuid::try_parse(tenant).is_err() {
            findings.push(mistake("`tenant_id` is no GUID").hint("the tenant's overview page in the portal shows it"));
        }
        if Uuid::try_parse(values.text("client_id").unwrap_or_default()).is_err() {
            let hint = "it is the application (client) id of the extension app, not its object id";
            findings.push(mistake("`client_id` is no GUID").hint(hint));
        }
        let keys = values.tables("keys");
        if keys.is_empty() || keys.len() > MOST_KEYS {
            findings.push(mistake(&format!("`keys` needs one to {MOST_KEYS} tables")));
        }
        for (at, key) in keys.iter().enumerate() {
            needs.secrets.extend(key.secret("private_key").map(|secret| (format!("private_key.{at}"), secret)));
            needs.files.extend(key.text("certificate").map(|path| (format!("certificate.{at}"), path.into())));
        }
        let url = values
            .text("key_set_url")
            .map_or_else(|| format!("https://{tenant}.ciamlogin.com/{tenant}/discovery/v2.0/keys"), str::to_owned);
        needs.key_set = Some(KeySetAddress { url, ca_file: values.text("ca_file").map(Into::into) });
        if findings.is_empty() { Ok(needs) } else { Err(findings) }
    }

    fn open(&self, values: &Values, material: &Material) -> Result<Arc<dyn HookDialect>, Vec<Finding>> {
        Ok(Arc::new(Dialect::new(values, material)?))
    }
}

fn mistake(message: &str) -> Finding {
    Finding::error(Code::E1005, message)
}

/// The hook with its keys.
struct Dialect {
    keys: Vec<Key>,
    /// `None` until the key set was fetched.
    signing: Option<Vec<SigningKey>>,
    verified: Verified,
    expected: Expected,
    listeners: Vec<String>,
    extensions: Vec<String>,
    client_apps: Vec<String>,
    takes_plain: bool,
    takes_encrypted: bool,
    says_503: bool,
    texts: BTreeMap<&'static str, String>,
}

impl Dialect {
    fn new(values: &Values, material: &Material) -> Result<Self, Vec<Finding>> {
        let mut keys = Vec::new();
        for (at, key) in values.tables("keys").iter().enumerate() {
            let certificate = material.files.get(&format!("certificate.{at}")).map(Vec::as_slice).unwrap_or_default();
            let Some(private) = material.secrets.get(&format!("private_key.{at}")) else { continue };
            let id = key.text("key_id").map(str::to_owned);
            let read = Key::new(certificate, private, id);
            keys.push(read.map_err(|error| vec![mistake(&format!("`keys`, number {}: {error}", at + 1))])?);
        }
        let signing = match &material.key_set {
            Some(bytes) => {
                let set = bearer::key_set(bytes);
                Some(set.ok_or_else(|| {
                    vec![mistake("what `key_set_url` answers is no key set (RFC 7517) with an RSA key for signatures")]
                })?)
            }
            None => None,
        };
        let texts = ["blocked_title", "blocked_message", "later_title", "later_message"];
        Ok(Self {
            keys,
            signing,
            verified: Verified::default(),
            expected: expected(values),
            listeners: values.texts("listener_ids"),
            extensions: values.texts("extension_ids"),
            client_apps: values.texts("client_app_ids"),
            takes_plain: values.flag("plain_password_context").unwrap_or(false),
            takes_encrypted: values.flag("encrypted_bearer").unwrap_or(true),
            says_503: values.text("outage_answer") == Some("status-503"),
            texts: texts.into_iter().map(|name| (name, values.text(name).unwrap_or_default().to_owned())).collect(),
        })
    }

    fn read(&self, call: &Call<'_>) -> Result<Submission, Next> {
        let signing = self.signing.as_deref().ok_or(Next::FetchKeys)?;
        let decrypting = self.takes_encrypted.then_some(self.keys.as_slice());
        let checks = Checks { signing, decrypting, expected: &self.expected, verified: &self.verified };
        bearer::check(call.headers, checks, call.now).map_err(|why| match why {
            NotTaken::UnknownKey => Next::FetchKeys,
            NotTaken::Refused(why) => refuse(why),
        })?;
        let message = Message::read(call.body).ok_or_else(|| refuse(Refusal::Malformed))?;
        if !self.is_allowed(&message) {
            return Err(refuse(Refusal::NotAllowed));
        }
        let (context, digest) = self.context(&message, call.now).map_err(refuse)?;
        // one without an expiry could be sent again at any time: it is remembered for as long as any may be valid
        let until = context.expires.map_or(call.now.0.saturating_add(LONGEST_MS), |expires| expires.0);
        let address = message.address();
        let data = message.data.0;
        let about = data.authentication_context.0;
        Ok(Submission {
            who: Who::TargetId(TargetId(about.user.0.id)),
            password: context.password,
            address,
            tenant: Some(data.tenant_id.to_ascii_lowercase()),
            correlation: about.correlation_id,
            once: Some(Once { digest, until: Timestamp(until.saturating_add(SKEW_MS)) }),
            login: context.username,
            may_be_damaged: false,
            echo: context.nonce,
        })
    }

    /// The tenant is the token's, and listener, extension and application are among the configured ones.
    fn is_allowed(&self, message: &Message) -> bool {
        let data = &message.data.0;
        let is_one = |list: &[String], id: Option<&str>| {
            list.is_empty() || id.is_some_and(|id| list.iter().any(|known| known.eq_ignore_ascii_case(id)))
        };
        data.tenant_id.eq_ignore_ascii_case(&self.expected.tenant)
            && is_one(&self.listeners, data.authentication_event_listener_id.as_deref())
            && is_one(&self.extensions, data.custom_authentication_extension_id.as_deref())
            && is_one(&self.client_apps, message.client_app())
    }

    /// The password context, and the digest that a repeat of it is known by.
    fn context(&self, message: &Message, now: Timestamp) -> Result<(Context, [u8; 32]), Refusal> {
        let data = &message.data.0;
        if let Some(encrypted) = &data.encrypted_password_context {
            if encrypted.len() > MESSAGE_BYTES {
                return Err(Refusal::TooLarge);
            }
            let plain = jwe::decrypt(encrypted, &self.keys, Tries::Few).map_err(|_| Refusal::Undecryptable)?;
            let context = context::read(&plain, &self.expected.audience, now)?;
            let digest = fingerprint(&[context.nonce.as_bytes(), encrypted.as_bytes()]);
            return Ok((context, digest));
        }
        let plain = data.password_context.as_ref().filter(|_| self.takes_plain).ok_or(Refusal::Malformed)?;
        let (password, nonce) = (&plain.0.user_password, &plain.0.nonce);
        let digest = fingerprint(&[nonce.as_bytes(), password.0.as_bytes()]);
        Ok((Context::new(password, nonce.clone(), None, None)?, digest))
    }

    fn action(&self, decision: Decision) -> Value {
        let plain = |name: &str| json!({ "@odata.type": format!("microsoft.graph.passwordSubmit.{name}") });
        let block = |title: &str, message: &str| {
            let mut action = plain("Block");
            action["title"] = Value::from(self.text(title));
            action["message"] = Value::from(self.text(message));
            action
        };
        match decision {
            Decision::Accept => plain("MigratePassword"),
            Decision::AcceptAndChange => plain("UpdatePassword"),
            Decision::Wrong => plain("Retry"),
            Decision::Refuse(_) => block("blocked_title", "blocked_message"),
            Decision::TryLater(_) => block("later_title", "later_message"),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", String::as_str)
    }
}

impl HookDialect for Dialect {
    fn next(&self, call: &Call<'_>) -> Next {
        if !matches!(call.path, "" | "/") {
            return Next::Answer(HookAnswer::empty(404));
        }
        match call.method {
            // samples call it health check and validation of the endpoint (entra.md 1.6)
            "GET" | "HEAD" => Next::Answer(HookAnswer::empty(200)),
            "POST" => match self.read(call) {
                Ok(submission) => Next::Check(Box::new(submission)),
                Err(next) => next,
            },
            _ => Next::Answer(HookAnswer::empty(405).with("allow", "GET, POST")),
        }
    }

    fn answer(&self, reply: &Reply<'_>) -> HookAnswer {
        if self.says_503 && matches!(reply.decision, Decision::TryLater(_)) {
            return HookAnswer::empty(503);
        }
        let data = json!({
            "@odata.type": "microsoft.graph.onPasswordSubmitResponseData",
            "actions": [self.action(reply.decision)],
            "nonce": reply.echo,
        });
        HookAnswer::json(200, &json!({ "data": data }))
    }
}

/// Issuer, audience and tenant that tokens must name (entra.md 2.1 and 2.3).
fn expected(values: &Values) -> Expected {
    let text = |name: &str| values.text(name).unwrap_or_default().to_owned();
    let tenant = text("tenant_id").to_ascii_lowercase();
    let version_1 = values.flag("version_1_tokens").unwrap_or(false);
    let mut issuers = vec![
        format!("https://{tenant}.ciamlogin.com/{tenant}/v2.0"),
        format!("https://login.microsoftonline.com/{tenant}/v2.0"),
    ];
    issuers.extend(
        values
            .text("tenant_name")
            .map(|name| format!("https://{}.ciamlogin.com/{tenant}/v2.0", name.to_ascii_lowercase())),
    );
    issuers.extend(version_1.then(|| format!("https://sts.windows.net/{tenant}/")));
    issuers.extend(values.texts("issuers"));
    let mut audience = vec![text("client_id")];
    audience.extend(values.text("resource_id").map(str::to_owned));
    Expected { issuers, audience, tenant, version_1 }
}

fn refuse(why: Refusal) -> Next {
    let status = match why {
        Refusal::Unauthenticated | Refusal::NotAllowed | Refusal::Expired | Refusal::Replayed => 401,
        Refusal::Malformed | Refusal::Undecryptable => 400,
        Refusal::TooLarge => 413,
    };
    Next::Refuse(why, HookAnswer::empty(status))
}

fn fingerprint(parts: &[&[u8]]) -> [u8; 32] {
    let mut bytes = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum()));
    for part in parts {
        bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, &bytes).as_ref());
    fingerprint
}
