//! How a caller proves who it is where the product has no proof of its own: HTTP Basic, a bearer token, an API key in a
//! header, or a client certificate. At least one has to be configured; there is no anonymous mode, on loopback neither.

use std::collections::BTreeMap;

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use sterna_core::{
    code::{Code, Finding},
    hook::{Call, HookAnswer, Material, Needs, Next, Refusal},
    settings::{Kind, Need, Setting, Values},
};
use zeroize::Zeroizing;

/// The settings of [`Callers`], to be put at the end of a dialect's own.
macro_rules! hook_settings {
    ($($own:expr),* $(,)?) => {
        &[
            $($own,)*
            $crate::hooks::callers::BASIC_USER,
            $crate::hooks::callers::BASIC_PASSWORD,
            $crate::hooks::callers::BEARER,
            $crate::hooks::callers::API_KEY,
            $crate::hooks::callers::API_KEY_HEADER,
            $crate::hooks::callers::CERTIFICATES,
        ]
    };
}
pub(crate) use hook_settings;

/// `basic_user`.
pub const BASIC_USER: Setting = Setting {
    name: "basic_user",
    kind: Kind::Text,
    need: Need::Optional,
    doc: "The user name that the caller gives by HTTP Basic.",
};
/// `basic_password`.
pub const BASIC_PASSWORD: Setting = Setting {
    name: "basic_password",
    kind: Kind::Secret,
    need: Need::Optional,
    doc: "The password that the caller gives by HTTP Basic, by reference; at least 12 characters.",
};
/// `bearer_token`.
pub const BEARER: Setting = Setting {
    name: "bearer_token",
    kind: Kind::Secret,
    need: Need::Optional,
    doc: "The token that the caller gives as `Authorization: Bearer`, by reference; at least 16 characters.",
};
/// `api_key`.
pub const API_KEY: Setting = Setting {
    name: "api_key",
    kind: Kind::Secret,
    need: Need::Optional,
    doc: "The key that the caller gives in the header `api_key_header`, by reference; at least 16 characters.",
};
/// `api_key_header`.
pub const API_KEY_HEADER: Setting = Setting {
    name: "api_key_header",
    kind: Kind::Text,
    need: Need::Default("\"x-api-key\""),
    doc: "The header that the caller gives the API key in.",
};
/// `client_certificates`.
pub const CERTIFICATES: Setting = Setting {
    name: "client_certificates",
    kind: Kind::Texts,
    need: Need::Optional,
    doc: "SHA-256 fingerprints (hex) of client certificates that the caller may show.",
};

/// The secrets with the shortest that each may be, in bytes. Passwords are often made by other programs, which have rules of
/// their own, so less is asked of them.
const SHORTEST: [(&str, usize); 3] = [("basic_password", 12), ("bearer_token", 16), ("api_key", 16)];

/// Who may call, by any one of the configured proofs.
pub struct Callers {
    basic: Option<SecretString>,
    bearer: Option<SecretString>,
    api_key: Option<(String, SecretString)>,
    certificates: Vec<[u8; 32]>,
}

impl Callers {
    /// Adds the secrets that these settings refer to.
    ///
    /// # Errors
    /// When no proof is configured, or half of one.
    pub fn needs(values: &Values, needs: &mut Needs) -> Result<(), Vec<Finding>> {
        let named: BTreeMap<_, _> =
            SHORTEST.into_iter().filter_map(|(name, _)| Some((name.to_owned(), values.secret(name)?))).collect();
        if values.text("basic_user").is_some() != named.contains_key("basic_password") {
            return Err(vec![mistake("`basic_user` and `basic_password` belong together")]);
        }
        if named.is_empty() && values.texts("client_certificates").is_empty() {
            let finding = mistake("nothing proves who calls this hook, and whoever may call it may guess passwords");
            return Err(vec![
                finding
                    .hint("give `basic_user` and `basic_password`, `bearer_token`, `api_key` or `client_certificates`"),
            ]);
        }
        fingerprints(values)?;
        needs.secrets.extend(named);
        Ok(())
    }

    /// Makes it from the settings and the secrets that [`Callers::needs`] asked for.
    ///
    /// # Errors
    /// When a secret is missing or too short.
    pub fn new(values: &Values, material: &Material) -> Result<Self, Vec<Finding>> {
        let secret = |name: &str| material.secrets.get(name).cloned();
        for (name, shortest) in SHORTEST {
            if secret(name).is_some_and(|secret| secret.expose_secret().len() < shortest) {
                return Err(vec![mistake(&format!("`{name}` is shorter than {shortest} characters"))]);
            }
        }
        let basic = values.text("basic_user").zip(secret("basic_password")).map(|(user, password)| {
            let pair = Zeroizing::new(format!("{user}:{}", password.expose_secret()));
            SecretString::from(pair.as_str())
        });
        let header = values.text("api_key_header").unwrap_or("x-api-key").to_owned();
        Ok(Self {
            basic,
            bearer: secret("bearer_token"),
            api_key: secret("api_key").map(|key| (header, key)),
            certificates: fingerprints(values)?,
        })
    }

    /// Lets the caller in, or says what it is answered: 401 without a word.
    ///
    /// # Errors
    /// The answer, where no proof holds.
    pub fn admit(&self, call: &Call<'_>) -> Result<(), Next> {
        if self.knows(call) { Ok(()) } else { Err(Next::Refuse(Refusal::Unauthenticated, HookAnswer::empty(401))) }
    }

    fn knows(&self, call: &Call<'_>) -> bool {
        let by_certificate = call.peer.certificate.is_some_and(|shown| self.certificates.contains(&shown));
        let authorization = call.headers.text("authorization").and_then(|value| value.split_once(' '));
        let by_authorization = authorization.is_some_and(|(scheme, credentials)| {
            let credentials = credentials.trim();
            if scheme.eq_ignore_ascii_case("basic") {
                let pair = STANDARD.decode(credentials).map(Zeroizing::new);
                return pair.is_ok_and(|pair| holds(self.basic.as_ref(), &pair) || self.holds_latin1(&pair));
            }
            scheme.eq_ignore_ascii_case("bearer") && holds(self.bearer.as_ref(), credentials.as_bytes())
        });
        let by_key = self
            .api_key
            .as_ref()
            .is_some_and(|(header, key)| call.headers.one(header).is_some_and(|given| holds(Some(key), given)));
        by_certificate || by_authorization || by_key
    }

    /// Some callers write user and password in ISO-8859-1 (jit-hooks.md 5.3).
    fn holds_latin1(&self, pair: &[u8]) -> bool {
        let text = Zeroizing::new(pair.iter().map(|byte| char::from(*byte)).collect::<String>());
        holds(self.basic.as_ref(), text.as_bytes())
    }
}

/// Compares digests, so that neither content nor length shows in the time it takes.
fn holds(secret: Option<&SecretString>, given: &[u8]) -> bool {
    let Some(secret) = secret else { return false };
    let ours = digest::digest(&digest::SHA256, secret.expose_secret().as_bytes());
    let theirs = digest::digest(&digest::SHA256, given);
    verify_slices_are_equal(ours.as_ref(), theirs.as_ref()).is_ok()
}

fn fingerprints(values: &Values) -> Result<Vec<[u8; 32]>, Vec<Finding>> {
    let texts = values.texts("client_certificates");
    let read = texts.iter().map(|text| {
        let bare: String = text.chars().filter(|c| *c != ':' && !c.is_whitespace()).collect();
        let mut bytes = [0; 32];
        let is_right = bare.len() == 64 && bare.is_ascii();
        for (at, byte) in bytes.iter_mut().enumerate().filter(|_| is_right) {
            *byte = u8::from_str_radix(&bare[2 * at..2 * at + 2], 16).ok()?;
        }
        is_right.then_some(bytes)
    });
    read.collect::<Option<Vec<_>>>().ok_or_else(|| {
        vec![
            mistake("`client_certificates` has a text that is no SHA-256 fingerprint")
                .hint("`openssl x509 -noout -fingerprint -sha256 -in certificate.pem` prints it"),
        ]
    })
}

fn mistake(message: &str) -> Finding {
    Finding::error(Code::E1005, message)
}
