//! `[just_in_time]`: passwords that move at the sign-in, by asking an endpoint (`entra.md` 1).

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::EmulatorError;

/// `[just_in_time]` in a scenario file, and the body of `POST {state_url}/just-in-time`. `target_url` and a certificate
/// are needed, everything else has a default. Ids that are not given are made up once, at the start of the emulator, and
/// stay when the settings are replaced.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent question to the real product")]
pub struct JustInTime {
    /// The endpoint. HTTPS, or HTTP on loopback; anything else lets sign-ins fail with 1003020.
    pub target_url: String,
    /// Application id of the extension app: the audience of the token and of the password context.
    pub app_id: Option<String>,
    /// Identifier URI of the extension app. Default: `api://{host of target_url}/{app_id}`. A wrong form lets sign-ins
    /// fail with 1003014, another host with 1003015.
    pub resource_id: Option<String>,
    /// The certificate (PEM, RSA of 2,048 bits or more) that the password context is encrypted to.
    pub certificate_pem: Option<String>,
    /// A file with that certificate, relative to the scenario file; in scenario files only.
    pub certificate_file: Option<PathBuf>,
    /// The GUID of that certificate among the key credentials: `tokenEncryptionKeyId`.
    pub key_id: Option<String>,
    /// `authenticationEventListenerId`
    pub listener_id: Option<String>,
    /// `customAuthenticationExtensionId`
    pub extension_id: Option<String>,
    /// The application that users sign in to when a sign-in names none.
    pub client_app_id: Option<String>,
    /// The Boolean extension property that says "not moved yet": its short name on `b2c-extensions-app`, or its full
    /// name.
    pub flag: String,
    /// Time for each request to the endpoint, 200 to 2,000.
    pub timeout_ms: u64,
    /// Repeats after a timeout, a failed connection or a 5xx: 0 or 1. Which failures the product repeats is unverified.
    pub retries: u8,
    /// PEM certificates of authorities that are trusted beside the system's.
    pub ca_pem: Option<String>,
    /// A file with these, relative to the scenario file; in scenario files only.
    pub ca_file: Option<PathBuf>,
    /// Requests to the endpoint in any second; beyond that 1003004 and no request. 0 lifts the limit.
    pub calls_per_second: u32,
    /// Bytes of an answer; a longer one is 1003024. The product's number is not documented.
    pub answer_limit_bytes: usize,
    /// Lets every call fail with this code before it is made: mistakes of the set-up that the emulated tenant does not
    /// hold, such as 1003016 (no service principal) or 1003021 (no consent).
    pub setup_error: Option<u32>,
    /// Whether a moved password needs three of four character classes. False is the option `disableStrongPassword`: 8
    /// characters are enough.
    pub strong_passwords: bool,
    /// How the content key is encrypted.
    pub alg: KeyEncryption,
    /// How the content is encrypted.
    pub enc: ContentEncryption,
    /// Whether the content is compressed (`zip: DEF`).
    pub zip: bool,
    /// What the content is.
    pub claims: ClaimsForm,
    /// Which header names the certificate.
    pub key_named_by: KeyName,
    /// Version of the bearer token.
    pub token_version: TokenVersion,
    /// Audience of a token of version 1. Which one the product uses is unverified.
    pub v1_audience: V1Audience,
    /// Issuer of the bearer token. Default: the tenant's real one, `https://{tenant id}.ciamlogin.com/{tenant id}/v2.0`,
    /// for version 1 `https://sts.windows.net/{tenant id}/`.
    pub issuer: Option<String>,
    /// Whether the bearer token is encrypted to the certificate too. Unverified.
    pub encrypted_bearer: bool,
    /// What a repeat carries. Unverified.
    pub retry_context: RetryContext,
    /// Which spellings of an action's type are accepted.
    pub actions: ActionSpelling,
    /// Whether an answer without the request's nonce is 1003003. What the product does is unverified.
    pub check_nonce: bool,
    /// Whether a self-service reset clears the flag. Unverified.
    pub reset_clears_flag: bool,
}

/// `alg` of the password context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum KeyEncryption {
    /// With SHA-1: what was observed.
    #[default]
    #[serde(rename = "RSA-OAEP")]
    RsaOaep,
    /// With SHA-256.
    #[serde(rename = "RSA-OAEP-256")]
    RsaOaep256,
}

/// `enc` of the password context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum ContentEncryption {
    /// AES-128-CBC with HMAC-SHA-256: what was observed.
    #[default]
    #[serde(rename = "A128CBC-HS256")]
    A128CbcHs256,
    /// AES-256-CBC with HMAC-SHA-512.
    #[serde(rename = "A256CBC-HS512")]
    A256CbcHs512,
    /// AES-128-GCM.
    #[serde(rename = "A128GCM")]
    A128Gcm,
    /// AES-256-GCM.
    #[serde(rename = "A256GCM")]
    A256Gcm,
}

/// The plaintext of the password context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimsForm {
    /// A compact JWT with `alg: none`.
    #[default]
    Nested,
    /// The claims as a bare JSON object.
    Flat,
}

/// The header parameter that names the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum KeyName {
    /// SHA-1 thumbprint: what was observed.
    #[default]
    #[serde(rename = "x5t")]
    X5t,
    /// SHA-256 thumbprint.
    #[serde(rename = "x5t#S256")]
    X5tS256,
    /// The GUID of the key credential.
    #[serde(rename = "kid")]
    Kid,
}

/// Version of the bearer token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenVersion {
    /// With `azp`, for the application id.
    #[default]
    V2,
    /// With `appid`.
    V1,
}

/// Audience of a version 1 token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum V1Audience {
    /// `resource_id`
    #[default]
    ResourceId,
    /// `app_id`
    AppId,
}

/// What a repeated request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RetryContext {
    /// A new password context with a new nonce.
    #[default]
    New,
    /// The same bytes.
    Same,
}

/// Accepted spellings of an action's `@odata.type` (`entra.md` 1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionSpelling {
    /// `microsoft.graph.passwordSubmit.…`, compared without case.
    #[default]
    Documented,
    /// The same, compared exactly.
    Exact,
    /// The two other forms found in public text too.
    Any,
}

impl Default for JustInTime {
    fn default() -> Self {
        Self {
            target_url: String::new(),
            app_id: None,
            resource_id: None,
            certificate_pem: None,
            certificate_file: None,
            key_id: None,
            listener_id: None,
            extension_id: None,
            client_app_id: None,
            flag: "toBeMigrated".to_owned(),
            timeout_ms: 1_000,
            retries: 0,
            ca_pem: None,
            ca_file: None,
            calls_per_second: 50,
            answer_limit_bytes: 64 * 1024,
            setup_error: None,
            strong_passwords: true,
            alg: KeyEncryption::default(),
            enc: ContentEncryption::default(),
            zip: true,
            claims: ClaimsForm::default(),
            key_named_by: KeyName::default(),
            token_version: TokenVersion::default(),
            v1_audience: V1Audience::default(),
            issuer: None,
            encrypted_bearer: false,
            retry_context: RetryContext::default(),
            actions: ActionSpelling::default(),
            check_nonce: true,
            reset_clears_flag: false,
        }
    }
}

impl JustInTime {
    /// Says what cannot be meant. What the product itself accepts and fails on later is not refused here.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.target_url.is_empty() {
            return Err("just_in_time needs a target_url".to_owned());
        }
        if self.certificate_pem.is_none() {
            return Err("just_in_time needs a certificate_pem, or a certificate_file in a scenario file".to_owned());
        }
        if !(200..=2_000).contains(&self.timeout_ms) {
            return Err("timeout_ms of just_in_time is from 200 to 2000".to_owned());
        }
        if self.retries > 1 {
            return Err("retries of just_in_time is 0 or 1".to_owned());
        }
        if self.flag.is_empty() {
            return Err("the flag of just_in_time has no name".to_owned());
        }
        Ok(())
    }

    pub(super) fn read_files(&mut self, folder: &Path) -> Result<(), EmulatorError> {
        let read = |file: &PathBuf| {
            let path = folder.join(file);
            std::fs::read_to_string(&path).map_err(|source| EmulatorError::ReadScenario { path, source })
        };
        if let Some(file) = self.certificate_file.take() {
            self.certificate_pem = Some(read(&file)?);
        }
        if let Some(file) = self.ca_file.take() {
            self.ca_pem = Some(read(&file)?);
        }
        Ok(())
    }
}
