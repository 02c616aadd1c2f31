//! `sterna export script`: the conditional-authentication script of WSO2 Identity Server and Asgardeo.
//!
//! It holds names of secrets and no secret, and names nobody. Not here: the script itself, which the connector writes.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use serde_json::json;
use sterna_connectors::wso2::script::{
    Auth, Flow, LONGEST_WAIT_SECS, LoginNames, MIGRATED_CLAIM, Mistake, OnFailure, Options, PasswordRules, Product,
};
use sterna_core::code::{Code, Finding};

use super::{Session, create};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
};

/// Arguments of `sterna export script`.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line; `Args::options` gives them names"
)]
pub(super) struct Args {
    /// Which product runs the script
    #[arg(long, value_enum)]
    product: ProductName,
    /// The hook's address as the product reaches it, ending in /hooks/NAME
    #[arg(long, value_name = "URL")]
    url: String,
    /// The hook's address as browsers reach it, where a gateway stands before the other; no token is sent there
    #[arg(long, value_name = "URL", conflicts_with = "one_call")]
    poll_url: Option<String>,
    /// How the script proves who it is; bearer, or choreo in Asgardeo, if left out
    #[arg(long, value_enum)]
    auth: Option<AuthName>,
    /// Names of the secrets in the console: one for bearer and api-key, two for the others
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    secrets: Vec<String>,
    /// Where tokens are given, for choreo and client-credential
    #[arg(long, value_name = "URL")]
    token_endpoint: Option<String>,
    /// Scopes of the token, for client-credential
    #[arg(long)]
    scope: Option<String>,
    /// The header for api-key
    #[arg(long, value_name = "NAME", default_value = "X-API-Key")]
    header: String,
    /// The user store of the people; PRIMARY, or DEFAULT in Asgardeo, if left out
    #[arg(long, value_name = "NAME")]
    store: Option<String>,
    /// The local claim that says that a password was moved
    #[arg(long, value_name = "URI", default_value = MIGRATED_CLAIM)]
    claim: String,
    /// People type their user name itself: alternative login identifiers are off
    #[arg(long)]
    user_names: bool,
    /// Let the password rules of the product hold for old passwords; versions before June 2025 have no other way
    #[arg(long)]
    keep_password_rules: bool,
    /// Most seconds on the wait page
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=i64::from(LONGEST_WAIT_SECS)))]
    wait_secs: u8,
    /// Seconds between two questions of the wait page
    #[arg(long, value_name = "N", default_value_t = 2)]
    poll_secs: u8,
    /// Let the wait page end on the product's own error page, not in the script
    #[arg(long, conflicts_with = "one_call")]
    own_error_page: bool,
    /// One call and no wait page; the hook needs `one_call = true`
    #[arg(long)]
    one_call: bool,
    /// The file to write, never over another; standard output without it
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Which product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ProductName {
    /// WSO2 Identity Server
    Is,
    /// Asgardeo (WSO2 Identity Platform)
    Asgardeo,
}

/// How the script proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum AuthName {
    /// callChoreo, through a gateway that checks its token
    Choreo,
    /// httpPost with a token by client credentials, through a gateway that checks it
    ClientCredential,
    /// httpPost with the hook's `bearer_token`
    Bearer,
    /// httpPost with the hook's `api_key`
    ApiKey,
    /// httpPost with the hook's `basic_user` and `basic_password`
    Basic,
}

pub(super) fn run(args: &Args, session: &Session) -> Outcome {
    let script = args.options()?.script().map_err(|mistakes| failure(&mistakes))?;
    if let Some(path) = args.output.as_deref().filter(|path| path.as_os_str() != "-") {
        return write(path, &script, session);
    }
    session.out.result(&script, &json!({ "script": script }));
    Ok(Exit::Done)
}

impl Args {
    fn options(&self) -> Result<Options, Failure> {
        let product = match self.product {
            ProductName::Is => Product::IdentityServer,
            ProductName::Asgardeo => Product::Asgardeo,
        };
        let on_failure = if self.own_error_page { OnFailure::OwnPage } else { OnFailure::ToScript };
        let flow = Flow::Wait { secs: self.wait_secs, poll_secs: self.poll_secs, on_failure };
        Ok(Options {
            product,
            url: self.url.clone(),
            poll_url: self.poll_url.clone(),
            auth: self.auth()?,
            store: self.store.clone(),
            claim: self.claim.clone(),
            names: if self.user_names { LoginNames::UserName } else { LoginNames::Several },
            rules: if self.keep_password_rules { PasswordRules::Kept } else { PasswordRules::Skipped },
            flow: if self.one_call { Flow::OneCall } else { flow },
        })
    }

    fn auth(&self) -> Result<Auth, Failure> {
        let name = self.auth.unwrap_or(match self.product {
            ProductName::Is => AuthName::Bearer,
            ProductName::Asgardeo => AuthName::Choreo,
        });
        Ok(match name {
            AuthName::Choreo => {
                let [key, secret] = self.names(["consumerKey", "consumerSecret"])?;
                Auth::Choreo { key, secret, token_endpoint: self.token_endpoint.clone() }
            }
            AuthName::ClientCredential => {
                let [key, secret] = self.names(["consumerKey", "consumerSecret"])?;
                let token_endpoint = self.token_endpoint.clone().ok_or_else(|| {
                    Failure::new(Code::E1001, "--auth client-credential needs --token-endpoint, where tokens are given")
                })?;
                Auth::ClientCredential { key, secret, token_endpoint, scope: self.scope.clone() }
            }
            AuthName::Bearer => {
                let [token] = self.names(["sternaToken"])?;
                Auth::Bearer { token }
            }
            AuthName::ApiKey => {
                let [key] = self.names(["sternaApiKey"])?;
                Auth::ApiKey { key, header: self.header.clone() }
            }
            AuthName::Basic => {
                let [user, password] = self.names(["sternaUser", "sternaPassword"])?;
                Auth::Basic { user, password }
            }
        })
    }

    /// The names of the secrets that are given, or those that are proposed.
    fn names<const N: usize>(&self, proposed: [&str; N]) -> Result<[String; N], Failure> {
        if self.secrets.is_empty() {
            return Ok(proposed.map(str::to_owned));
        }
        <[String; N]>::try_from(self.secrets.clone()).map_err(|given| {
            let message = format!("--secrets names {}, and this way of proving needs {N}", given.len());
            Failure::new(Code::E1001, message).hint(format!("for example --secrets {}", proposed.join(",")))
        })
    }
}

fn failure(mistakes: &[Mistake]) -> Failure {
    let findings = mistakes.iter().map(|mistake| Finding::error(Code::E1001, mistake.to_string()).into());
    Failure::configuration(findings.collect())
}

fn write(path: &Path, script: &str, session: &Session) -> Outcome {
    create(path)?.write_all(script.as_bytes()).map_err(|error| {
        Failure::new(Code::E1013, format!("{} cannot be written", path.display()))
            .caused_by(&error)
            .hint(Code::E1013.mend())
    })?;
    session.out.result(&format!("Wrote the script to {}.", path.display()), &json!({ "file": path }));
    Ok(Exit::Done)
}
