//! `[serve]` and `[hooks.NAME]`: the service that the target asks at a sign-in.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use sterna_core::{
    code::Code,
    hook::HookKind,
    settings::{Kind, Need, Setting, Values},
};
use sterna_serve::{Config, Confirm, HookSpec, SweepRules, TlsFiles, guard};
use toml::de::DeTable;

use super::load::{Reading, adopt, connector, member};
use crate::connectors;

macro_rules! setting {
    ($name:literal, $kind:expr, $need:expr, $doc:literal) => {
        Setting { name: $name, kind: $kind, need: $need, doc: $doc }
    };
}

/// `[serve]`.
pub(crate) const SERVE: &[Setting] = &[
    setting!("listen", Kind::Text, Need::Default("\"127.0.0.1:8443\""), "Where hooks are answered, under /hooks/NAME."),
    setting!(
        "metrics_listen",
        Kind::Text,
        Need::Default("\"127.0.0.1:9464\""),
        "Where /metrics, /healthz and /readyz are told; \"off\" for nowhere."
    ),
    setting!(
        "tls_certificate",
        Kind::Path,
        Need::Optional,
        "The certificate chain, a PEM file; read again when it changes. Plain HTTP without, which only a proxy on the same machine should be given."
    ),
    setting!("tls_key", Kind::Path, Need::Optional, "Its private key, a PEM file."),
    setting!(
        "trusted_proxies",
        Kind::Texts,
        Need::Optional,
        "Addresses or networks of proxies whose X-Forwarded-For is believed."
    ),
    setting!("connections", Kind::Integer(1, 100_000), Need::Default("1024"), "Connections open at once."),
    setting!(
        "places",
        Kind::Integer(1, 100_000),
        Need::Default("256"),
        "Attempts under way at once; a quarter is kept for addresses from which somebody has signed in before."
    ),
    setting!(
        "confirm_with_target",
        Kind::Choice(&["always", "when-reachable", "by-sweep"]),
        Need::Default("\"always\""),
        "Whether the target is asked, right before a yes, that the password there is still the one the account was made with: whoever has reset a leaked password must not find it restored."
    ),
    setting!(
        "judge_password_change",
        Kind::Flag,
        Need::Default("true"),
        "Whether a password that changed at the target after the account was made counts as changed by its owner."
    ),
    setting!(
        "password_slack_secs",
        Kind::Integer(1, 3_600),
        Need::Default("120"),
        "How long after the account was made a change of its password still counts as ours."
    ),
    setting!(
        "sweep_secs",
        Kind::Integer(1, 86_400),
        Need::Default("30"),
        "From one reading back of answered accounts to the next."
    ),
    setting!(
        "sweep_all_secs",
        Kind::Integer(60, 604_800),
        Need::Default("3600"),
        "From one reading back of all that wait to the next."
    ),
    setting!(
        "sweep_per_second",
        Kind::Number(0.0, 10_000.0),
        Need::Default("20"),
        "Accounts a second that are read back; 0 turns it off."
    ),
    setting!(
        "keep_attempts_days",
        Kind::Integer(1, 3_650),
        Need::Default("90"),
        "How long single attempts are kept in the ledger."
    ),
    setting!(
        "otlp_endpoint",
        Kind::Url,
        Need::Optional,
        "Where OpenTelemetry traces are sent (OTLP over HTTP); nowhere without."
    ),
    setting!("limits", Kind::Table(LIMITS), Need::Optional, "Limits on wrong passwords."),
];

/// `[serve.limits]`. The bounds are floors that no setting passes.
pub(crate) const LIMITS: &[Setting] = &[
    setting!(
        "account",
        Kind::Integer(1, 100),
        Need::Default("10"),
        "Wrong passwords for one account within the window; keep it below what the old system locks at."
    ),
    setting!(
        "account_wait_secs",
        Kind::Integer(10, 3_600),
        Need::Default("60"),
        "The first wait of an account then; doubles with each wrong password."
    ),
    setting!("longest_wait_secs", Kind::Integer(60, 86_400), Need::Default("1800"), "The longest wait of an account."),
    setting!(
        "address",
        Kind::Integer(1, 1_000),
        Need::Default("30"),
        "Wrong passwords from one address (IPv6: /64) within the window."
    ),
    setting!(
        "range",
        Kind::Integer(1, 10_000),
        Need::Default("300"),
        "Wrong passwords from one range (IPv4 /24, IPv6 /48) within the window."
    ),
    setting!(
        "tenant",
        Kind::Integer(1, 100_000),
        Need::Default("2000"),
        "Wrong passwords in one tenant within the window, after which strangers are turned away."
    ),
    setting!("service", Kind::Integer(1, 1_000_000), Need::Default("5000"), "The same for the whole service."),
    setting!(
        "fresh_per_minute",
        Kind::Integer(0, 10_000),
        Need::Default("60"),
        "Attempts a minute from addresses never seen before that are let through even then."
    ),
    setting!("window_secs", Kind::Integer(300, 86_400), Need::Default("900"), "The window."),
];

/// What every hook has besides its connector's settings.
pub(crate) const HOOK: &[Setting] = &[
    setting!("connector", Kind::Text, Need::Required, "The kind of hook; docs/configuration.md lists them."),
    setting!(
        "deadline_ms",
        Kind::Integer(100, 1_500),
        Need::Optional,
        "From the arrival of a call to its answer: the caller's own limit less the network and 100 ms. Without it the hook's own, 800 where it says nothing else."
    ),
    setting!(
        "shared_addresses",
        Kind::Texts,
        Need::Optional,
        "Addresses or networks that are many people's, as the caller reports them (gateways, back ends): not limited as one person's."
    ),
];

/// What `[serve]` says, checked.
pub(crate) struct ServeConfig {
    values: Values,
    hooks: Vec<HookConfig>,
}

/// One `[hooks.NAME]`, checked.
struct HookConfig {
    name: String,
    kind: &'static dyn HookKind,
    values: Values,
    common: Values,
}

/// Reads both tables.
pub(super) fn read(reading: &mut Reading<'_>, root: &DeTable<'_>) -> ServeConfig {
    let values = reading.plain(root, "serve", SERVE);
    let span = member(root, "serve").map_or(0..0, toml::Spanned::span);
    for name in ["listen", "metrics_listen"] {
        let text = values.text(name).unwrap_or_default();
        if text != "off" && !text.is_empty() && text.parse::<SocketAddr>().is_err() {
            let message = format!("[serve] {name}: `{text}` is no address with a port");
            reading.mistake(Code::E1005, message, span.clone()).hints.push("for example 127.0.0.1:8443".to_owned());
        }
    }
    if values.text("tls_certificate").is_some() != values.text("tls_key").is_some() {
        let message = "[serve] `tls_certificate` and `tls_key` belong together".to_owned();
        reading.mistake(Code::E1005, message, span.clone());
    }
    networks(reading, &values, "trusted_proxies", "[serve]", &span);
    let mut hooks = Vec::new();
    for (key, item) in reading.named(root, "hooks") {
        let at = format!("[hooks.{}]", key.get_ref());
        if !key.get_ref().chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            reading.mistake(Code::E1005, format!("{at}: a name has letters, digits, - and _ only"), key.span());
        }
        let Some((kind, values, common)) =
            connector(reading, item, &at, &connectors::hooks(), HOOK, HookKind::settings)
        else {
            continue;
        };
        if let Err(findings) = kind.needs(&values) {
            adopt(reading, findings, key.span());
        }
        networks(reading, &common, "shared_addresses", &at, &key.span());
        hooks.push(HookConfig { name: key.get_ref().to_string(), kind, values, common });
    }
    ServeConfig { values, hooks }
}

fn networks(reading: &mut Reading<'_>, values: &Values, name: &str, at: &str, span: &std::ops::Range<usize>) {
    for text in values.texts(name) {
        if network(&text).is_none() {
            let message = format!("{at} {name}: `{text}` is no address or network");
            let finding = reading.mistake(Code::E1005, message, span.clone());
            finding.hints.push("for example 192.0.2.7 or 10.0.0.0/8".to_owned());
        }
    }
}

fn network(text: &str) -> Option<ipnet::IpNet> {
    text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(ipnet::IpNet::from))
}

impl ServeConfig {
    /// Whether anything is served.
    pub(crate) fn has_hooks(&self) -> bool {
        !self.hooks.is_empty()
    }

    /// The hooks' names and kinds.
    pub(crate) fn hooks(&self) -> impl Iterator<Item = (&str, &'static dyn HookKind, &Values)> {
        self.hooks.iter().map(|hook| (hook.name.as_str(), hook.kind, &hook.values))
    }

    /// Whether hooks are answered over TLS.
    pub(crate) fn is_tls(&self) -> bool {
        self.values.text("tls_certificate").is_some()
    }

    /// Where traces go.
    pub(crate) fn otlp_endpoint(&self) -> Option<&str> {
        self.values.text("otlp_endpoint")
    }

    /// What the service runs on. `listen` goes before the file's.
    pub(crate) fn config(
        &self,
        folder: &std::path::Path,
        listen: Option<SocketAddr>,
        metrics: Option<SocketAddr>,
    ) -> Option<Config> {
        let values = &self.values;
        let secs = |name: &str| values.count(name).map(Duration::from_secs);
        let count = |name: &str| values.count(name).and_then(|count| usize::try_from(count).ok());
        let address = |name: &str| values.text(name).and_then(|text| text.parse().ok());
        let path = |name: &str| values.text(name).map(|path| folder.join(path));
        let hooks = self.hooks.iter().map(|hook| HookSpec {
            name: Arc::from(hook.name.as_str()),
            kind: hook.kind,
            values: hook.values.clone(),
            deadline: hook.common.count("deadline_ms").map(Duration::from_millis),
            shared_addresses: hook.common.texts("shared_addresses").iter().filter_map(|text| network(text)).collect(),
        });
        Some(Config {
            listen: listen.or_else(|| address("listen"))?,
            metrics_listen: metrics.or_else(|| address("metrics_listen")),
            tls: path("tls_certificate").zip(path("tls_key")).map(|(certificate, key)| TlsFiles { certificate, key }),
            trusted_proxies: values.texts("trusted_proxies").iter().filter_map(|text| network(text)).collect(),
            connections: count("connections")?,
            places: count("places")?,
            limits: limits(&values.table("limits").unwrap_or_default()),
            confirm: match values.text("confirm_with_target")? {
                "when-reachable" => Confirm::WhenReachable,
                "by-sweep" => Confirm::BySweep,
                _ => Confirm::Always,
            },
            sweep: SweepRules {
                every: secs("sweep_secs")?,
                all_every: secs("sweep_all_secs")?,
                per_second: values.number("sweep_per_second")?,
                password_slack: secs("password_slack_secs")?,
                judge_password_change: values.flag("judge_password_change")?,
            },
            keep_attempts: Duration::from_hours(24 * values.count("keep_attempts_days")?),
            hooks: hooks.collect(),
        })
    }
}

/// The limits; what the table leaves out has its default.
fn limits(values: &Values) -> guard::Limits {
    let usual = guard::Limits::default();
    let number =
        |name: &str, usual: u32| values.count(name).and_then(|count| u32::try_from(count).ok()).unwrap_or(usual);
    let secs = |name: &str, usual: Duration| values.count(name).map_or(usual, Duration::from_secs);
    guard::Limits {
        account: number("account", usual.account),
        account_wait: secs("account_wait_secs", usual.account_wait),
        longest_wait: secs("longest_wait_secs", usual.longest_wait),
        address: number("address", usual.address),
        range: number("range", usual.range),
        tenant: number("tenant", usual.tenant),
        service: number("service", usual.service),
        fresh_per_minute: number("fresh_per_minute", usual.fresh_per_minute),
        window: secs("window_secs", usual.window),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_documentation_says_of_limits_is_what_holds() {
        assert_eq!(limits(&Values::default()), guard::Limits::default());
        let usual = guard::Limits::default();
        let documented = |name: &str| match LIMITS.iter().find(|setting| setting.name == name).unwrap().need {
            Need::Default(text) => text.parse::<u64>().unwrap(),
            Need::Required | Need::Optional => panic!("{name} has a default"),
        };
        assert_eq!(documented("account"), u64::from(usual.account));
        assert_eq!(documented("account_wait_secs"), usual.account_wait.as_secs());
        assert_eq!(documented("longest_wait_secs"), usual.longest_wait.as_secs());
        assert_eq!(documented("address"), u64::from(usual.address));
        assert_eq!(documented("range"), u64::from(usual.range));
        assert_eq!(documented("tenant"), u64::from(usual.tenant));
        assert_eq!(documented("service"), u64::from(usual.service));
        assert_eq!(documented("fresh_per_minute"), u64::from(usual.fresh_per_minute));
        assert_eq!(documented("window_secs"), usual.window.as_secs());
    }
}
