//! `sterna check --account`: asks the legacy checks about one test account, as a sign-in would.

use std::time::{Duration, Instant};

use serde_json::json;
use sterna_core::{
    account::{Account, Credential},
    code::Code,
    legacy::{Attempt, Checked, Verdict},
    password::formats::bounds::MAX_PASSWORD,
    secrecy::SecretString,
};
use sterna_ledger::named::NamedAccount;

use super::Session;
use crate::{
    commands::password::Input,
    exit::Exit,
    failure::{Failure, Outcome},
    opened::Opened,
    out::table::{Table, add},
};

/// How long the whole chain may take: every check has a limit of its own, and nobody waits at a sign-in page.
const PATIENCE: Duration = Duration::from_mins(2);

/// Asks the chain for the account that `name` names, with the password on standard input.
pub(super) async fn run(name: &str, opened: &Opened, session: &Session) -> Outcome {
    let chain = opened.chain();
    if chain.0.is_empty() {
        let hint = "add a table [checks.NAME] with `connector = \"stored-hash\"` or another; see docs/legacy-checks.md";
        return Err(Failure::new(Code::E1006, "there is no legacy check to try").hint(hint));
    }
    let found = the_one(opened.ledger().await?.named(name.to_owned()).await?)?;
    let password = password()?;
    let deadline = Instant::now() + PATIENCE;
    let NamedAccount { source, account, .. } = &found;
    let checked = chain.check(&Attempt { account, source, password: &password, deadline }).await;
    let tried = checked.tried.iter().map(|tried| {
        let mut one = shown(tried.verdict);
        one["check"] = json!(tried.name);
        one
    });
    let tried: Vec<_> = tried.collect();
    let mut document = shown(checked.verdict);
    document["source"] = json!(source);
    document["stored"] = json!(stored(account));
    document["tried"] = json!(tried);
    session.out.result(&text(&found, &checked), &document);
    Ok(match checked.verdict {
        Verdict::Match { .. } | Verdict::MatchButExpired => Exit::Done,
        _ => Exit::Failed,
    })
}

fn the_one(found: Vec<NamedAccount>) -> Result<NamedAccount, Failure> {
    let count = found.len();
    let mut found = found.into_iter();
    match (found.next(), count) {
        (Some(account), 1) => Ok(account),
        (None, _) => {
            Err(Failure::new(Code::E5018, "the ledger has no account with this name").hint(Code::E5018.mend()))
        }
        (Some(_), _) => {
            let message = format!("{count} accounts of the ledger have this name");
            Err(Failure::new(Code::E5018, message).hint("give the source's own id of the one that you mean"))
        }
    }
}

fn password() -> Result<SecretString, Failure> {
    let usage = |why: &str| Failure::new(Code::E1001, format!("the password on standard input {why}"));
    let bytes = Input::Standard.whole(MAX_PASSWORD)?.ok_or_else(|| usage("is longer than 4,096 bytes"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| usage("is not UTF-8"))?;
    if text.is_empty() {
        return Err(usage("is empty").hint("sterna check --account NAME < file-with-the-password"));
    }
    Ok(SecretString::from(text))
}

fn shown(verdict: Verdict) -> serde_json::Value {
    let mut shown = json!({ "verdict": verdict.name() });
    match verdict {
        Verdict::Match { upgrade: true } => shown["upgrade"] = json!(true),
        Verdict::Unavailable(outage) => shown["reason"] = json!(outage.words()),
        _ => {}
    }
    shown
}

/// What the ledger holds of the account's password, without the password.
fn stored(account: &Account) -> String {
    match &account.credential {
        Credential::Nothing => "nothing".to_owned(),
        Credential::Plaintext(_) => "the password itself".to_owned(),
        Credential::Hash { format, also, .. } => {
            let formats: Vec<&str> =
                std::iter::once(format.as_str()).chain(also.iter().map(|hash| hash.format.as_str())).collect();
            format!("a hash: {}", formats.join(", "))
        }
        Credential::HeldByLegacy => "nothing; the old system holds it".to_owned(),
    }
}

fn text(found: &NamedAccount, checked: &Checked) -> String {
    let mut table = Table::default();
    for tried in &checked.tried {
        table.texts([tried.name.as_str(), &tried.verdict.to_string()]);
    }
    let mut text = table.render();
    if !table.is_empty() {
        text.push('\n');
    }
    add(&mut text, format_args!("From source {}; the ledger holds {}.\n", found.source, stored(&found.account)));
    add(&mut text, format_args!("Answer: {}", checked.verdict));
    text
}
