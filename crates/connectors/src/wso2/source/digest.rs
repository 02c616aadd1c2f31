//! How a user store keeps passwords, as its `deployment.toml` says it, and what a row's two columns become.
//!
//! Neither algorithm nor parameters are stored with a hash (wso2-scim.md 7.4): the settings say them. A row that cannot be
//! of the stated digest, by its length or for want of a salt, was written under another one; then those that the settings
//! name as earlier ones, and at last the product's own, are tried by their shape.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sterna_core::{
    account::{Credential, StoredHash, UNKNOWN_FORMAT},
    code::{Code, Finding},
    password::held,
    settings::Values,
};

/// One way in which a store keeps passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Digest {
    /// As they are typed.
    Plain,
    /// One pass of a digest, over the password and, where salted, the salt's text (7.1).
    Message {
        /// Java's name.
        name: String,
        bytes: usize,
        salted: bool,
    },
    /// The PBKDF2 provider (7.2).
    Pbkdf2 { prf: String, rounds: u64, bits: usize },
    /// The bcrypt provider (7.3).
    Bcrypt,
}

/// The ways in which a store has kept passwords, today's first.
#[derive(Clone, Debug)]
pub(super) struct Digests {
    ways: Vec<Digest>,
    /// Tried by their shape where none of the above fits.
    usual: Vec<Digest>,
}

/// Java's digests that are computed here, and how many bytes they give.
const MESSAGE_DIGESTS: &[(&str, usize)] =
    &[("MD5", 16), ("SHA", 20), ("SHA-1", 20), ("SHA1", 20), ("SHA-256", 32), ("SHA-384", 48), ("SHA-512", 64)];

/// The PBKDF2 provider's properties with its defaults (7.2).
const ROUNDS: &str = "pbkdf2.iteration.count";
const BITS: &str = "pbkdf2.dkLength";
const PRF: &str = "pbkdf2.prf";
const DEFAULTS: (u64, usize, &str) = (10_000, 256, "PBKDF2WithHmacSHA256");

impl Digests {
    /// Reads `password_digest`, `store_salted_password`, `hash_algorithm_properties` and `earlier_digests`.
    ///
    /// # Errors
    /// A finding for each value that is not understood.
    pub(super) fn new(values: &Values) -> Result<Self, Vec<Finding>> {
        let salted = values.flag("store_salted_password").unwrap_or(true);
        let properties = values.text("hash_algorithm_properties").unwrap_or_default();
        let name = values.text("password_digest").unwrap_or("SHA-256");
        let mut ways = Vec::new();
        let mut findings = Vec::new();
        let mut add = |setting: &str, parsed: Result<Digest, String>| match parsed {
            Ok(digest) if ways.contains(&digest) => {}
            Ok(digest) => ways.push(digest),
            Err(text) => findings.push(
                Finding::error(Code::E1005, format!("`{setting}`: {text}"))
                    .hint("copy it from [user_store] in WSO2's deployment.toml, or from the store's XML file"),
            ),
        };
        add("password_digest", Digest::parse(name, salted, properties));
        for earlier in values.texts("earlier_digests") {
            let (name, rest) = earlier.trim().split_once(char::is_whitespace).unwrap_or((earlier.trim(), ""));
            let rest = rest.trim();
            let parsed = match rest {
                "" => Digest::parse(name, true, properties),
                "unsalted" => Digest::parse(name, false, properties),
                own if own.starts_with('{') => Digest::parse(name, true, own),
                _ => Err(format!("behind {name} stands neither `unsalted` nor properties in braces")),
            };
            add("earlier_digests", parsed);
        }
        if findings.is_empty() { Ok(Self { ways, usual: usual() }) } else { Err(findings) }
    }

    /// What a row's password and salt become.
    pub(super) fn credential(&self, password: &str, salt: Option<&str>) -> Credential {
        let salt = salt.filter(|salt| !salt.is_empty());
        if password.is_empty() {
            return Credential::Nothing;
        }
        if self.ways.first() == Some(&Digest::Plain) && !is_bcrypt(password) {
            return Credential::Plaintext(password.into());
        }
        let fitting = |ways: &[Digest]| -> Vec<StoredHash> {
            let fitting = ways.iter().filter(|way| way.fits(password, salt));
            fitting.filter_map(|way| way.stored(password, salt)).collect()
        };
        let mut found = fitting(&self.ways);
        if found.is_empty() {
            found = fitting(&self.usual);
        }
        let mut found = found.into_iter();
        match found.next() {
            None => Credential::hash(UNKNOWN_FORMAT, password),
            Some(StoredHash { format, value }) => Credential::Hash { format, value, also: found.collect() },
        }
    }

    /// Whether a row looks as the store's present setting has it.
    pub(super) fn is_as_stated(&self, password: &str, salt: Option<&str>) -> bool {
        let salt = salt.filter(|salt| !salt.is_empty());
        self.ways.first().is_some_and(|way| *way == Digest::Plain || way.fits(password, salt))
    }

    /// The store's present setting, in words.
    pub(super) fn words(&self) -> String {
        match self.ways.first() {
            None | Some(Digest::Plain) => "in clear text".to_owned(),
            Some(Digest::Message { name, salted, .. }) => {
                format!("{name} {}", if *salted { "with salt" } else { "without salt" })
            }
            Some(Digest::Pbkdf2 { prf, rounds, bits }) => format!("{prf}, {rounds} rounds, {bits} bits"),
            Some(Digest::Bcrypt) => "bcrypt".to_owned(),
        }
    }
}

/// What is tried by its shape where the settings name nothing that fits, in the order of 7.4.
fn usual() -> Vec<Digest> {
    let message = |name: &str, salted| Digest::parse(name, salted, "").ok();
    let (rounds, bits, prf) = DEFAULTS;
    let pbkdf2 = Digest::Pbkdf2 { prf: prf.to_owned(), rounds, bits };
    let digests =
        [("SHA-256", true), ("SHA-256", false)].into_iter().filter_map(|(name, salted)| message(name, salted));
    let others =
        [("SHA-512", true), ("SHA-512", false), ("SHA-1", true), ("SHA-1", false), ("MD5", true), ("MD5", false)];
    let others = others.into_iter().filter_map(|(name, salted)| message(name, salted));
    std::iter::once(Digest::Bcrypt).chain(digests).chain([pbkdf2]).chain(others).collect()
}

impl Digest {
    fn parse(name: &str, salted: bool, properties: &str) -> Result<Self, String> {
        let upper = name.trim().to_ascii_uppercase();
        match upper.as_str() {
            "PLAIN_TEXT" | "NONE" => return Ok(Self::Plain),
            "BCRYPT" => return Ok(Self::Bcrypt),
            "PBKDF2" => return pbkdf2(properties),
            _ => {}
        }
        let known = MESSAGE_DIGESTS.iter().find(|(known, _)| *known == upper);
        let Some((name, bytes)) = known else {
            let names: Vec<_> = MESSAGE_DIGESTS.iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            return Err(format!(
                "a digest of this name is not computed here; known are {names}, PBKDF2, BCRYPT, PLAIN_TEXT"
            ));
        };
        Ok(Self::Message { name: (*name).to_owned(), bytes: *bytes, salted })
    }

    /// Whether a row's values may have been made in this way.
    fn fits(&self, password: &str, salt: Option<&str>) -> bool {
        let length = |wanted: usize| STANDARD.decode(password).is_ok_and(|bytes| bytes.len() == wanted);
        match self {
            Self::Plain => false,
            Self::Message { bytes, salted, .. } => *salted == salt.is_some() && length(*bytes),
            Self::Pbkdf2 { bits, .. } => salt.is_some() && length(bits / 8),
            Self::Bcrypt => is_bcrypt(password),
        }
    }

    /// The hash in the form of docs/password-hashes.md.
    fn stored(&self, password: &str, salt: Option<&str>) -> Option<StoredHash> {
        let mut beside = BTreeMap::new();
        let mut put = |name: &str, value: &str| drop(beside.insert(name.to_owned(), value.to_owned()));
        if let Some(salt) = salt.filter(|_| *self != Self::Bcrypt) {
            put("UM_SALT_VALUE", salt);
        }
        let format = match self {
            Self::Plain => return None,
            Self::Message { name, salted: true, .. } if name == "SHA-256" => "wso2-salted-sha256",
            Self::Message { name, .. } => {
                put("PasswordDigest", name);
                "wso2-digest"
            }
            Self::Pbkdf2 { prf, rounds, bits } => {
                put(PRF, prf);
                put(ROUNDS, &rounds.to_string());
                put(BITS, &bits.to_string());
                "wso2-pbkdf2"
            }
            Self::Bcrypt => "wso2-bcrypt",
        };
        held::stored_hash(password, Some(format), &beside)
    }
}

/// Whether the text is base64 of a bcrypt text (7.3).
fn is_bcrypt(password: &str) -> bool {
    STANDARD.decode(password).is_ok_and(|bytes| bytes.len() == 60 && bytes.starts_with(b"$2"))
}

/// The provider's properties: JSON, or braces with bare words, as deployment.toml has them.
fn pbkdf2(properties: &str) -> Result<Digest, String> {
    let (mut rounds, mut bits, mut prf) = (DEFAULTS.0, DEFAULTS.1, DEFAULTS.2.to_owned());
    let inner = properties.trim().trim_start_matches('{').trim_end_matches('}');
    for pair in inner.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let bare = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
        let (name, value) =
            pair.split_once([':', '=']).map(|(name, value)| (bare(name), bare(value))).unwrap_or_default();
        let number = || value.parse::<u64>().map_err(|_| format!("`{name}` is no number"));
        match name.as_str() {
            ROUNDS => rounds = number()?,
            BITS => bits = usize::try_from(number()?).unwrap_or_default(),
            PRF => prf = value,
            other if other.starts_with("bcrypt.") => {}
            _ => return Err(format!("the properties of PBKDF2 are {ROUNDS}, {BITS} and {PRF}")),
        }
    }
    let digest = prf.strip_prefix("PBKDF2WithHmac").unwrap_or_default();
    if !["SHA1", "SHA256", "SHA384", "SHA512"].contains(&digest) {
        return Err(format!("`{PRF}` must be PBKDF2WithHmacSHA1, SHA256, SHA384 or SHA512"));
    }
    if rounds == 0 || bits == 0 || !bits.is_multiple_of(8) || bits > 2_048 {
        return Err(format!("`{ROUNDS}` or `{BITS}` is no usable number"));
    }
    Ok(Digest::Pbkdf2 { prf, rounds, bits })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;
    use sterna_core::password::formats::{Bounds, Stored, Verdict, find};

    use super::*;

    const SALT: &str = "AAECAwQFBgcICQoLDA0ODw==";
    const SALTED: &str = "UvDY6AJTUR73GZz8YIIP89CKsKi/uj9C8ZkG/3K94Q0=";
    const UNSALTED: &str = "kxJRn4Q3yx381qXk5SjPdUreTUQ1hC8l7+0DA27o1pQ=";
    const PBKDF2: &str = "hjt8zwif+n4vG0NOJiq3hX+2OJIcVFsSCCHvgG2p2ZA=";
    const BCRYPT: &str = "JDJiJDA4JGtsQkh3UlpCQ2xNT0ZSM01PZkRTb09heEg4Y2tXMUZmTG9lWlB1OFNJWmpZNnp6QmJKaW9h";
    const TYPED: &str = "Wso2@test123";

    fn digests(settings: &[(&str, serde_json::Value)]) -> Result<Digests, Vec<Finding>> {
        let values = settings.iter().fold(Values::default(), |values, (name, value)| values.with(name, value.clone()));
        Digests::new(&values)
    }

    /// The formats that a row gets, and whether the password belongs to one of them.
    fn check(digests: &Digests, row: (&str, Option<&str>), password: &str, formats: &[&str]) {
        let Credential::Hash { format, value, also } = digests.credential(row.0, row.1) else { panic!("no hash") };
        let all: Vec<_> = std::iter::once(StoredHash { format, value }).chain(also).collect();
        let names: Vec<_> = all.iter().map(|hash| hash.format.as_str()).collect();
        assert_eq!(names, formats);
        let right = all.iter().any(|hash| {
            let stored =
                Stored::parse(find(&hash.format).unwrap(), hash.value.expose_secret(), &Bounds::ONLINE).unwrap();
            matches!(stored.verify(password.as_bytes()), Verdict::Match { .. })
        });
        assert!(right, "{formats:?}");
    }

    #[test]
    fn the_stores_settings_say_how_its_passwords_are_kept() {
        check(&digests(&[]).unwrap(), (SALTED, Some(SALT)), TYPED, &["wso2-salted-sha256"]);
        let unsalted = digests(&[("store_salted_password", json!(false))]).unwrap();
        check(&unsalted, (UNSALTED, None), TYPED, &["wso2-digest"]);
        let pbkdf2 = digests(&[("password_digest", json!("PBKDF2"))]).unwrap();
        check(&pbkdf2, (PBKDF2, Some(SALT)), TYPED, &["wso2-pbkdf2"]);
        let text = "{\"pbkdf2.iteration.count\":\"10000\", \"pbkdf2.dkLength\":\"256\"}";
        let stated = [("password_digest", json!("pbkdf2")), ("hash_algorithm_properties", json!(text))];
        check(&digests(&stated).unwrap(), (PBKDF2, Some(SALT)), TYPED, &["wso2-pbkdf2"]);
        let bcrypt = digests(&[
            ("password_digest", json!("BCRYPT")),
            ("hash_algorithm_properties", json!("{bcrypt.version:2b,bcrypt.cost.factor:12}")),
        ]);
        check(&bcrypt.unwrap(), (BCRYPT, None), "Tr0ub4dor&3", &["wso2-bcrypt"]);
    }

    #[test]
    fn rows_of_an_earlier_setting_are_told_by_their_shape_or_tried_in_order() {
        // salted is stated, and this row has no salt; then none was stored
        check(&digests(&[]).unwrap(), (UNSALTED, None), TYPED, &["wso2-digest"]);
        check(&digests(&[]).unwrap(), (BCRYPT, None), "Tr0ub4dor&3", &["wso2-bcrypt"]);
        // both have 32 bytes and a salt: only settings can tell that there are two sorts
        let mixed = [("password_digest", json!("PBKDF2")), ("earlier_digests", json!(["SHA-256", "SHA-1 unsalted"]))];
        let mixed = digests(&mixed).unwrap();
        for row in [SALTED, PBKDF2] {
            check(&mixed, (row, Some(SALT)), TYPED, &["wso2-pbkdf2", "wso2-salted-sha256"]);
        }
        assert_eq!(mixed.words(), "PBKDF2WithHmacSHA256, 10000 rounds, 256 bits");
        assert!(mixed.is_as_stated(PBKDF2, Some(SALT)) && !mixed.is_as_stated(UNSALTED, None));
    }

    #[test]
    fn clear_text_is_clear_text_and_what_fits_nothing_is_unknown() {
        let plain = digests(&[("password_digest", json!("PLAIN_TEXT"))]).unwrap();
        assert_eq!(plain.credential("secret", None), Credential::Plaintext("secret".into()));
        assert_eq!(digests(&[]).unwrap().credential("", None), Credential::Nothing);
        let Credential::Hash { format, .. } = digests(&[]).unwrap().credential("no base64!", Some(SALT)) else {
            panic!()
        };
        assert_eq!(format, UNKNOWN_FORMAT);
    }

    #[test]
    fn settings_that_are_not_understood_are_refused() {
        for settings in [
            [("password_digest", json!("MD2")), ("earlier_digests", json!([]))],
            [("password_digest", json!("SHA-256")), ("earlier_digests", json!(["SHA-1 salty"]))],
            [("password_digest", json!("PBKDF2")), ("hash_algorithm_properties", json!("{pbkdf2.prf:PBKDF2WithMD5}"))],
            [("password_digest", json!("PBKDF2")), ("hash_algorithm_properties", json!("{rounds:1}"))],
            [("password_digest", json!("PBKDF2")), ("hash_algorithm_properties", json!("{pbkdf2.dkLength:7}"))],
        ] {
            let findings = digests(&settings).err().unwrap_or_default();
            assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::E1005], "{settings:?}");
        }
    }
}
