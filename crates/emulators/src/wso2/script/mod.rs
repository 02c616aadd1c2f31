//! What a login script says: a reader of the text that `sterna export script` prints, and no JavaScript engine.
//!
//! It finds the addresses, the function that sends, the way to prove who asks, the claims that are looked at, the user
//! store and the fourth argument of `updateUserPassword` where they stand, and demands the words on which the rest of the
//! flow hangs (wso2-scim.md 1.2.2). A script that says anything else is refused, with what is not understood. Start at
//! [`Script::read`]. Not here: carrying it out, see `sign_in`.

mod lex;
mod sender;
mod source;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;

pub(crate) use sender::{Auth, Sender};
use source::Source;
use value::{Value, call};

/// Where the user's name is looked for (wso2-scim.md 1.2.2).
const USER_NAME_CLAIM: &str = "http://wso2.org/claims/username";

/// Longest time of the wait page, in seconds; a longer one is cut (wso2-scim.md 1.2.4).
const LONGEST_WAIT_SECS: u64 = 20;

/// What the flow does is not read out of these: they have to be there, word by word.
const LANDMARKS: &[(&str, &str)] = &[
    ("onLoginRequest", "executeStep(1, {"),
    ("onLoginRequest", "findUser(context);"),
    ("onLoginRequest", "askService();"),
    ("findUser", "loginIdentifier = params.username[0];"),
    ("findUser", "password = params.password[0];"),
    ("findUser", "username = userNameOf(loginIdentifier, context);"),
    ("findUser", "user = getUniqueUserWithClaimValues(claims, context);"),
    ("settle", "data.status === \"SUCCESS\""),
    ("settle", "data.status === \"FAIL\" && data.message && data.message !== wrongMessage"),
    ("settle", "storePassword();"),
    ("storePassword", "updateUserPassword(user, password, afterStoring()"),
    ("afterStoring", "user.localClaims[migratedClaim] = \"true\";"),
    ("afterStoring", "signInAgain();"),
    ("signInAgain", "\"username\": loginIdentifier,"),
    ("signInAgain", "\"password\": password"),
    ("askService", "{ id: userId, username: username, password: password }"),
    ("askService", "settle(data);"),
];

/// What a script says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    /// The user store in which the user is looked for.
    pub(crate) store: String,
    /// The claim that becomes `"true"`.
    pub(crate) flag: String,
    /// Claims that end the flow when they are `"true"`.
    pub(crate) bars: Vec<String>,
    /// Whether the rules for passwords are skipped: the fourth argument (wso2-scim.md 1.2.8).
    pub(crate) skips_rules: bool,
    /// Whether what was typed is resolved to a user name first.
    pub(crate) resolves: bool,
    /// The message of the service that means a wrong password.
    pub(crate) wrong: String,
    pub(crate) sender: Sender,
    pub(crate) flow: Flow,
    pub(crate) messages: Messages,
}

/// How the answer is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flow {
    /// START, the wait page, RESULT.
    Wait {
        start_url: String,
        result_url: String,
        poll_url: String,
        /// What START has to say.
        received: String,
        timeout_secs: u64,
        interval_secs: u64,
        /// Whether failures of the page come back to the script.
        callback: bool,
    },
    /// One call that answers at once.
    OneCall { check_url: String },
}

/// What people read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Messages {
    /// After a wrong password, or for somebody who is not asked about.
    pub(crate) wrong: String,
    /// When nothing can be said now.
    pub(crate) later: String,
    /// When the password cannot be stored.
    pub(crate) weak: String,
    /// When the login fails after the password was stored.
    pub(crate) again: String,
}

/// Which product runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    IdentityServer,
    Asgardeo,
}

impl Script {
    /// Reads a script; `secrets` are those that are stored in the console.
    ///
    /// # Errors
    /// The first thing that is not understood, as a sentence for whoever made the script.
    pub(crate) fn read(text: &str, secrets: &BTreeMap<String, String>, engine: Engine) -> Result<Self, String> {
        if engine == Engine::Asgardeo && text.contains("..") {
            return Err("Asgardeo refuses scripts with two full stops in a row".to_owned());
        }
        let source = Source::read(text)?;
        for (function, snippet) in LANDMARKS {
            source.demand(function, snippet)?;
        }
        source.demand("findUser", &format!("claims[\"{USER_NAME_CLAIM}\"] = userStore + \"/\" + username;"))?;
        Ok(Self {
            store: variable_text(&source, "userStore")?,
            flag: variable_text(&source, "migratedClaim")?,
            bars: bars(&source)?,
            skips_rules: skips_rules(&source)?,
            resolves: resolves(&source)?,
            wrong: variable_text(&source, "wrongMessage")?,
            sender: sender::read(&source, secrets)?,
            flow: flow(&source)?,
            messages: messages(&source)?,
        })
    }

    /// Whether these claims of a user let the flow go on.
    pub(crate) fn may_move(&self, claim: impl Fn(&str) -> Option<String>) -> bool {
        [&self.flag].into_iter().chain(&self.bars).all(|name| claim(name).as_deref() != Some("true"))
    }
}

fn variable_text(source: &Source, name: &str) -> Result<String, String> {
    source.text_of(source.variable(name)?, name)
}

/// The claims beside the flag that `mayMove` looks at: `return A && B && …`, each `user.localClaims[X] !== "true"`.
fn bars(source: &Source) -> Result<Vec<String>, String> {
    source.demand("mayMove", "return user.localClaims[migratedClaim] !== \"true\"")?;
    let mut bars = Vec::new();
    let body = source.body("mayMove")?;
    for part in body.split(|(token, _)| token.is_sign("&&")).skip(1) {
        let claim = part.iter().find_map(|(token, _)| match token {
            lex::Token::Text(text) => Some(text.clone()),
            lex::Token::Name(_) | lex::Token::Number(_) | lex::Token::Sign(_) => None,
        });
        let claim = claim.ok_or("the function mayMove looks at something that is no claim")?;
        source.demand("mayMove", &format!("user.localClaims[\"{claim}\"] !== \"true\""))?;
        bars.push(claim);
    }
    Ok(bars)
}

fn skips_rules(source: &Source) -> Result<bool, String> {
    let is_asked = source.has("storePassword", "if (skipPasswordValidation) {")?
        && source.has("storePassword", "updateUserPassword(user, password, afterStoring(), true);")?;
    Ok(is_asked && source.bool_of(source.variable("skipPasswordValidation")?, "skipPasswordValidation")?)
}

fn resolves(source: &Source) -> Result<bool, String> {
    if source.has("userNameOf", "return resolveMultiAttributeLoginIdentifier(typed, context.tenantDomain);")? {
        return Ok(true);
    }
    source.demand("userNameOf", "return typed;").map(|()| false)
}

fn flow(source: &Source) -> Result<Flow, String> {
    let asked = call(source.body("askService")?, "post").ok_or("the function askService calls nobody")?;
    let url = source.text_of(asked.first().unwrap_or(&Value::Null), "the address that is asked")?;
    if source.body("waitForCheck").is_err() {
        return Ok(Flow::OneCall { check_url: url });
    }
    source.demand("askService", "data.message === receivedMessage && data.contextId")?;
    source.demand("waitForCheck", "fetchResult();")?;
    source.demand("fetchResult", "{ contextId: contextId, username: username }")?;
    source.demand("fetchResult", "settle(data);")?;
    let fetched = call(source.body("fetchResult")?, "post").ok_or("the function fetchResult calls nobody")?;
    let page = call(source.body("waitForCheck")?, "prompt").ok_or("the function waitForCheck shows no page")?;
    let page = match page.as_slice() {
        [template, data, ..] if template.text() == Some("internalWait") => data,
        _ => return Err("the page is not internalWait".to_owned()),
    };
    if page.member("waitingType").and_then(Value::text) != Some("POLLING") {
        return Err("the waitingType of the page is not POLLING".to_owned());
    }
    let configs = page.member("waitingConfigs").ok_or("the page has no waitingConfigs")?;
    let text = |name: &str| source.text_of(configs.member(name).unwrap_or(&Value::Null), name);
    let secs = |name: &str| text(name)?.parse::<u64>().map_err(|_other| format!("{name} is no number of seconds"));
    if text("requestMethod")? != "GET" {
        return Err("the requestMethod of the page is not GET".to_owned());
    }
    source.demand("waitForCheck", "\"requestData\": \"contextId=\" + contextId")?;
    Ok(Flow::Wait {
        start_url: url,
        result_url: source.text_of(fetched.first().unwrap_or(&Value::Null), "the address of the result")?,
        poll_url: text("pollingEndpoint")?,
        received: variable_text(source, "receivedMessage")?,
        timeout_secs: secs("timeout")?.min(LONGEST_WAIT_SECS),
        interval_secs: secs("pollingInterval")?,
        callback: source.bool_of(configs.member("callbackOnFailure").unwrap_or(&Value::Bool(false)), "callback")?,
    })
}

fn messages(source: &Source) -> Result<Messages, String> {
    let said = |function: &str| {
        let end = call(source.body(function)?, "end");
        let text = end.as_deref().and_then(|arguments| arguments.get(1)).and_then(Value::text);
        text.map(ToOwned::to_owned).ok_or_else(|| format!("the function {function} tells the person nothing"))
    };
    Ok(Messages {
        wrong: said("wrongPassword")?,
        later: said("tryLater")?,
        weak: said("afterStoring")?,
        again: said("signInAgain")?,
    })
}
