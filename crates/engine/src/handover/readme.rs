//! `README.txt`: what the receiver does with the package, in words, with its own figures.

use std::fmt::Write;

use super::{HashGroup, Manifest, Secrets};

/// What every receiver has to know.
const INTRODUCTION: &str = "\
This package holds the accounts that are to be loaded. It is personal data: keep it encrypted, load it, delete it.

What is in it
  manifest.json       counts, who is left out and why, mapping, losses, formats of hashes, SHA-256 of every file
  users-NNNNN.jsonl   one account a line (JSON), at most 10,000 a file
  groups.jsonl        names of groups with how many of these accounts are in each, where there are groups

A line
  user                a SCIM 2.0 user (RFC 7643), as it can be sent to POST /Users
  user.externalId     the account's key. KEEP IT with the account: by it the sender finds what was loaded
  sign_in_names       everything local that the person signs in with; userName is the first of them
  associations        sign-ins at other providers: idp is the name of the connection, federatedUserId the subject there.
                      Both are to be taken over as they are
  credential          what is known of the password: kind none, held-by-legacy, password or hash
  groups              the names of the person's groups
  verified            addresses and numbers that the old system has verified
  must_change_password, consents, times, attributes, source: what the old system knew besides

Load it
  1. Check the files: sha256sum -c with the list that came another way, or with the manifest.
  2. Make the accounts with userName, externalId and the profile; then groups, then associations.
     As a SCIM bulk request: jq -c '{method:\"POST\",path:\"/Users\",bulkId:.user.externalId,data:.user}' users-*.jsonl
  3. Accounts without a hash or password get a random one that nobody knows.
  4. Tell the sender how many accounts were made, and which externalId was refused, with the reason.
";

/// How hashes are checked.
const CHECKING: &str = "\
A credential of kind hash has the hash as it was stored (value), and in verify the steps from the typed password, in
UTF-8, to the bytes that must be equal to expected_base64. An op is taken on what is in `of`, innermost first. A repeated
digest begins with the digest of (of, tail) and takes the digest of (the last result, tail) until there were `rounds`.
Known bytes (salts, separators) are in base64, and their lengths above are those of one account.
`also` holds further hashes of the same account, any of which counts.
Hashes whose format needs more (a pepper, a key) have no steps: ask the sender for it, by another way.
";

/// Writes it.
pub(super) fn text(manifest: &Manifest) -> String {
    let mut text = format!(
        "Hand-over of accounts: {}, made {} by {}\n\n{INTRODUCTION}\n",
        manifest.project, manifest.made_at, manifest.made_by
    );
    let accounts = &manifest.accounts;
    let _ = writeln!(text, "Accounts: {}", accounts.together);
    for (what, counts) in
        [("how they sign in", &accounts.by_kind), ("what is known of passwords", &accounts.by_password)]
    {
        let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let _ = writeln!(text, "  by {what}: {}", counts.join(", "));
    }
    let left = &manifest.left_out;
    let _ = writeln!(
        text,
        "Not in the package: {} accounts, {} records that could not be read",
        left.accounts(),
        left.rejected
    );
    for (name, count) in left.by_state.iter().chain(&left.by_reason) {
        let _ = writeln!(text, "  {name} {count}");
    }
    let _ = writeln!(text, "\n{}", secrets(manifest.secrets));
    if !manifest.hashes.is_empty() {
        let _ = writeln!(text, "\nHashes of passwords");
        for group in &manifest.hashes {
            hash(&mut text, group);
        }
        if manifest.secrets >= Secrets::Hashes {
            let _ = writeln!(text, "\n{CHECKING}");
        }
    }
    text
}

fn secrets(secrets: Secrets) -> &'static str {
    match secrets {
        Secrets::None => "No hash and no password is in the package.",
        Secrets::Hashes => "Hashes of passwords are in the package; passwords in clear are not.",
        Secrets::Passwords => "HASHES AND PASSWORDS IN CLEAR ARE IN THE PACKAGE.",
    }
}

fn hash(text: &mut String, group: &HashGroup) {
    let parameters = if group.parameters.is_empty() { String::new() } else { format!(", {}", group.parameters) };
    let _ = writeln!(text, "  {}{parameters}: {}", group.format, group.hashes);
    if let Some(looks) = group.looks {
        let _ = writeln!(text, "    looks like {looks}");
    }
    if let Some(words) = &group.words {
        let _ = writeln!(text, "    to be compared: {words}");
    }
    if !group.needs.is_empty() {
        let _ = writeln!(text, "    needs besides: {}", group.needs.join(", "));
    }
}
