//! An endpoint for tests: it decrypts what it is sent, keeps it, and says what the test wants.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    KeyPair, KeyPairComponents, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey,
    PrivateDecryptingKey, PublicKeyComponents,
};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::Response;
use reqwest::Method;
use serde_json::{Value, json};
use sterna_emulators::entra::Options;
use sterna_wire::{Handler, Limits, Listener, Reply, Request, Server, TestAuthority};

use crate::support::{World, local, options};

/// The endpoint's certificate with its private key.
pub(crate) struct Keys {
    pub(crate) pem: String,
    pub(crate) der: Vec<u8>,
    key: OaepPrivateDecryptingKey,
}

/// What an opened JWE says.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) header: Value,
    pub(crate) text: String,
}

impl Keys {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        let private = PrivateDecryptingKey::from_pkcs8(&key.serialize_der()).unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
            key: OaepPrivateDecryptingKey::new(private).unwrap(),
        }
    }

    /// The key pair of published vectors, so that opening is proven with what others sealed.
    pub(crate) fn of_vectors(vectors: &Value) -> Self {
        let number = |name: &str| URL_SAFE_NO_PAD.decode(vectors["private_jwk"][name].as_str().unwrap()).unwrap();
        let public_key = PublicKeyComponents { n: number("n"), e: number("e") };
        let pair = KeyPair::from_components(&KeyPairComponents {
            public_key,
            d: number("d"),
            p: number("p"),
            q: number("q"),
            dP: number("dp"),
            dQ: number("dq"),
            qInv: number("qi"),
        });
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair.unwrap()).unwrap();
        let private = PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref()).unwrap();
        let der = STANDARD.decode(vectors["certificate_der_base64"].as_str().unwrap()).unwrap();
        Self { pem: String::new(), der, key: OaepPrivateDecryptingKey::new(private).unwrap() }
    }

    pub(crate) fn thumbprint(&self, algorithm: &'static digest::Algorithm) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &self.der))
    }

    /// Opens a compact JWE by RFC 7516 5.2.
    pub(crate) fn open(&self, jwe: &str) -> Opened {
        let parts: Vec<&str> = jwe.split('.').collect();
        let [header, wrapped, iv, text, tag] = parts[..] else { panic!("not five parts") };
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        let declared: Value = serde_json::from_slice(&bytes(header)).unwrap();
        let oaep = match declared["alg"].as_str().unwrap() {
            "RSA-OAEP" => &OAEP_SHA1_MGF1SHA1,
            "RSA-OAEP-256" => &OAEP_SHA256_MGF1SHA256,
            other => panic!("{other}"),
        };
        let mut key = vec![0; self.key.min_output_size()];
        let key = self.key.decrypt(oaep, &bytes(wrapped), &mut key, None).unwrap().to_vec();
        let (iv, text, tag) = (bytes(iv), bytes(text), bytes(tag));
        let plain = match declared["enc"].as_str().unwrap() {
            "A128GCM" | "A256GCM" => gcm(&key, header, &iv, text, &tag),
            "A128CBC-HS256" | "A256CBC-HS512" => cbc(&key, header, &iv, text, &tag),
            other => panic!("{other}"),
        };
        let plain = if declared["zip"] == "DEF" { inflated(&plain) } else { plain };
        Opened { header: declared, text: String::from_utf8(plain).unwrap() }
    }
}

fn gcm(key: &[u8], header: &str, iv: &[u8], mut text: Vec<u8>, tag: &[u8]) -> Vec<u8> {
    let algorithm = match key.len() {
        16 => &AES_128_GCM,
        32 => &AES_256_GCM,
        other => panic!("a key of {other} bytes"),
    };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).unwrap());
    text.extend_from_slice(tag);
    let nonce = Nonce::try_assume_unique_for_key(iv).unwrap();
    key.open_in_place(nonce, Aad::from(header.as_bytes()), &mut text).unwrap().to_vec()
}

fn cbc(key: &[u8], header: &str, iv: &[u8], mut text: Vec<u8>, tag: &[u8]) -> Vec<u8> {
    let (algorithm, hash) = match key.len() {
        32 => (&AES_128, hmac::HMAC_SHA256),
        64 => (&AES_256, hmac::HMAC_SHA512),
        other => panic!("a key of {other} bytes"),
    };
    let half = key.len() / 2;
    let bits = (header.len() as u64) * 8;
    let signed = [header.as_bytes(), iv, &text, &bits.to_be_bytes()].concat();
    let mac = hmac::sign(&hmac::Key::new(hash, &key[..half]), &signed);
    assert_eq!(&mac.as_ref()[..half], tag, "the tag is wrong");
    let cipher = DecryptingKey::cbc(UnboundCipherKey::new(algorithm, &key[half..]).unwrap()).unwrap();
    let iv = DecryptionContext::Iv128(FixedLength::<16>::try_from(iv).unwrap());
    let plain = cipher.decrypt(&mut text, iv).unwrap();
    let padding = usize::from(*plain.last().unwrap());
    assert!((1..=16).contains(&padding) && plain.ends_with(&vec![u8::try_from(padding).unwrap(); padding]));
    plain[..plain.len() - padding].to_vec()
}

fn inflated(bytes: &[u8]) -> Vec<u8> {
    use std::io::Read as _;
    let mut out = Vec::new();
    flate2::read::DeflateDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

/// A request as the endpoint got it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) content_type: String,
    pub(crate) bearer: String,
    pub(crate) body: Value,
    pub(crate) jwe: Opened,
    /// The claims of the password context.
    pub(crate) claims: Value,
}

/// What the endpoint does, in turn; the last one again and again.
#[derive(Debug, Clone)]
pub(crate) enum Says {
    /// An action with title and message, and the right nonce.
    Action(&'static str),
    /// A body in which `NONCE` stands for the nonce; status and content type.
    Raw(u16, &'static str, String),
    /// Nothing for so long, then the migration.
    Slow(Duration),
    /// The connection is closed.
    Silence,
}

/// The endpoint.
pub(crate) struct Stub {
    pub(crate) keys: Keys,
    asked: Mutex<Vec<Asked>>,
    script: Mutex<Vec<Says>>,
}

pub(crate) fn action(name: &str) -> String {
    format!("microsoft.graph.passwordSubmit.{name}")
}

pub(crate) fn answer(kind: &str) -> String {
    json!({ "data": {
        "@odata.type": "microsoft.graph.onPasswordSubmitResponseData",
        "actions": [{ "@odata.type": kind, "title": "From the endpoint", "message": "Says <so>" }],
        "nonce": "NONCE",
    } })
    .to_string()
}

impl Stub {
    pub(crate) fn new(script: Vec<Says>) -> Arc<Self> {
        Arc::new(Self { keys: Keys::new(), asked: Mutex::default(), script: Mutex::new(script) })
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn says(&self, says: Says) {
        *self.script.lock().unwrap() = vec![says];
    }

    fn next(&self) -> Says {
        let mut script = self.script.lock().unwrap();
        if script.len() > 1 { script.remove(0) } else { script[0].clone() }
    }
}

struct Endpoint(Arc<Stub>);

impl Handler for Endpoint {
    async fn handle(&self, request: Request, _peer: SocketAddr) -> Reply {
        let header = |name: &str| request.headers().get(name).unwrap().to_str().unwrap().to_owned();
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let jwe = self.0.keys.open(body["data"]["encryptedPasswordContext"].as_str().unwrap());
        let claims = if jwe.text.starts_with('{') {
            serde_json::from_str(&jwe.text).unwrap()
        } else {
            let parts: Vec<&str> = jwe.text.split('.').collect();
            assert_eq!((parts.len(), parts[2]), (3, ""));
            let part = |at: usize| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[at]).unwrap()).unwrap();
            let inner: Value = part(0);
            assert_eq!(inner["alg"], "none");
            part(1)
        };
        let nonce = claims["nonce"].as_str().unwrap().to_owned();
        let bearer = header("authorization").strip_prefix("Bearer ").unwrap().to_owned();
        let asked = Asked { content_type: header("content-type"), bearer, body, jwe, claims };
        self.0.asked.lock().unwrap().push(asked);
        let (status, kind, text) = match self.0.next() {
            Says::Action(name) => (200, "application/json", answer(&action(name))),
            Says::Raw(status, kind, text) => (status, kind, text),
            Says::Slow(time) => {
                tokio::time::sleep(time).await;
                (200, "application/json", answer(&action("MigratePassword")))
            }
            Says::Silence => return Reply::Close,
        };
        let response = Response::builder().status(status);
        let response = if kind.is_empty() { response } else { response.header("content-type", kind) };
        Reply::Send(response.body(Bytes::from(text.replace("NONCE", &nonce))).unwrap())
    }
}

/// A tenant with one waiting user, and the endpoint it asks.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) stub: Arc<Stub>,
    pub(crate) user: String,
    /// The full name of the flag.
    pub(crate) flag: String,
    pub(crate) settings: Value,
    _server: Server,
}

pub(crate) const LEGACY: &str = "Legacy-Passw0rd";
pub(crate) const STORED: &str = "Str0ng-Passw0rd!";
pub(crate) const NAME: &str = "Ana@example.com";

impl Scene {
    /// With settings that are put over the usual ones.
    pub(crate) async fn new(script: Vec<Says>, settings: Value) -> Self {
        Self::with(script, settings, options(FLAG), None).await
    }

    pub(crate) async fn with(
        script: Vec<Says>,
        settings: Value,
        options: Options,
        authority: Option<&TestAuthority>,
    ) -> Self {
        let stub = Stub::new(script);
        let tls = authority.map(|authority| authority.server_tls().unwrap());
        let scheme = if tls.is_some() { "https" } else { "http" };
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), tls, Limits::default()).await.unwrap();
        let target = format!("{scheme}://{}/jit", listener.address());
        let server = listener.serve(Arc::new(Endpoint(Arc::clone(&stub))));
        let world = World::with(options).await;
        let flag = world.post("/directoryObjects/getAvailableExtensionProperties", json!({})).await;
        let flag = flag.body["value"][0]["name"].as_str().unwrap().to_owned();
        let mut user = local("Ana");
        user[&flag] = json!(true);
        let user = world.create(user).await.id();
        // the longest time there is, for busy machines
        let usual = json!({ "target_url": target, "certificate_pem": stub.keys.pem, "timeout_ms": 2_000 });
        let scene = Self { world, stub, user, flag, settings: usual, _server: server };
        scene.configure(settings).await;
        scene
    }

    /// Replaces the settings.
    pub(crate) async fn configure(&self, changes: Value) -> Value {
        let mut settings = self.settings.clone();
        for (name, value) in changes.as_object().unwrap() {
            settings[name] = value.clone();
        }
        self.world.control(Method::POST, "/just-in-time", settings).await
    }

    pub(crate) async fn sign_in(&self, password: &str) -> Value {
        self.sign_in_as(NAME, password).await
    }

    pub(crate) async fn sign_in_as(&self, name: &str, password: &str) -> Value {
        self.world.control(Method::POST, "/sign-in", json!({ "username": name, "password": password })).await
    }

    /// The user as the last write left it.
    pub(crate) async fn stored(&self) -> Value {
        let state = self.world.state().await;
        let users = state["users"].as_array().unwrap();
        users.iter().find(|user| user["id"] == self.user.as_str()).unwrap().clone()
    }

    /// The flag and the stored password.
    pub(crate) async fn flag_and_password(&self) -> (Value, Value) {
        let user = self.stored().await;
        (user[&self.flag].clone(), user["_password"].clone())
    }

    pub(crate) async fn log(&self) -> Vec<Value> {
        self.world.control(Method::GET, "/sign-ins", json!({})).await["sign_ins"].as_array().unwrap().clone()
    }

    pub(crate) async fn last(&self) -> Value {
        self.log().await.pop().unwrap()
    }
}

/// A scenario with the flag property.
pub(crate) const FLAG: &str = "[[extension]]\nname = \"toBeMigrated\"\ndata_type = \"Boolean\"";
