//! The one PHP-serialised form that is read: WordPress's capabilities, `a:1:{s:6:"editor";b:1;}`. Nothing is
//! instantiated; anything else is refused.

/// The most roles that are read of one account.
const MOST: usize = 256;

/// The names whose value is true.
pub fn capabilities(text: &str) -> Option<Vec<&str>> {
    let (count, mut rest) = text.strip_prefix("a:")?.split_once(":{")?;
    let count: usize = count.parse().ok().filter(|count| *count <= MOST)?;
    let mut names = Vec::new();
    for _ in 0..count {
        let (length, after) = rest.strip_prefix("s:")?.split_once(":\"")?;
        let length: usize = length.parse().ok()?;
        let name = after.get(..length)?;
        let value = after.get(length..)?.strip_prefix("\";")?;
        let (value, after) = value.split_once(';')?;
        match value {
            "b:1" | "s:1:\"1\"" | "i:1" => names.push(name),
            "b:0" | "s:1:\"0\"" | "i:0" | "s:0:\"\"" => {}
            _ => return None,
        }
        rest = after;
    }
    (rest == "}").then_some(names)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn roles_are_read_and_anything_else_is_refused() {
        assert_eq!(capabilities(r#"a:2:{s:6:"editor";b:1;s:6:"author";b:0;}"#), Some(vec!["editor"]));
        assert_eq!(capabilities("a:0:{}"), Some(vec![]));
        for broken in
            ["", "O:8:\"stdClass\":0:{}", r#"a:1:{s:9:"editor";b:1;}"#, "a:999999:{}", r#"a:1:{s:1:"a";b:1;}x"#]
        {
            assert_eq!(capabilities(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(a:[0-9]{1,3}:\\{)?.{0,60}") {
            let _ = capabilities(&text);
        }
    }
}
