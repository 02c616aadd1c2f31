//! SCIM targets, driven as a user would drive them.

mod counterpart;
mod files;
mod gateway;
mod restored;
mod scimmy;
mod silent;

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::{Value, json};

/// One request to a SCIM server, on a connection of its own; status and body.
pub(crate) fn ask(method: &str, url: &str, token: &str, body: &Value) -> (u16, Value) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/scim+json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
}

/// Person number so-and-so in Sterna's account form, in two of twenty groups, with a password in clear.
pub(crate) fn person(number: usize) -> String {
    let name = format!("person{number:05}");
    let email = format!("{name}@example.com");
    json!({
        "id": format!("legacy-{number}"), "display_name": format!("Person {number} Łukasz"), "given_name": "Zoë",
        "family_name": format!("Núñez {number}"),
        "emails": [{"value": email, "verified": true, "primary": true}],
        "phones": [{"value": format!("+3460{number:07}")}],
        "identities": [{"kind": "local", "name": "user-name", "value": name}],
        "password": {"plaintext": password(number)},
        "groups": [format!("team {}", number % 10), format!("site {}", number % 7)],
        "address": {"locality": "Kraków", "country": "PL"},
        "attributes": {"department": format!("D{}", number % 3)},
    })
    .to_string()
}

/// The password of that person.
pub(crate) fn password(number: usize) -> String {
    format!("Pass wörd {number}!")
}
