//! The sign-in page for people: plain HTML, no script, readable by a screen reader.
//!
//! `GET {root}/{tenant}/sign-in` shows it; the same address takes the form, and `…/sign-in/new-password` the form that
//! asks for a new password. What a user sees of the endpoint's words is escaped.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use sterna_wire::Request;
use url::form_urlencoded;

use super::answer::Words;
use super::code::Code;
use super::levers::WEAK;
use super::run::{self, Attempt, Done, Outcome};
use crate::entra::service::Service;
use crate::entra::tenant::TenantNames;

/// Which page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    SignIn,
    NewPassword,
}

/// Nothing from elsewhere, no scripts, no frames around it.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = "body{font:1rem/1.5 sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}\
label{display:block;margin-top:1rem}input,button{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;margin-top:.25rem}\
button{margin-top:1.5rem;background:#0b5cad;color:#fff;border:0}.alert{border-left:.25rem solid #a4262c;padding:.5rem .75rem}\
small{color:#555}";

/// The address of the page.
pub(crate) fn address(root: &str, names: &TenantNames) -> String {
    format!("{root}{}", path(names))
}

fn path(names: &TenantNames) -> String {
    format!("/{}/sign-in", names.initial_domain)
}

impl Page {
    /// The page at a path; nothing for other paths and other tenants.
    pub(crate) fn find(names: &TenantNames, path: &str) -> Option<Self> {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let tenant = segments.next()?;
        let page = match (segments.next()?, segments.next()) {
            ("sign-in", None) => Self::SignIn,
            ("sign-in", Some("new-password")) => Self::NewPassword,
            _ => return None,
        };
        (segments.next().is_none() && names.is_named(tenant)).then_some(page)
    }

    /// Answers a request for it.
    pub(crate) async fn answer(self, service: &Service, request: &Request, ip: IpAddr) -> Response<Bytes> {
        let view = View { tenant: &service.names.display_name, path: path(&service.names) };
        let field = |name: &str| {
            let mut fields = form_urlencoded::parse(request.body());
            fields.find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        match (self, request.method()) {
            (Self::SignIn, &Method::GET) => html(200, &view.sign_in("", None)),
            (Self::SignIn, &Method::POST) => {
                let attempt = Attempt::new(field("username"), field("password"), ip.to_string(), None);
                let done = run::sign_in(service, &attempt).await;
                html(200, &view.outcome(&done, &attempt.username))
            }
            (Self::NewPassword, &Method::POST) => {
                match run::new_password(service, &field("flow"), &field("password")) {
                    Some(done) => html(200, &view.outcome(&done, "")),
                    None => html(200, &view.sign_in("", Some("That took too long. Sign in again."))),
                }
            }
            _ => html(405, &view.page("Not allowed", "<p>This page cannot be asked for like that.</p>")),
        }
    }
}

fn html(status: u16, text: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::copy_from_slice(text.as_bytes()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// What every page shows of the tenant.
struct View<'a> {
    tenant: &'a str,
    path: String,
}

impl View<'_> {
    fn outcome(&self, done: &Done, username: &str) -> String {
        match &done.outcome {
            Outcome::SignedIn => {
                let home = escaped(&self.path);
                self.page("Signed in", &format!("<p>You are signed in.</p><p><a href=\"{home}\">Sign in again</a></p>"))
            }
            Outcome::WrongPassword(_) => self.sign_in(username, Some("Your account or password is incorrect.")),
            Outcome::Retry(words) => {
                self.sign_in(username, Some(&said(words, "Your account or password is incorrect.")))
            }
            Outcome::UpdatePassword { flow, refused } => self.new_password(flow, *refused),
            Outcome::Blocked(words) => {
                let title = words.title.as_deref().unwrap_or("You cannot sign in");
                let message = words.message.as_deref().unwrap_or("Ask whoever runs this service.");
                self.page(title, &alert(message))
            }
            Outcome::Error(code) => self.error(*code),
        }
    }

    fn sign_in(&self, username: &str, wrong: Option<&str>) -> String {
        let (alert, path, username) = (wrong.map(alert).unwrap_or_default(), escaped(&self.path), escaped(username));
        self.page("Sign in", &format!("{alert}<form method=\"post\" action=\"{path}\">\
            <label for=\"username\">Email address or user name</label>\
            <input id=\"username\" name=\"username\" value=\"{username}\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required>\
            <label for=\"password\">Password</label>\
            <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\
            <button type=\"submit\">Sign in</button></form>"))
    }

    fn new_password(&self, flow: &str, refused: bool) -> String {
        let (path, flow) = (escaped(&self.path), escaped(flow));
        let alert = if refused { alert(WEAK) } else { String::new() };
        self.page("Update your password", &format!("{alert}<p>You need a new password to go on.</p>\
            <form method=\"post\" action=\"{path}/new-password\"><input type=\"hidden\" name=\"flow\" value=\"{flow}\">\
            <label for=\"password\">New password</label>\
            <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"new-password\" aria-describedby=\"rule\" required>\
            <p id=\"rule\"><small>8 to 256 characters, of three of these kinds: lower case, upper case, digits, symbols.</small></p>\
            <button type=\"submit\">Update password</button></form>"))
    }

    fn error(&self, code: Code) -> String {
        let text = format!("Signing in failed ({}: {}). Try again later.", code.number, code.name);
        let path = escaped(&self.path);
        self.page("Something went wrong", &format!("{}<p><a href=\"{path}\">Back to the sign-in</a></p>", alert(&text)))
    }

    fn page(&self, title: &str, body: &str) -> String {
        let (title, tenant) = (escaped(title), escaped(self.tenant));
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title} - {tenant}</title>\
             <style>{STYLE}</style></head><body><main><h1>{title}</h1>{body}</main>\
             <footer><small>{tenant} - an emulated tenant. Use no real passwords.</small></footer></body></html>\n"
        )
    }
}

/// The endpoint's words. Whether the product shows those of `Retry` is unverified.
fn said(words: &Words, otherwise: &str) -> String {
    let said: Vec<&str> = [&words.title, &words.message].into_iter().filter_map(|text| text.as_deref()).collect();
    if said.is_empty() { otherwise.to_owned() } else { said.join(": ") }
}

fn alert(text: &str) -> String {
    format!("<p class=\"alert\" role=\"alert\">{}</p>", escaped(text))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}
