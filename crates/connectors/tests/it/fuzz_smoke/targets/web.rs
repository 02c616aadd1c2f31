//! Answers of services that checks ask over HTTP, and passwords on their way there.

use std::borrow::Cow;

use sterna_connectors::{
    http_check::{
        rules::{Answer, Rule, verdict as by_rules},
        template::{Escapes, Template},
    },
    oauth::answer::{Form, Reading, verdict},
};
use sterna_core::{
    legacy::{Outage, Verdict},
    settings::Values,
};

/// Numbers of Azure that say that a password is wrong; no other may be a mismatch.
const WRONG: &[u64] = &[50_126, 50_056, 50_064, 90_225, 90_054, 90_052];

/// Whether an error of Azure has one of these numbers, in its list or where its description begins.
fn says_wrong(error: &serde_json::Value) -> bool {
    let listed = error.get("error_codes").and_then(|codes| codes.as_array()).into_iter().flatten();
    let described = error.get("error_description").and_then(|text| text.as_str()).unwrap_or_default().trim_start();
    let described = described.strip_prefix("AADSTS").or_else(|| described.strip_prefix("AADB2C")).unwrap_or_default();
    let digits = described.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    let mut numbers = listed.filter_map(serde_json::Value::as_u64).chain(digits.parse());
    numbers.any(|number| WRONG.contains(&number))
}

/// A status for a byte: mostly those that mean something somewhere.
fn status(byte: u8) -> u16 {
    const STATUSES: &[u16] = &[200, 400, 401, 403, 500, 502, 503, 504, 429, 302, 404, 201, 204, 423];
    STATUSES.get(usize::from(byte)).copied().unwrap_or(100 + 2 * u16::from(byte))
}

/// Only a 200 with a token is a match; no status but those of refusals is a mismatch, nor is a number of Azure that is
/// not known. The first byte is the form, the second the status.
pub(super) fn oauth(data: &[u8]) {
    let [form, code, body @ ..] = data else { return };
    let form = match form % 4 {
        0 => Form::Oidc,
        1 => Form::AzureDirectory,
        2 => Form::AzureDirectoryV1,
        _ => Form::B2cPolicy,
    };
    let (status, text) = (status(*code), String::from_utf8_lossy(body));
    let reading = Reading { form, second_factor_counts: false, errors: Vec::new() };
    let answer = verdict(&reading, status, body);
    match answer {
        Verdict::Match { .. } => {
            assert_eq!(status, 200);
            // members that nobody reads may hold what is no text or number
            let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) else {
                return assert!(text.contains("_token") || text.contains('\\'), "{text}");
            };
            let token =
                |name: &str| json.get(name).and_then(|token| token.as_str()).is_some_and(|text| !text.is_empty());
            assert!(token("access_token") || token("id_token"), "{text}");
        }
        Verdict::Unavailable(_) => {}
        _ => assert!(matches!(status, 400 | 401 | 403), "{status} {answer:?}"),
    }
    if answer == Verdict::Mismatch
        && form.is_azure()
        && let Ok(error) = serde_json::from_str(&text)
    {
        assert!(says_wrong(&error), "{text}");
    }
}

/// Rules that would take much for a mismatch and a match; no page of a proxy is either. The first byte is the status,
/// the second the length of a header's value.
pub(super) fn rules(data: &[u8]) {
    let [code, length, rest @ ..] = data else { return };
    let (header, body) = rest.split_at(usize::from(*length).min(rest.len()));
    let header = String::from_utf8_lossy(header);
    let rule = |pairs: &[(&str, &str)]| {
        let values = pairs.iter().fold(Values::default(), |values, (name, text)| values.with(name, (*text).into()));
        Rule::new(&values)
    };
    let rules = [
        rule(&[("json", "/ok"), ("equals", "true"), ("verdict", "match")]),
        rule(&[("header", "x-state"), ("header_equals", "locked"), ("verdict", "locked")]),
        rule(&[("status", "503"), ("contains", "off"), ("verdict", "disabled")]),
        rule(&[("contains", "wrong"), ("verdict", "mismatch")]),
    ];
    let Ok(rules) = rules.into_iter().collect::<Result<Vec<_>, _>>() else { panic!("the rules read") };
    let status = status(*code);
    let header = |name: &str| (name == "x-state").then(|| header.clone().into_owned());
    let answer = Answer { status, header: &header, body };
    match by_rules(&rules, &answer) {
        Verdict::Match { .. } | Verdict::Mismatch | Verdict::Locked => {
            assert!(matches!(status, 200..=299 | 400..=499) && status != 429, "{status}");
        }
        Verdict::Disabled => assert_eq!(status, 503),
        Verdict::Unavailable(outage) => assert_eq!(outage == Outage::Overloaded, status == 429),
        other => panic!("no rule says {other:?}"),
    }
    match by_rules(&[], &answer) {
        Verdict::Match { .. } => assert!(matches!(status, 200..=299)),
        Verdict::Mismatch => assert_eq!(status, 401),
        Verdict::Unknown => assert_eq!(status, 404),
        Verdict::Locked => assert_eq!(status, 423),
        _ => {}
    }
}

/// A name and a password, with a line between them, change nothing of the text that they are put into: JSON has the same members
/// with these values, a form the same fields, and XML the same tags. The rest, after a second line, is a template of its own.
pub(super) fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (login, rest) = text.split_once('\n').unwrap_or((text, text));
    let (password, own) = rest.split_once('\u{1e}').unwrap_or((rest, rest));
    let fill = |template: &Template| {
        let value = |name: &str| Some(Cow::from(if name == "password" { password } else { login }));
        template.fill(value).unwrap_or_default()
    };
    let filled = |text: &str| match Template::parse(text, Escapes::Demanded) {
        Ok(template) => fill(&template),
        Err(message) => panic!("{message}"),
    };
    let json = filled(r#"{"u":"{login|json}","p":["{password|json}"],"z":1}"#);
    let read: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
    assert_eq!(read, serde_json::json!({"u": login, "p": [password], "z": 1}));
    let form = filled("u={login|url}&p={password|url}&z=1");
    assert_eq!((form.matches('&').count(), form.matches('=').count()), (2, 3), "{}", form.as_str());
    assert!(form.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%&=".contains(&byte)));
    let xml = filled("<x u='{login|xml}'>{password|xml}</x>");
    assert_eq!(xml.matches(['<', '>', '\'', '"']).count(), 6, "{}", xml.as_str());
    assert!(xml.chars().all(|c| c >= ' '));
    // a template of any text has either an error or a filling
    if let Ok(template) = Template::parse(own, Escapes::Demanded) {
        assert!(!own.contains("{password}") && !own.contains("{login}"));
        let _ = fill(&template);
    }
}
