//! The hook `entra-on-password-submit`: who is let in, what was typed, and what is answered.

mod answers;
mod bearer;
mod context;
mod foreign;
mod keys;
mod message;

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use sterna_connectors::registry::HOOKS;
use sterna_core::{
    code::Finding,
    hook::{Call, Headers, HookAnswer, HookDialect, HookKind, Material, Next, Peer, Refusal, Submission},
    secrecy::ExposeSecret,
    settings::{Document, Values, check},
    time::Timestamp,
};

use crate::fuzz_smoke::targets::entra_maker::{self as maker, APP, KID, NOW_MS, Pair, SAMPLES, TENANT, VECTORS};

/// What was typed, in the vectors.
const PASSWORD: &str = "Corr3ct horse ba$tery";
const NONCE: &str = "4f1c2d7e-9a55-4c0b-8f6d-1b2e3c4d5e6f";

fn kind() -> &'static dyn HookKind {
    *HOOKS.iter().find(|kind| kind.kind() == "entra-on-password-submit").unwrap()
}

/// A key as the settings and files say it.
struct Given {
    certificate: String,
    private: String,
    id: Option<&'static str>,
}

impl Given {
    fn of(pair: &Pair) -> Self {
        Self { certificate: pair.certificate_pem(), private: pair.private_pem(), id: None }
    }
}

/// A tenant with its keys, as the samples have it.
struct World {
    /// What contexts are encrypted to.
    pair: Pair,
    /// What tokens are signed with.
    issuer: Pair,
}

static WORLD: LazyLock<World> = LazyLock::new(|| World { pair: Pair::of_vectors(), issuer: generated() });

/// A new key pair with a certificate.
fn generated() -> Pair {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    Pair { certificate: certificate.der().to_vec(), pkcs8: key.serialize_der() }
}

/// The settings as the program reads them from a file.
fn values(more: &str, keys: &[Given]) -> Values {
    let id = |given: &Given| given.id.map(|id| format!(", key_id = \"{id}\"")).unwrap_or_default();
    let key = |given| format!("{{ certificate = \"c.crt\", private_key = {{ file = \"k.key\" }}{} }}", id(given));
    let keys: Vec<String> = keys.iter().map(key).collect();
    let text = format!("tenant_id = \"{TENANT}\"\nclient_id = \"{APP}\"\nkeys = [{}]\n{more}", keys.join(", "));
    let document = Document { file: "sterna.toml".into(), text };
    let table = document.parse().unwrap();
    let mut findings = Vec::new();
    let values = check(&document, table.get_ref(), table.span(), kind().settings(), "[hooks.x]", &mut findings);
    assert_eq!(findings, []);
    values
}

fn opened(more: &str, keys: &[Given], key_set: Option<&Value>) -> Result<Arc<dyn HookDialect>, Vec<Finding>> {
    let values = values(more, keys);
    let needs = kind().needs(&values)?;
    assert_eq!((needs.secrets.len(), needs.files.len()), (keys.len(), keys.len()));
    let mut material = Material { key_set: key_set.map(|set| set.to_string().into_bytes()), ..Material::default() };
    for (at, given) in keys.iter().enumerate() {
        material.secrets.insert(format!("private_key.{at}"), given.private.as_str().into());
        material.files.insert(format!("certificate.{at}"), given.certificate.clone().into_bytes());
    }
    kind().open(&values, &material)
}

/// The hook with these keys and more settings.
fn hook_with(more: &str, keys: &[Given]) -> Arc<dyn HookDialect> {
    opened(more, keys, Some(&WORLD.issuer.key_set())).unwrap()
}

/// The hook with the vectors' key.
fn hook(more: &str) -> Arc<dyn HookDialect> {
    hook_with(more, &[Given::of(&WORLD.pair)])
}

/// The claims of a token with changes; a change to null takes the member out.
fn changed(claims: &Value, changes: &Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// A token of Entra with changed claims.
fn bearer(changes: &Value) -> String {
    let claims = changed(&SAMPLES["bearerClaimsV2"], changes);
    WORLD.issuer.sign(&json!({ "alg": "RS256", "typ": "JWT", "kid": KID }), &claims)
}

/// The vector of this name.
fn vector(name: &str) -> &'static str {
    let all = VECTORS["vectors"].as_array().unwrap();
    all.iter().find(|vector| vector["name"] == name).unwrap()["jwe"].as_str().unwrap()
}

/// A password context as observed, with changed claims.
fn context(changes: &Value) -> String {
    let claims = changed(&VECTORS["claims"], changes);
    WORLD.pair.seal(&maker::observed(&WORLD.pair.x5t()), maker::unsigned(&claims).as_bytes())
}

/// A call.
struct Request {
    method: &'static str,
    path: &'static str,
    authorization: Vec<String>,
    body: Vec<u8>,
    now: i64,
}

impl Request {
    /// A right one with this body.
    fn post(body: &Value) -> Self {
        let authorization = vec![format!("Bearer {}", bearer(&json!({})))];
        Self { method: "POST", path: "", authorization, body: body.to_string().into_bytes(), now: NOW_MS }
    }

    /// A right one with this password context.
    fn of(context: &str) -> Self {
        Self::post(&maker::body(context))
    }

    /// A right one with this token.
    fn by(token: &str) -> Self {
        Self { authorization: vec![format!("Bearer {token}")], ..Self::of(vector("observed-shape")) }
    }

    fn next(&self, hook: &dyn HookDialect) -> Next {
        let more = [("content-type", "application/json".to_owned()), ("user-agent", "none".to_owned())];
        let headers = self.authorization.iter().map(|value| ("Authorization", value.clone())).chain(more);
        let headers = Headers::new(headers);
        hook.next(&Call {
            method: self.method,
            path: self.path,
            query: None,
            headers: &headers,
            peer: Peer::default(),
            body: &self.body,
            now: Timestamp(self.now),
        })
    }

    /// What is to be checked.
    fn accepted(&self, hook: &dyn HookDialect) -> Submission {
        match self.next(hook) {
            Next::Check(submission) => *submission,
            Next::Refuse(why, _) => panic!("refused: {why:?}"),
            _ => panic!("not checked"),
        }
    }

    /// Why it is refused. Nothing of the call is in the answer.
    fn refused(&self, hook: &dyn HookDialect) -> (Refusal, u16) {
        let Next::Refuse(why, answer) = self.next(hook) else { panic!("not refused") };
        assert_eq!(answer, HookAnswer::empty(answer.status));
        (why, answer.status)
    }
}

fn typed(submission: &Submission) -> &str {
    submission.password.expose_secret()
}

const UNAUTHENTICATED: (Refusal, u16) = (Refusal::Unauthenticated, 401);
const NOT_ALLOWED: (Refusal, u16) = (Refusal::NotAllowed, 401);
const EXPIRED: (Refusal, u16) = (Refusal::Expired, 401);
const MALFORMED: (Refusal, u16) = (Refusal::Malformed, 400);
const UNDECRYPTABLE: (Refusal, u16) = (Refusal::Undecryptable, 400);
const TOO_LARGE: (Refusal, u16) = (Refusal::TooLarge, 413);
