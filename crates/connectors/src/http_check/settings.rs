//! The settings of the check as data.

use sterna_core::settings::{Kind, Need, Setting};

use crate::checks::web::VERDICTS;

macro_rules! setting {
    ($name:literal, $kind:expr, $need:expr, $doc:literal) => {
        Setting { name: $name, kind: $kind, need: $need, doc: $doc }
    };
}

/// The settings of one rule.
pub(super) const RULE: &[Setting] = &[
    setting!(
        "status",
        Kind::Text,
        Need::Optional,
        "A status, or a class of them: \"200\", \"2xx\". Without it any of 2xx and 4xx but 429."
    ),
    setting!("json", Kind::Text, Need::Optional, "A place in the JSON answer, as a JSON pointer: \"/result/ok\"."),
    setting!("equals", Kind::Text, Need::Optional, "The text, number or flag that stands at `json`."),
    setting!("present", Kind::Flag, Need::Optional, "Whether anything but null stands at `json`."),
    setting!("contains", Kind::Text, Need::Optional, "A text that the body has somewhere."),
    setting!("header", Kind::Text, Need::Optional, "A header that the answer has."),
    setting!("header_equals", Kind::Text, Need::Optional, "That header's value."),
    setting!("verdict", Kind::Choice(VERDICTS), Need::Required, "What the answer means then."),
];

/// The settings.
pub(super) const SETTINGS: &[Setting] = &[
    setting!(
        "url",
        Kind::Url,
        Need::Required,
        "Where to ask. Path and query may hold placeholders such as {login}; never {password}."
    ),
    setting!("method", Kind::Choice(&["POST", "PUT", "GET"]), Need::Default("\"POST\""), "The HTTP method."),
    setting!("headers", Kind::TextTable, Need::Optional, "Headers, with placeholders; never {password}."),
    setting!(
        "secret_headers",
        Kind::Secrets,
        Need::Optional,
        "Headers whose values are secrets, by reference: our own key at the service."
    ),
    setting!("basic_user", Kind::Text, Need::Optional, "Our own user at the service, for basic authentication."),
    setting!("basic_password", Kind::Secret, Need::Optional, "That user's password, by reference."),
    setting!("body", Kind::Choice(&["json", "form", "text", "none"]), Need::Default("\"json\""), "What is sent."),
    setting!(
        "fields",
        Kind::TextTable,
        Need::Optional,
        "For json and form: name = template with {login}, {password}, {key}, {attributes.NAME}. Dots in JSON names nest."
    ),
    setting!(
        "template",
        Kind::Text,
        Need::Optional,
        "For text: the body. Each placeholder says how it is escaped: {password|xml}, {password|json}, {password|url}."
    ),
    setting!(
        "content_type",
        Kind::Text,
        Need::Optional,
        "For text: the type of the body. Without it text/xml; charset=utf-8."
    ),
    setting!(
        "rules",
        Kind::Tables(RULE),
        Need::Optional,
        "What answers mean; the first rule that fits decides. Without rules: 2xx match, 401 mismatch, 423 locked; with secrets of our own there must be rules."
    ),
    setting!(
        "login",
        Kind::Text,
        Need::Optional,
        "The account's attribute that {login} stands for; without it the sign-in name."
    ),
    setting!("ca_file", Kind::Path, Need::Optional, "The only certificate authorities to trust, a PEM file."),
    setting!("client_certificate", Kind::Path, Need::Optional, "Our certificate for TLS, a PEM file."),
    setting!("client_key", Kind::Secret, Need::Optional, "Its private key in PEM, by reference."),
];
