//! The legacy check `http`: a request made of templates, and rules for its answer. For services of one's own.
//!
//! Start at [`template::Template`] (what is sent) and [`rules::verdict`] (what the answer means); this file asks.
//! Not here: HTTP itself (`checks/web.rs`), limits and breaker (`checks/guarded.rs`).

mod config;
pub mod rules;
mod settings;
pub mod template;

use std::{borrow::Cow, sync::Arc};

use async_trait::async_trait;
use reqwest::{
    RequestBuilder,
    header::{CONTENT_TYPE, HeaderValue},
};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use sterna_core::{
    code::Finding,
    legacy::{Attempt, LegacyCheck, Outage, Verdict, login_name},
    registry::{CheckKind, Context},
    settings::{Setting, Values},
    support::{CheckSupport, Tells},
};
use url::{Url, form_urlencoded};
use zeroize::{Zeroize, Zeroizing};

use self::{
    config::{Body, Config},
    rules::Answer,
    template::Template,
};
use crate::checks::web::{self, Line, Ready};

/// The name of our own password among the secrets; no header can have it.
const BASIC: &str = "basic password";

/// The kind of check.
pub struct Kind;

impl CheckKind for Kind {
    fn kind(&self) -> &'static str {
        "http"
    }

    fn title(&self) -> &'static str {
        "any HTTP service: a request made of templates, and rules that say what its answer means"
    }

    fn settings(&self) -> &'static [Setting] {
        settings::SETTINGS
    }

    fn sample(&self) -> &'static str {
        "url = \"https://legacy.example.com/api/login\"\nfields = { user = \"{login}\", password = \"{password}\" }\n# rules = [{ status = \"200\", json = \"/ok\", equals = \"true\", verdict = \"match\" }, { status = \"200\", json = \"/ok\", equals = \"false\", verdict = \"mismatch\" }]\n"
    }

    fn support(&self) -> Option<CheckSupport> {
        Some(CheckSupport {
            tells: &[Tells::Expired, Tells::Unknown, Tells::Locked, Tells::Disabled],
            tested_with: &[],
        })
    }

    fn open(&self, values: &Values, context: &Context) -> Result<Arc<dyn LegacyCheck>, Vec<Finding>> {
        let config = Config::new(values)?;
        let mut line = Line::new(config.shape.clone(), context);
        let path = |name| values.text(name).map(|path| context.project.join(path));
        line.ca_file = path("ca_file");
        line.certificate = path("client_certificate").zip(values.secret("client_key"));
        line.wanted = config::wanted(values);
        Ok(Arc::new(Check { config, line }))
    }
}

struct Check {
    config: Config,
    line: Line,
}

#[async_trait]
impl LegacyCheck for Check {
    async fn preflight(&self) -> Vec<Finding> {
        self.line.probe().await
    }

    async fn check(&self, attempt: &Attempt<'_>) -> Verdict {
        match self.line.ask(attempt.deadline, |ready| self.request(ready, attempt)).await {
            Ok(reply) => {
                let header = |name: &str| Some(reply.headers.get(name)?.to_str().ok()?.to_owned());
                let answer = Answer { status: reply.status, header: &header, body: &reply.body };
                rules::verdict(&self.config.rules, &answer)
            }
            Err(outage) => Verdict::Unavailable(outage),
        }
    }
}

impl Check {
    fn request(&self, ready: &Ready, attempt: &Attempt<'_>) -> Result<RequestBuilder, Outage> {
        let config = &self.config;
        let value = |name: &str| self.value(attempt, name);
        let fill = |template: &Template| template.fill(value).ok_or(Outage::NotForThis);
        let url = address(&config.shape, &fill(&config.url)?)?;
        let mut request = ready.client.request(config.method.clone(), url);
        for (name, template) in &config.headers {
            let value = HeaderValue::from_bytes(fill(template)?.as_bytes()).map_err(|_| Outage::NotForThis)?;
            request = request.header(name, value);
        }
        for name in &config.secret_headers {
            let secret = ready.secret(name.as_str()).ok_or(Outage::Misconfigured)?;
            let mut value = HeaderValue::from_str(secret).map_err(|_| Outage::Misconfigured)?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        if let Some(user) = &config.basic_user {
            request = request.basic_auth(user, ready.secret(BASIC));
        }
        Ok(match &config.body {
            Body::None => request,
            Body::Json(fields) => request.header(CONTENT_TYPE, "application/json").body(web::body(json(fields, fill)?)),
            Body::Form(fields) => {
                request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(web::body(form(fields, fill)?))
            }
            Body::Text(template, kind) => {
                let bytes = Zeroizing::new(std::mem::take(&mut *fill(template)?).into_bytes());
                request.header(CONTENT_TYPE, kind).body(web::body(bytes))
            }
        })
    }

    /// What a placeholder stands for.
    fn value<'a>(&self, attempt: &Attempt<'a>, name: &str) -> Option<Cow<'a, str>> {
        match name {
            "password" => Some(attempt.password.expose_secret().into()),
            "login" => login_name(attempt.account, self.config.login.as_deref()).map(Cow::from),
            path => login_name(attempt.account, Some(path)).map(Cow::from),
        }
    }
}

/// The address with a person's name in it, as long as the name changed nothing of its structure (`..` would).
fn address(shape: &Url, filled: &str) -> Result<Url, Outage> {
    let url = Url::parse(filled).map_err(|_| Outage::NotForThis)?;
    let segments = |url: &Url| url.path().split('/').map(str::is_empty).collect::<Vec<_>>();
    let same = url.origin() == shape.origin() && segments(&url) == segments(shape);
    if same { Ok(url) } else { Err(Outage::NotForThis) }
}

type Filled = Result<Zeroizing<String>, Outage>;

/// The fields as JSON, dotted names nested; what it is made of is wiped.
fn json(fields: &[(Vec<String>, Template)], fill: impl Fn(&Template) -> Filled) -> Result<Zeroizing<Vec<u8>>, Outage> {
    let (mut root, mut room) = (Value::Object(Map::new()), 64);
    for (path, template) in fields {
        let mut text = fill(template)?;
        room += 6 * text.len() + path.iter().map(|name| 6 * name.len() + 8).sum::<usize>();
        let mut at = &mut root;
        for name in path {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            let Some(members) = at.as_object_mut() else { return Err(Outage::Misconfigured) };
            at = members.entry(name.as_str()).or_insert(Value::Null);
        }
        *at = Value::String(std::mem::take(&mut *text));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let written = serde_json::to_writer(&mut *bytes, &root);
    wipe(&mut root);
    written.map(|()| bytes).map_err(|_| Outage::Misconfigured)
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {}
    }
}

fn form(fields: &[(String, Template)], fill: impl Fn(&Template) -> Filled) -> Result<Zeroizing<Vec<u8>>, Outage> {
    let mut pairs = Vec::with_capacity(fields.len());
    for (name, template) in fields {
        pairs.push((name.as_str(), fill(template)?));
    }
    let room = pairs.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let mut form = form_urlencoded::Serializer::new(String::with_capacity(room));
    form.extend_pairs(pairs.iter().map(|(name, value)| (name, value.as_str())));
    Ok(Zeroizing::new(form.finish().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{template::*, *};

    const HOSTILE: &[&str] = &["\"},{\"a\":\"", "{login}", "a&b=c%00", "</P><A>'\"&", "x\r\ny", "é+{password}"];

    #[test]
    fn no_password_changes_what_is_around_it() {
        for text in HOSTILE {
            let fill = |template: &Template| template.fill(|_| Some((*text).into())).ok_or(Outage::NotForThis);
            let plain = Template::parse("{password}", Escapes::Always(Escape::None)).unwrap();
            let bytes = json(&[(vec!["u".into(), "p".into()], plain.clone())], fill).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), serde_json::json!({"u": {"p": text}}));
            let bytes = form(&[("p".into(), plain)], fill).unwrap();
            let pairs: Vec<_> = form_urlencoded::parse(&bytes).into_owned().collect();
            assert_eq!(pairs, [("p".to_owned(), (*text).to_owned())]);
            let xml = fill(&Template::parse("<P>{password|xml}</P>", Escapes::Demanded).unwrap()).unwrap();
            assert_eq!(xml.matches(['<', '>']).count(), 4, "{text}");
        }
        assert!(Template::parse("<P>{password}</P>", Escapes::Demanded).is_err());
    }

    #[test]
    fn a_name_of_dots_leads_to_no_other_address() {
        let shape = Url::parse("https://h/users/x/check").unwrap();
        assert!(address(&shape, "https://h/users/../check").is_err());
        assert!(address(&shape, "https://h/users/a%2Fb/check").is_ok());
    }
}
