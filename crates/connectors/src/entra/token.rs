//! What an application proves itself with at the login service, and how to mend a refusal.

use std::{path::Path, sync::Arc};

use reqwest::Client;
use sterna_core::{
    code::Code, port::TargetError, registry::Context, secrecy::SecretString, settings::SecretRef, time::Timestamp,
};

use super::{
    assertion::Signer,
    config::{Algorithm, Application, Connection, Proof},
};
use crate::http::token::{self, Assert, Mend, NotSigned, TokenClient, Tokens};

/// Prepares the tokens of one application; reads its secret or key now, so that a mistake shows at once.
///
/// # Errors
/// [`TargetError`] when the secret or key cannot be had (E1008).
pub(super) fn tokens(
    connection: &Connection,
    application: &Application,
    http: Client,
    context: &Context,
) -> Result<Tokens, TargetError> {
    let proof = match &application.proof {
        Proof::Secret(reference) => token::Proof::Post(reveal(context, reference)?),
        Proof::Certificate { certificate, key } => {
            token::Proof::Assertion(Box::new(signer(context, certificate, key, connection.algorithm)?))
        }
    };
    let client = TokenClient {
        client_id: application.client_id.clone(),
        proof,
        endpoint: format!("{}/{}/oauth2/v2.0/token", connection.login_url, connection.tenant),
        scope: Some(format!("{}/.default", connection.graph_url)),
    };
    Ok(Tokens::new(client, http, Arc::clone(&context.clock)))
}

impl Assert for Signer {
    fn assert(&self, client_id: &str, audience: &str, now: Timestamp) -> Result<String, Box<NotSigned>> {
        self.sign(client_id, audience, now).map_err(Into::into)
    }
}

/// How to mend it that there is no token.
pub(super) const MEND: Mend = Mend {
    unreachable: "check login_url, the proxy and the firewall; behind a private CA set ca_file",
    proof: "check `certificate` and `private_key`",
    refused: mend,
};

/// What to do about a refusal; only `error` is branched on, the numbers may change (entra.md 6).
fn mend(error: &str, codes: &[u64]) -> &'static str {
    match error {
        "invalid_client" if codes.contains(&7_000_222) => "the secret is over: make a new one",
        "invalid_client" => "check the secret (its value, not its id) or that the certificate is registered",
        "unauthorized_client" => "check client_id, and that the application is in this tenant",
        "invalid_request" | "invalid_grant" => "check tenant, client_id and login_url",
        "invalid_scope" | "invalid_resource" => "graph_url and login_url must belong to one cloud",
        _ => "check tenant, client_id and secret or certificate",
    }
}

fn reveal(context: &Context, reference: &SecretRef) -> Result<SecretString, TargetError> {
    context.secrets.reveal(reference).map_err(|finding| {
        let error = TargetError::new(finding.code, finding.message.clone());
        match finding.hints.first() {
            Some(hint) => error.hint(hint.clone()),
            None => error,
        }
    })
}

fn signer(context: &Context, certificate: &Path, key: &SecretRef, algorithm: Algorithm) -> Result<Signer, TargetError> {
    let path = context.project.join(certificate);
    let pem = std::fs::read(&path).map_err(|error| {
        TargetError::new(Code::E1008, format!("the certificate {} cannot be read", path.display())).caused_by(error)
    })?;
    let key = reveal(context, key)?;
    Signer::new(&pem, &key, algorithm)
        .map_err(|error| TargetError::new(Code::E1008, error.to_string()).hint("give PEM files of one RSA key pair"))
}
