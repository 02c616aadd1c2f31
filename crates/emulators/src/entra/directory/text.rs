//! Grammar of names and addresses (`entra.md` 4.2 and 4.4).

/// A domain: labels of letters, digits and hyphens, at least two of them.
fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}

/// A valid e-mail address: ASCII, dot-atom before the `@`, a domain after it.
pub(crate) fn is_email(text: &str) -> bool {
    is_address(text, |c| c.is_ascii_alphanumeric())
}

/// As [`is_email`], letters with accents allowed before the `@`.
pub(crate) fn is_international_email(text: &str) -> bool {
    is_address(text, char::is_alphanumeric)
}

fn is_address(text: &str, letter: impl Fn(char) -> bool) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let allowed = |c: char| letter(c) || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    (1..=64).contains(&local.chars().count())
        && local.chars().all(allowed)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && is_domain(domain)
}

/// The local part of a user principal name; [`is_principal_name_domain`] is the other half.
pub(crate) fn is_principal_name_local(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'.-_!#^~".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(allowed) && !text.ends_with('.')
}

pub(crate) fn is_principal_name_domain(text: &str) -> bool {
    text.len() <= 48 && is_domain(text)
}

/// `userName` identities: a letter or digit first, then letters, digits, `-`, `_`; 64 at most.
pub(crate) fn is_user_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.as_bytes()[0].is_ascii_alphanumeric()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

pub(crate) fn is_nickname(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"@()\\[]\";:<>,".contains(&byte))
}

/// `en`, `en-US`, `zh-Hans`.
pub(crate) fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let main = parts.next().unwrap_or_default();
    matches!(main.len(), 2 | 3)
        && main.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

pub(crate) fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Whether a password may be set (`entra.md` 4.5). `strong` asks for three of the four classes.
pub(crate) fn is_password(text: &str, strong: bool) -> bool {
    let symbol = |byte: u8| b" @#$%^&*-_!+=[]{}|\\:',.?/`~\"();<>".contains(&byte);
    let has = |class: fn(&u8) -> bool| usize::from(text.bytes().any(|byte| class(&byte)));
    let classes = has(u8::is_ascii_lowercase)
        + has(u8::is_ascii_uppercase)
        + has(u8::is_ascii_digit)
        + usize::from(text.bytes().any(symbol));
    (8..=256).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || symbol(byte))
        && (!strong || classes >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["casey@example.com", "a.b+c@sub.example.co", "o'hara@example.org"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "a", "a@b", "a@@b.com", ".a@b.com", "a.@b.com", "a..b@c.de", "é@b.com", "a@-b.com", "a b@c.de"]
        {
            assert!(!is_email(bad), "{bad}");
        }
        assert!(is_international_email("jos\u{e9}@example.com"));
    }

    #[test]
    fn passwords() {
        assert!(is_password("Passw0rd", true));
        assert!(is_password("password", false));
        assert!(!is_password("password", true));
        assert!(!is_password("Pass0", true));
        assert!(!is_password("Pässw0rd", true));
        assert!(!is_password(&"aB1".repeat(100), true));
    }

    #[test]
    fn names() {
        assert!(is_user_name("bo-1_x") && !is_user_name("_bo") && !is_user_name("a.b") && !is_user_name("a@b"));
        assert!(
            is_principal_name_local("a.b'c!#^~") && !is_principal_name_local("a.") && !is_principal_name_local("a+b")
        );
        assert!(is_nickname("a.b") && !is_nickname("a b") && !is_nickname("a@b"));
    }
}
