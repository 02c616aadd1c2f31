//! docs/account.schema.json says what the parser accepts, and the parser accepts what it says.

use std::collections::BTreeSet;

use serde_json::Value;
use sterna_connectors::json_lines::read_account;

use super::json_lines::FULL;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../../../docs/account.schema.json")).unwrap()
}

/// The schema of a value, with `$ref` followed.
fn follow<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    match schema["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// Every member of the example is in the schema, and every member of the schema is in the example.
fn compare(root: &Value, schema: &Value, example: &Value, at: &str) {
    let schema = follow(root, schema);
    let choices = ["oneOf", "anyOf"].iter().filter_map(|word| schema[word].as_array()).flatten();
    let choices: Vec<&Value> = choices.map(|choice| follow(root, choice)).collect();
    if let Some(members) = example.as_object() {
        let all = std::iter::once(schema).chain(choices.iter().copied());
        let objects: Vec<&Value> = all.filter(|schema| schema["properties"].is_object()).collect();
        if objects.is_empty() {
            assert_ne!(schema["additionalProperties"], false, "{at} is an object of anything");
            return;
        }
        let fits = |schema: &&&Value| members.keys().all(|name| schema["properties"].get(name).is_some());
        let schema = objects.iter().find(fits).unwrap_or_else(|| panic!("{at} fits no schema: {example}"));
        assert_eq!(schema["additionalProperties"], false, "{at}");
        for (name, value) in members {
            compare(root, &schema["properties"][name], value, &format!("{at}/{name}"));
        }
    }
    for item in example.as_array().into_iter().flatten() {
        compare(root, &schema["items"], item, at);
    }
}

#[test]
fn the_schema_has_every_member_that_the_parser_reads() {
    let (schema, example) = (schema(), serde_json::from_str::<Value>(FULL).unwrap());
    compare(&schema, &schema, &example, "");
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&schema["properties"]), names(&example), "the example names every member");
}

#[test]
fn the_parser_refuses_every_member_that_the_schema_does_not_have() {
    for line in [
        r#"{"id":"1","x":1}"#,
        r#"{"id":"1","emails":[{"value":"a","x":1}]}"#,
        r#"{"id":"1","identities":[{"kind":"federated","issuer":"a","subject":"b","x":1}]}"#,
        r#"{"id":"1","times":{"x":"2024-01-02T00:00:00Z"}}"#,
        r#"{"id":"1","consents":[{"purpose":"a","x":1}]}"#,
        r#"{"id":"1","factors":[{"kind":"totp","x":1}]}"#,
        r#"{"id":"1","address":{"x":"1"}}"#,
        r#"{"id":"1","password":{"x":"1"}}"#,
    ] {
        assert!(read_account(line).is_err(), "{line}");
    }
}

#[test]
fn the_schemas_own_examples_are_read() {
    let schema = schema();
    let examples = schema["examples"].as_array().unwrap();
    assert!(examples.len() >= 3);
    for example in examples {
        read_account(&example.to_string()).unwrap();
        compare(&schema, &schema, example, "");
    }
}
