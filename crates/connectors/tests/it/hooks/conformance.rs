//! The contract of a hook as tests: every kind in the registry runs the same ones.

use sterna_connectors::registry::HOOKS;
use sterna_core::{
    hook::{Decision, Found, HookDialect, HookKind, Next, Wait},
    support::Asks,
};

use super::{BEARER, PASSWORD, ana, answered, found, kind, post, said, told, try_open};

/// Kinds whose product signs its calls: they need no further proof of the caller.
const SIGNED_BY_PRODUCT: &[&str] = &["entra-"];

/// Kinds whose answer to a wrong password is all they can say, and why an outage is told otherwise or not at all.
const CANNOT_TELL_OUTAGE: &[&str] = &[];

/// Kinds by which nothing is checked.
const CHECK_NOTHING: &[&str] = &["legacy-sign-in"];

/// Kinds that answer by other methods than [`HookDialect::answer`], or with settings of their own.
fn is_plain(kind: &dyn HookKind) -> bool {
    let has_callers = kind.settings().iter().any(|setting| setting.name == "bearer_token");
    has_callers && !kind.kind().starts_with("wso2-")
}

fn plain() -> impl Iterator<Item = (&'static dyn HookKind, std::sync::Arc<dyn HookDialect>)> {
    let plain = HOOKS.iter().copied().filter(|kind| is_plain(*kind));
    plain.map(|kind| {
        let dialect = try_open(kind, BEARER).unwrap_or_else(|findings| panic!("{}: {findings:?}", kind.kind()));
        (kind, dialect)
    })
}

#[test]
fn kinds_are_sorted_and_say_what_they_are() {
    let names: Vec<_> = HOOKS.iter().map(|kind| kind.kind()).collect();
    assert!(names.is_sorted(), "{names:?}");
    for kind in HOOKS {
        assert!(!kind.title().is_empty() && !kind.sample().is_empty());
        assert!(kind.sample().ends_with('\n'), "{}", kind.kind());
    }
}

#[test]
fn a_dialect_that_writes_passwords_says_so_in_the_support_matrix() {
    for (kind, dialect) in plain() {
        let support = kind.support().unwrap();
        assert!(support.does.contains(&Asks::Writes) || !dialect.writes_credential(), "{}", kind.kind());
        assert_eq!(support.does.contains(&Asks::Harvests), CHECK_NOTHING.contains(&kind.kind()), "{}", kind.kind());
    }
}

#[test]
fn no_kind_opens_without_a_proof_of_its_callers_unless_its_product_signs() {
    for kind in HOOKS {
        if SIGNED_BY_PRODUCT.iter().any(|prefix| kind.kind().starts_with(prefix)) {
            continue;
        }
        let is_asked_for = kind.settings().iter().any(|setting| setting.name == "bearer_token");
        assert!(is_asked_for, "{} has no settings for a proof", kind.kind());
        assert!(try_open(*kind, "").is_err(), "{} opens to everybody", kind.kind());
    }
}

#[test]
fn strangers_learn_nothing_and_nobody_is_redirected() {
    for (kind, dialect) in plain() {
        for path in ["", "/", "/x", "/login", "/get-user", "/2015-03-31/functions/mig/invocations", "/%00"] {
            for method in ["GET", "POST", "HEAD", "PUT", "OPTIONS"] {
                for body in ["", "{}", r#"{"identifier":"a","password":"b"}"#] {
                    let known = post(body).method(method).path(path);
                    let stranger = known.clone().header("authorization", &[]);
                    let (name, case) = (kind.kind(), format!("{method} {path} {body}"));
                    assert_eq!(stranger.told(&*dialect), "refuse unauthenticated 401", "{name} {case}");
                    if let Next::Answer(answer) | Next::Refuse(_, answer) = known.next(&*dialect) {
                        assert!((400..500).contains(&answer.status), "{name} {case}: {}", said(&answer));
                        assert!(answer.body.is_empty(), "{name} {case}: {}", said(&answer));
                    }
                }
            }
        }
    }
}

#[test]
fn every_decision_is_answered_an_outage_is_no_wrong_password_and_nothing_redirects() {
    for (kind, dialect) in plain().filter(|(kind, _)| !CHECK_NOTHING.contains(&kind.kind())) {
        let name = kind.kind();
        let answers = Decision::ALL.map(|decision| (decision, answered(&*dialect, decision, &ana(), "")));
        let wrong = &answers.iter().find(|(decision, _)| *decision == Decision::Wrong).unwrap().1;
        for (decision, line) in &answers {
            let status: u16 = line[..3].parse().unwrap();
            assert!((200..600).contains(&status) && !(300..400).contains(&status), "{name} {decision:?}: {line}");
            if let Decision::TryLater(_) = decision {
                let same = line == wrong;
                assert_eq!(same, CANNOT_TELL_OUTAGE.contains(&name), "{name} {decision:?}: {line}");
                assert_ne!(line, &answers[0].1, "{name}: an outage is no yes");
            }
            if *decision == Decision::Accept {
                assert!(dialect.hands_over(*decision) && status == 200, "{name}: {line}");
            }
            assert!(decision.is_yes() || !dialect.hands_over(*decision), "{name} {decision:?}");
            if !decision.is_yes() {
                assert_ne!(line, &answers[0].1, "{name} {decision:?} is no yes");
                assert!(
                    !line.contains("ana") && !line.contains("4711"),
                    "{name} {decision:?} tells of the person: {line}"
                );
            }
            assert!(!line.contains(PASSWORD.trim()));
        }
        let later = answered(&*dialect, Decision::TryLater(Wait::Overloaded), &ana(), "");
        assert_eq!(said(&dialect.overloaded()), later, "{name}");
    }
}

#[test]
fn a_yes_without_a_person_is_never_a_profile_of_nobody() {
    for (kind, dialect) in plain().filter(|(kind, _)| !CHECK_NOTHING.contains(&kind.kind())) {
        let reply = sterna_core::hook::Reply { decision: Decision::Accept, echo: "", person: None };
        let line = said(&dialect.answer(&reply));
        assert!(line.starts_with("200 ") || line == said(&dialect.overloaded()), "{}: {line}", kind.kind());
        assert!(!line.contains("null") || kind.kind().starts_with("b2c"), "{}: {line}", kind.kind());
    }
}

#[test]
fn look_ups_say_later_otherwise_than_nobody() {
    for (kind, dialect) in plain() {
        let nobody = said(&dialect.looked_up(&Found::NotThere, ""));
        let later = said(&dialect.looked_up(&Found::TryLater, ""));
        let there = found(&*dialect, &ana(), "");
        if nobody != "404" || later != "404" {
            assert_ne!(nobody, later, "{}", kind.kind());
            assert_ne!(there, later, "{}", kind.kind());
        }
    }
}

#[test]
fn a_repeat_of_a_call_is_read_as_the_first_was() {
    let dialect = try_open(kind("okta-password-import"), BEARER).unwrap_or_else(|findings| panic!("{findings:?}"));
    let ask = post(super::okta::sample().to_string());
    assert_eq!(told(&ask.next(&*dialect)), told(&ask.next(&*dialect)));
}

#[test]
fn what_is_shown_to_users_opens_and_pages_name_every_setting() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/hooks");
    let index = std::fs::read_to_string(format!("{docs}/README.md")).unwrap();
    let shared: Vec<_> = kind("okta-password-import").settings().iter().map(|setting| setting.name).collect();
    for (kind, _) in plain() {
        let name = kind.kind();
        let opens = |settings: &str, place: &str| {
            // secrets of these tests are called what they are, and they are not long
            let settings = settings.replace("env = \"", "env = \"a_long_enough_");
            assert!(try_open(kind, &settings).is_ok(), "{name}: {place}: {:?}", try_open(kind, &settings).err());
        };
        opens(kind.sample(), "sample");
        let page = std::fs::read_to_string(format!("{docs}/{name}.md")).unwrap();
        let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let (head, settings) = example.split_once(&format!("connector = \"{name}\"\n")).unwrap();
        assert!(head.starts_with("[hooks."), "{name}");
        opens(settings, "page");
        opens(&settings.replace("\n# ", "\n"), "page, with what is left out there");
        let own = kind.settings().iter().map(|setting| setting.name).filter(|name| !shared.contains(name));
        for setting in own {
            assert!(page.contains(&format!("`{setting}`")), "{name}: the page does not name `{setting}`");
        }
        assert!(
            index.contains(&format!("({name}.md)")) && index.matches(&format!("| `{name}` |")).count() >= 1,
            "{name}"
        );
    }
}
