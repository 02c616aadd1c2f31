//! What an answer means by the rules of the settings, as a pure function.
//!
//! Start at [`verdict`]. A rule fits when all that it names fits; the first that fits decides.

use serde_json::Value;
use sterna_core::{
    legacy::{Outage, Verdict},
    settings::Values,
};

use crate::checks::web;

/// An answer, as rules see it.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// A header by its name.
    pub header: &'a dyn Fn(&str) -> Option<String>,
    /// The body.
    pub body: &'a [u8],
}

/// The statuses that a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    One(u16),
    Class(u16),
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    status: Option<Status>,
    pointer: Option<String>,
    equals: Option<String>,
    present: Option<bool>,
    contains: Option<String>,
    header: Option<String>,
    header_equals: Option<String>,
    verdict: Verdict,
}

impl Rule {
    /// Reads a rule from its checked table.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn new(values: &Values) -> Result<Self, String> {
        let text = |name| values.text(name).map(str::to_owned);
        let status = values.text("status").map(status).transpose()?;
        let verdict = values.text("verdict").and_then(web::verdict_of).ok_or("a rule needs a `verdict`")?;
        let rule = Self {
            status,
            pointer: text("json"),
            equals: text("equals"),
            present: values.flag("present"),
            contains: text("contains"),
            header: text("header"),
            header_equals: text("header_equals"),
            verdict,
        };
        if rule.pointer.as_ref().is_some_and(|pointer| !pointer.starts_with('/')) {
            return Err("`json` is a JSON pointer and begins with a slash: /result/ok".to_owned());
        }
        if rule.pointer.is_none() && (rule.equals.is_some() || rule.present.is_some()) {
            return Err("`equals` and `present` need `json`, the place to look at".to_owned());
        }
        if rule.pointer.is_some() && rule.equals.is_none() && rule.present.is_none() {
            return Err("`json` needs `equals` or `present`".to_owned());
        }
        if rule.header_equals.is_some() && rule.header.is_none() {
            return Err("`header_equals` needs `header`".to_owned());
        }
        let bare = rule.status.is_none() && rule.pointer.is_none() && rule.contains.is_none() && rule.header.is_none();
        if bare && matches!(verdict, Verdict::Match { .. } | Verdict::MatchButExpired) {
            return Err("a rule that says the password is right needs a condition".to_owned());
        }
        let only_status = rule.pointer.is_none() && rule.contains.is_none() && rule.header.is_none();
        let is_outage = matches!(rule.status, Some(Status::Class(5) | Status::One(429 | 500..=599)));
        if only_status && is_outage && !matches!(verdict, Verdict::Unavailable(_)) {
            return Err("5xx and 429 are outages; a rule that reads more into them needs another condition".to_owned());
        }
        Ok(rule)
    }

    fn fits(&self, answer: &Answer<'_>, json: Option<&Value>) -> bool {
        let status = match self.status {
            Some(Status::One(status)) => answer.status == status,
            Some(Status::Class(class)) => answer.status / 100 == class,
            // pages of a proxy in between must not decide by chance
            None => matches!(answer.status, 200..=299 | 400..=406 | 409..=428 | 430..=499),
        };
        status && self.json_fits(json) && self.body_fits(answer.body) && self.header_fits(answer)
    }

    fn json_fits(&self, json: Option<&Value>) -> bool {
        let Some(pointer) = &self.pointer else { return true };
        let Some(json) = json else { return false };
        let found = json.pointer(pointer).filter(|value| !value.is_null());
        let present = self.present.is_none_or(|wanted| wanted == found.is_some());
        present && self.equals.as_ref().is_none_or(|wanted| found.is_some_and(|value| same(value, wanted)))
    }

    fn body_fits(&self, body: &[u8]) -> bool {
        self.contains.as_ref().is_none_or(|part| memchr::memmem::find(body, part.as_bytes()).is_some())
    }

    fn header_fits(&self, answer: &Answer<'_>) -> bool {
        let Some(name) = &self.header else { return true };
        let found = (answer.header)(name);
        found.is_some_and(|found| self.header_equals.as_ref().is_none_or(|wanted| *wanted == found))
    }
}

/// Whether a JSON value is this text, number or flag.
fn same(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Number(number) => number.to_string() == wanted,
        Value::Bool(flag) => wanted == if *flag { "true" } else { "false" },
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

fn status(text: &str) -> Result<Status, String> {
    let class = text.strip_suffix("xx").and_then(|digit| digit.parse().ok()).filter(|class| (1..=5).contains(class));
    let one = text.parse().ok().filter(|status| (100..=599).contains(status));
    let wrong = || format!("`status` is a number or a class such as \"2xx\", not \"{text}\"");
    class.map(Status::Class).or(one.map(Status::One)).ok_or_else(wrong)
}

/// The verdict of an answer. Without rules: 2xx is a match, 401 a mismatch, 423 locked.
pub fn verdict(rules: &[Rule], answer: &Answer<'_>) -> Verdict {
    let json = serde_json::from_slice::<Value>(answer.body).ok();
    let fitting = rules.iter().find(|rule| rule.fits(answer, json.as_ref()));
    match (fitting.map(|rule| rule.verdict), answer.status) {
        (None | Some(Verdict::Unavailable(_)), 429) => Verdict::Unavailable(Outage::Overloaded),
        (Some(verdict), _) => verdict,
        (None, 200..=299) if rules.is_empty() => Verdict::Match { upgrade: false },
        (None, 401) if rules.is_empty() => Verdict::Mismatch,
        (None, 423) if rules.is_empty() => Verdict::Locked,
        (None, _) => Verdict::Unavailable(Outage::NotUnderstood),
    }
}
