//! Searches: bound as the configured account, paged, each wait bounded.

use std::time::Instant;

use ldap3::{
    Ldap, LdapError, Scope, SearchEntry, SearchOptions,
    adapters::{Adapter, EntriesOnly, PagedResults},
};
use sterna_core::{code::Code, legacy::Outage, port::SourceError, secrecy::ExposeSecret, settings::Secrets};
use tokio::time::timeout;

use super::settings::Config;
use crate::{
    directory::{Entry, Memberships},
    ldap_bind::{bind, open, outage},
};

/// A search under way.
pub(super) type Stream = ldap3::SearchStream<'static, String, Vec<String>>;

/// Connects and binds.
pub(super) async fn connect(config: &Config, secrets: &dyn Secrets) -> Result<Ldap, SourceError> {
    let deadline = Instant::now() + config.timeout;
    let mut ldap = open(&config.line, deadline).await.map_err(unreachable)?;
    let Some(dn) = &config.bind_dn else { return Ok(ldap) };
    let reference = config.bind_password.as_ref().ok_or_else(|| {
        SourceError::new(Code::E1006, "`bind_dn` has no `bind_password`").hint("bind_password = { env = \"NAME\" }")
    })?;
    let password = secrets.reveal(reference).map_err(|finding| {
        let error = SourceError::new(finding.code, finding.message);
        finding.hints.into_iter().next().map_or(SourceError { hint: None, ..error }, |hint| {
            SourceError::new(finding.code, "the password of `bind_dn` cannot be had").hint(hint)
        })
    })?;
    if password.expose_secret().is_empty() {
        return Err(SourceError::new(
            Code::E3010,
            "the password of `bind_dn` is empty, which would be an anonymous bind",
        ));
    }
    let (result, _) = bind(&mut ldap, dn, password.expose_secret(), deadline).await.map_err(unreachable)?;
    match result.rc {
        0 => Ok(ldap),
        code => Err(SourceError::new(Code::E3010, format!("the directory does not accept `bind_dn` (result {code})"))
            .hint(Code::E3010.mend())),
    }
}

/// Begins a paged search.
pub(super) async fn search(
    ldap: &mut Ldap,
    config: &Config,
    base: &str,
    filter: &str,
    attributes: Vec<String>,
) -> Result<Stream, SourceError> {
    let adapters: Vec<Box<dyn Adapter<'static, String, Vec<String>>>> =
        vec![Box::new(EntriesOnly::new()), Box::new(PagedResults::new(config.page_size))];
    let begun = ldap.streaming_search_with(adapters, base, Scope::Subtree, filter, attributes);
    match timeout(config.timeout, begun).await {
        Ok(begun) => begun.map_err(|error| failed(&error)),
        Err(_) => Err(unreachable(Outage::TimedOut)),
    }
}

/// The next entry; `None` at the end, which has to be a good one.
pub(super) async fn next(stream: &mut Stream, config: &Config) -> Result<Option<Entry>, SourceError> {
    let next = timeout(config.timeout, stream.next()).await.map_err(|_| unreachable(Outage::TimedOut))?;
    if let Some(found) = next.map_err(|error| failed(&error))? {
        return Ok(Some(taken(SearchEntry::construct(found))));
    }
    let result = stream.finish().await;
    match result.rc {
        0 => {
            if !result.refs.is_empty() {
                let servers = servers(&result.refs);
                tracing::warn!(%servers, "The directory refers to other servers, which are not asked");
            }
            Ok(None)
        }
        // sizeLimitExceeded, timeLimitExceeded, adminLimitExceeded: what came is a part
        3 | 4 | 11 => Err(SourceError::new(
            Code::E3012,
            format!("the directory ended the search at a limit (result {})", result.rc),
        )
        .hint(Code::E3012.mend())),
        50 => {
            Err(SourceError::new(Code::E3010, "the account may not search here (result 50)").hint(Code::E3010.mend()))
        }
        32 => Err(SourceError::new(Code::E3011, "there is nothing under `base` (result 32)")
            .hint("check `base` and the account's rights")),
        10 => Err(SourceError::new(Code::E3011, "the directory refers to another server (result 10)")
            .hint("name that server in `url`")),
        code => Err(SourceError::new(Code::E3011, format!("the directory ended the search with result {code}"))),
    }
}

/// The groups and their members.
pub(super) async fn groups(ldap: &mut Ldap, config: &Config, most: usize) -> Result<Memberships, SourceError> {
    let mut groups = Memberships::new(most);
    if most > 0 {
        let wanted = ["cn", "member", "uniqueMember", "memberUid"].map(str::to_owned).to_vec();
        let mut stream = search(ldap, config, &config.group_base, &config.group_filter, wanted).await?;
        while let Some(mut entry) = next(&mut stream, config).await? {
            whole_members(ldap, config, &mut entry).await?;
            groups.add_group(&entry).map_err(|_| {
                SourceError::new(Code::E3011, format!("the groups have more than {most} members"))
                    .hint("raise `max_memberships`, or set it to 0 to read no groups but `memberOf`")
            })?;
        }
    }
    groups.finish();
    Ok(groups)
}

/// Active Directory gives long lists of members in pieces: `member;range=0-1499`.
async fn whole_members(ldap: &mut Ldap, config: &Config, entry: &mut Entry) -> Result<(), SourceError> {
    let Some(mut from) = take_range(entry) else { return Ok(()) };
    // as many pieces as any directory needs
    for _ in 0..100_000 {
        let wanted = vec![format!("member;range={from}-*")];
        let found = timeout(config.timeout, ldap.search(&entry.dn, Scope::Base, "(objectClass=*)", wanted)).await;
        let ldap3::SearchResult(found, result) =
            found.map_err(|_| unreachable(Outage::TimedOut))?.map_err(|error| failed(&error))?;
        let found = found.into_iter().find(|entry| !entry.is_ref() && !entry.is_intermediate());
        // a list that breaks off must not pass for a whole one
        let (0, Some(piece)) = (result.rc, found) else {
            return Err(incomplete(result.rc));
        };
        let mut piece = taken(SearchEntry::construct(piece));
        let next = take_range(&mut piece);
        for value in piece.values("member") {
            entry.add("member", value.to_vec());
        }
        match next {
            Some(next) if next > from => from = next,
            Some(_) => return Err(incomplete(0)),
            None => return Ok(()),
        }
    }
    Err(incomplete(0))
}

/// A group whose members came only in part: who is left out would lose it.
fn incomplete(code: u32) -> SourceError {
    let text = format!("the directory does not give all members of a group (result {code})");
    SourceError::new(if matches!(code, 3 | 4 | 11) { Code::E3012 } else { Code::E3011 }, text).hint(Code::E3012.mend())
}

/// Renames `member;range=A-B` to `member` and tells where the next piece begins; `None` after the last one.
fn take_range(entry: &mut Entry) -> Option<u64> {
    let at = entry.attributes.iter().position(|known| known.name.to_ascii_lowercase().starts_with("member;range="))?;
    let piece = entry.attributes.remove(at);
    let last = piece.name.rsplit_once('-').and_then(|(_, last)| last.parse::<u64>().ok());
    for value in piece.values {
        entry.add("member", value.to_vec());
    }
    last.map(|last| last + 1)
}

/// A few entries, to see what the account may see.
///
/// Beside them, the other servers that the directory refers to, in words; empty when it does not.
pub(super) async fn sample(ldap: &mut Ldap, config: &Config) -> Result<(Vec<Entry>, String), SourceError> {
    ldap.with_search_options(SearchOptions::new().sizelimit(20));
    let search = ldap.search(&config.base, Scope::Subtree, &config.filter, config.attributes.clone());
    let found = timeout(config.timeout, search).await.map_err(|_| unreachable(Outage::TimedOut))?;
    let ldap3::SearchResult(found, result) = found.map_err(|error| failed(&error))?;
    if !matches!(result.rc, 0 | 3 | 4 | 11) {
        let text = format!("the directory ended the search with result {}", result.rc);
        return Err(SourceError::new(Code::E3011, text).hint("check `base`, `filter` and the account's rights"));
    }
    let entries = found.into_iter().filter(|entry| !entry.is_ref() && !entry.is_intermediate());
    Ok((entries.map(|entry| taken(SearchEntry::construct(entry))).collect(), servers(&result.refs)))
}

/// The hosts of referrals, each once; the rest of such an address may name people.
fn servers(references: &[String]) -> String {
    let host = |text: &String| url::Url::parse(text).ok()?.host_str().map(str::to_owned);
    let hosts: std::collections::BTreeSet<String> = references.iter().filter_map(host).collect();
    let all: Vec<String> = hosts.into_iter().collect();
    if all.is_empty() && !references.is_empty() {
        return "servers that it does not name".to_owned();
    }
    all.join(", ")
}

fn taken(found: SearchEntry) -> Entry {
    let mut entry = Entry { dn: found.dn, ..Entry::default() };
    for (name, values) in found.attrs {
        for value in values {
            entry.add(&name, value.into_bytes());
        }
    }
    for (name, values) in found.bin_attrs {
        for value in values {
            entry.add(&name, value);
        }
    }
    entry
}

fn failed(error: &LdapError) -> SourceError {
    match error {
        LdapError::LdapResult { result } if matches!(result.rc, 3 | 4 | 11) => {
            SourceError::new(Code::E3012, format!("the directory ended the search at a limit (result {})", result.rc))
                .hint(Code::E3012.mend())
        }
        _ => unreachable(outage(error)),
    }
}

fn unreachable(outage: Outage) -> SourceError {
    SourceError::new(Code::E3009, format!("the directory cannot be read: {}", outage.words())).hint(Code::E3009.mend())
}
