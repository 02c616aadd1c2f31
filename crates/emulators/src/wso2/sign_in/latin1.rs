//! The body of `callChoreo`: JSON that is written in ISO-8859-1 (wso2-scim.md 1.2.6).

use serde_json::Value;

/// Writes a payload as the product does: its JSON writer escapes control characters and U+2000 to U+20FF, then every
/// character that ISO-8859-1 lacks becomes a question mark.
pub(super) fn body(payload: &Value) -> Vec<u8> {
    let text = payload.to_string();
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c) {
            code @ (0x7f..=0x9f | 0x2000..=0x20ff) => bytes.extend_from_slice(format!("\\u{code:04X}").as_bytes()),
            code => bytes.push(u8::try_from(code).unwrap_or(b'?')),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::body;

    #[test]
    fn what_the_encoding_lacks_is_lost() {
        let bytes = body(&json!({ "p": "a\u{e4}\u{20ac}\u{141}\u{1f600}\n\u{7f}" }));
        assert_eq!(bytes, b"{\"p\":\"a\xe4\\u20AC??\\n\\u007F\"}");
    }
}
