//! PostgreSQL's text form of arrays, of one dimension: `{a,"b,c",NULL}`.

/// Reads an array's text; NULL members are left out. `None` where it is no array of one dimension.
pub fn array(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let (mut list, mut rest) = (Vec::new(), inner);
    if inner.is_empty() {
        return Some(list);
    }
    loop {
        let after = if let Some(quoted) = rest.strip_prefix('"') {
            let (member, after) = quoted_member(quoted)?;
            list.push(member);
            after
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let member = &rest[..end];
            if member.is_empty() || member.contains(['{', '}', '"', '\\']) {
                return None;
            }
            if !member.eq_ignore_ascii_case("null") {
                list.push(member.to_owned());
            }
            &rest[end..]
        };
        if after.is_empty() {
            return Some(list);
        }
        rest = after.strip_prefix(',')?;
    }
}

fn quoted_member(text: &str) -> Option<(String, &str)> {
    let mut member = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next()? {
            (at, '"') => return Some((member, &text[at + 1..])),
            (_, '\\') => member.push(chars.next()?.1),
            (_, other) => member.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn arrays_are_read_as_postgresql_writes_them() {
        let list = |members: &[&str]| Some(members.iter().map(|member| (*member).to_owned()).collect::<Vec<_>>());
        assert_eq!(array("{}"), list(&[]));
        assert_eq!(array(r#"{a,"b,c","d\"e\\",NULL,"NULL",""}"#), list(&["a", "b,c", "d\"e\\", "NULL", ""]));
        for broken in ["", "{", "a", "{a,}", "{{a},{b}}", r#"{"a}"#, r#"{"a"b}"#] {
            assert_eq!(array(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn any_list_comes_back_and_any_text_is_survived(list in prop::collection::vec(".{0,8}", 0..5), text in ".{0,40}") {
            let quote = |member: &String| format!("\"{}\"", member.replace('\\', "\\\\").replace('"', "\\\""));
            let written = format!("{{{}}}", list.iter().map(quote).collect::<Vec<_>>().join(","));
            prop_assert_eq!(array(&written), Some(list));
            let _ = array(&text);
        }
    }
}
