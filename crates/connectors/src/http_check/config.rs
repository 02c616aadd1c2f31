//! From checked values to what the check runs on: every mistake is collected.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{
    Method,
    header::{HeaderName, HeaderValue},
};
use sterna_core::{
    code::{Code, Finding},
    settings::Values,
};
use url::Url;

use super::{
    rules::Rule,
    template::{Escape, Escapes, Template},
};
use crate::checks::web;

/// Deepest nesting of fields.
const DEEPEST: usize = 32;

/// What is sent.
pub(super) enum Body {
    Json(Vec<(Vec<String>, Template)>),
    Form(Vec<(String, Template)>),
    Text(Template, HeaderValue),
    None,
}

/// What the check runs on, besides secrets.
pub(super) struct Config {
    /// The address with placeholders, and with `x` in their places.
    pub(super) url: Template,
    pub(super) shape: Url,
    pub(super) method: Method,
    pub(super) headers: Vec<(HeaderName, Template)>,
    pub(super) secret_headers: Vec<HeaderName>,
    pub(super) basic_user: Option<String>,
    pub(super) body: Body,
    pub(super) rules: Vec<Rule>,
    pub(super) login: Option<String>,
}

/// Reads values and keeps what is wrong.
struct Reader<'v> {
    values: &'v Values,
    findings: Vec<Finding>,
}

impl Config {
    /// Reads the values.
    ///
    /// # Errors
    /// Every mistake.
    pub(super) fn new(values: &Values) -> Result<Self, Vec<Finding>> {
        let mut reader = Reader { values, findings: Vec::new() };
        let url = reader.url();
        let headers = reader.headers();
        let secret_headers =
            values.secrets("secret_headers").into_keys().filter_map(|name| reader.name(&name)).collect();
        let body = reader.body();
        let rules = reader.rules();
        for (one, other) in [("basic_user", "basic_password"), ("client_certificate", "client_key")] {
            if values.get(one).is_some() != values.get(other).is_some() {
                reader.findings.push(Finding::error(Code::E1006, format!("`{one}` and `{other}` go together")));
            }
        }
        let ours = values.get("basic_user").is_some() || values.get("secret_headers").is_some();
        if ours && values.tables("rules").is_empty() {
            let text = "`rules` must tell how the service turns us away from how it says that a password is wrong";
            let finding = Finding::error(Code::E1006, text);
            reader.findings.push(
                finding
                    .hint("rules = [{ status = \"200\", json = \"/ok\", equals = \"true\", verdict = \"match\" }, …]"),
            );
        }
        let method = match values.text("method") {
            Some("GET") => Method::GET,
            Some("PUT") => Method::PUT,
            _ => Method::POST,
        };
        match (url, body) {
            (Some((url, shape)), Some(body)) if reader.findings.is_empty() => Ok(Self {
                url,
                shape,
                method,
                headers,
                secret_headers,
                basic_user: values.text("basic_user").map(str::to_owned),
                body,
                rules,
                login: values.text("login").map(str::to_owned),
            }),
            _ => Err(reader.findings),
        }
    }
}

impl Reader<'_> {
    fn wrong(&mut self, message: String) {
        self.findings.push(*web::wrong(message));
    }

    fn template(&mut self, at: &str, text: &str, escapes: Escapes) -> Option<Template> {
        Template::parse(text, escapes).map_err(|message| self.wrong(format!("`{at}`: {message}"))).ok()
    }

    /// A template of a place that logs and caches may show.
    fn seen(&mut self, at: &str, text: &str, escapes: Escapes) -> Option<Template> {
        let template = self.template(at, text, escapes)?;
        if template.uses("password") {
            self.wrong(format!("`{at}` must not hold {{password}}: logs on the way would; send it in the body"));
            return None;
        }
        Some(template)
    }

    fn url(&mut self) -> Option<(Template, Url)> {
        let text = self.values.text("url")?;
        let template = self.seen("url", text, Escapes::Always(Escape::Url))?;
        let after = text.find("://").map_or(0, |at| at + 3);
        let origin = text.get(after..).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
        let shape = template.fill(|_| Some("x".into())).and_then(|text| Url::parse(&text).ok());
        let Some(shape) = shape.filter(|url| url.has_host() && !origin.contains(['{', '}', '@'])) else {
            self.wrong("`url` needs a fixed host, without user name or placeholder".to_owned());
            return None;
        };
        self.findings.extend(web::open_line(&shape));
        Some((template, shape))
    }

    fn name(&mut self, name: &str) -> Option<HeaderName> {
        let read = HeaderName::from_bytes(name.as_bytes()).ok();
        let taken = ["host", "content-length", "transfer-encoding", "connection"];
        let read = read.filter(|read| !taken.contains(&read.as_str()));
        if read.is_none() {
            self.wrong(format!("a header cannot be named `{name}`"));
        }
        read
    }

    fn headers(&mut self) -> Vec<(HeaderName, Template)> {
        let mut list = Vec::new();
        for (name, text) in self.values.text_table("headers") {
            let template = self.seen("headers", &text, Escapes::Always(Escape::None));
            if let (Some(name), Some(template)) = (self.name(&name), template) {
                list.push((name, template));
            }
        }
        list
    }

    fn body(&mut self) -> Option<Body> {
        let fields = self.fields();
        let body = match self.values.text("body") {
            Some("form") => Body::Form(fields),
            Some("text") => {
                let Some(text) = self.values.text("template") else {
                    self.findings.push(Finding::error(Code::E1006, "the body `text` needs `template`"));
                    return None;
                };
                let template = self.template("template", text, Escapes::Demanded)?;
                let kind = HeaderValue::from_str(self.values.text("content_type").unwrap_or("text/xml; charset=utf-8"));
                let Ok(kind) = kind else {
                    self.wrong("`content_type` cannot stand in a header".to_owned());
                    return None;
                };
                Body::Text(template, kind)
            }
            Some("none") => Body::None,
            _ => Body::Json(self.nested(fields)),
        };
        let sent = match &body {
            Body::Json(fields) => fields.iter().any(|(_, template)| template.uses("password")),
            Body::Form(fields) => fields.iter().any(|(_, template)| template.uses("password")),
            Body::Text(template, _) => template.uses("password"),
            Body::None => false,
        };
        if !sent && self.findings.is_empty() {
            self.wrong("the password is sent nowhere: put {password} into `fields` or `template`".to_owned());
        }
        Some(body)
    }

    fn fields(&mut self) -> Vec<(String, Template)> {
        let mut list = Vec::new();
        for (name, text) in self.values.text_table("fields") {
            if let Some(template) = self.template("fields", &text, Escapes::Always(Escape::None)) {
                list.push((name, template));
            }
        }
        list
    }

    /// Fields of JSON: dots nest. No field may stand inside another's text.
    fn nested(&mut self, fields: Vec<(String, Template)>) -> Vec<(Vec<String>, Template)> {
        let names: BTreeSet<String> = fields.iter().map(|(name, _)| name.clone()).collect();
        let mut list = Vec::new();
        for (name, template) in fields {
            let path: Vec<String> = name.split('.').map(str::to_owned).collect();
            let inside = (1..path.len())
                .any(|end| names.contains(&path.iter().take(end).cloned().collect::<Vec<_>>().join(".")));
            if inside || path.len() > DEEPEST || path.iter().any(String::is_empty) {
                self.wrong(format!("`fields`: `{name}` cannot be a member of the JSON body"));
            }
            list.push((path, template));
        }
        list
    }

    fn rules(&mut self) -> Vec<Rule> {
        let mut list = Vec::new();
        for (number, values) in self.values.tables("rules").iter().enumerate() {
            match Rule::new(values) {
                Ok(rule) => list.push(rule),
                Err(message) => self.wrong(format!("rule {}: {message}", number + 1)),
            }
        }
        list
    }
}

/// The secrets that requests need, by the names that they have here.
pub(super) fn wanted(values: &Values) -> BTreeMap<String, sterna_core::settings::SecretRef> {
    let headers =
        values.secrets("secret_headers").into_iter().map(|(name, secret)| (name.to_ascii_lowercase(), secret));
    let basic = values.secret("basic_password").map(|secret| (super::BASIC.to_owned(), secret));
    headers.chain(basic).collect()
}
