//! What was typed: the JWE and what is in it.

use serde_json::{Value, json};
use sterna_connectors::{
    entra::hook::INFLATED_BYTES,
    hooks::body::{NAME_BYTES, PASSWORD_BYTES},
};
use sterna_core::hook::{HookDialect, Next, Refusal};

use super::{
    EXPIRED, MALFORMED, NONCE, NOT_ALLOWED, NOW_MS, PASSWORD, Request, TOO_LARGE, UNDECRYPTABLE, VECTORS, WORLD,
    changed, context, generated, hook, maker, typed, vector,
};

/// Most that reading one call may hold at once, over what the call itself takes.
const MOST_BYTES: u64 = 512 << 10;

fn refused(hook: &dyn HookDialect, context: &str) -> (Refusal, u16) {
    Request::of(context).refused(hook)
}

/// A context under this header, done as it says.
fn sealed(header: &Value) -> String {
    WORLD.pair.seal(header, maker::unsigned(&VECTORS["claims"]).as_bytes())
}

fn under(plain: &[u8]) -> String {
    WORLD.pair.seal(&json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM" }), plain)
}

#[test]
fn the_vectors_are_read_as_they_say() {
    let hook = hook("");
    let all = VECTORS["vectors"].as_array().unwrap();
    for vector in all {
        let (name, jwe) = (vector["name"].as_str().unwrap(), vector["jwe"].as_str().unwrap());
        if name.starts_with("must-fail") {
            assert_eq!(refused(&*hook, jwe), UNDECRYPTABLE, "{name}");
            continue;
        }
        let submission = Request::of(jwe).accepted(&*hook);
        assert_eq!((typed(&submission), submission.echo.as_str()), (PASSWORD, NONCE), "{name}");
        assert_eq!(submission.login.as_deref(), Some("casey@example.com"), "{name}");
    }
    assert!(all.len() > 5);
}

#[test]
fn every_pair_of_algorithms_is_taken_with_and_without_compression_nested_and_flat() {
    let hook = hook("");
    let claims = &VECTORS["claims"];
    for alg in ["RSA-OAEP", "RSA-OAEP-256"] {
        for enc in ["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"] {
            for zip in [json!({}), json!({ "zip": "DEF" })] {
                for plain in [maker::unsigned(claims), claims.to_string(), format!(" \r\n{claims}\n")] {
                    let header =
                        changed(&json!({ "alg": alg, "enc": enc, "typ": "JWT", "cty": "x", "new": [1] }), &zip);
                    let context = WORLD.pair.seal(&header, plain.as_bytes());
                    assert_eq!(typed(&Request::of(&context).accepted(&*hook)), PASSWORD, "{header} {plain}");
                }
            }
        }
    }
}

#[test]
fn passwords_come_out_exactly() {
    let hook = hook("");
    let long = "\u{1f600}".repeat(1_000);
    for password in [
        "",
        " a b ",
        "p\u{e4}ss\u{20ac}",
        "e\u{301}",
        "\u{e9}",
        "\u{1f600}",
        "a\u{0}b",
        "\\u0041\"",
        "\u{feff}x",
        &long,
    ] {
        let submission = Request::of(&context(&json!({ "user-password": password }))).accepted(&*hook);
        assert_eq!(typed(&submission), password);
    }
    let surrogates = under(br#"{"user-password":"\ud83d\ude00\u00e4","nonce":"n"}"#);
    assert_eq!(typed(&Request::of(&surrogates).accepted(&*hook)), "\u{1f600}\u{e4}");
    for broken in
        [r#"{"user-password":"\ud83d","nonce":"n"}"#.as_bytes(), b"{\"user-password\":\"\xe4\",\"nonce\":\"n\"}"]
    {
        assert_eq!(refused(&*hook, &under(broken)), MALFORMED);
    }
}

#[test]
fn every_part_tampered_with_is_refused() {
    let hook = hook("");
    for enc in ["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"] {
        let right = sealed(&json!({ "alg": "RSA-OAEP", "enc": enc, "zip": "DEF" }));
        Request::of(&right).accepted(&*hook);
        let parts: Vec<&str> = right.split('.').collect();
        for at in 0..5 {
            let mut bytes = maker::decode(parts[at]);
            for position in [0, bytes.len() / 2, bytes.len() - 1] {
                bytes[position] ^= 1;
                let mut tampered: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
                tampered[at] = maker::encode(&bytes);
                assert_eq!(refused(&*hook, &tampered.join(".")), UNDECRYPTABLE, "{enc}, part {at}");
                bytes[position] ^= 1;
            }
            for (cut, name) in [(&bytes[..bytes.len() - 1], "shorter"), (&[], "empty")] {
                let mut tampered: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
                tampered[at] = maker::encode(cut);
                assert_eq!(refused(&*hook, &tampered.join(".")), UNDECRYPTABLE, "{enc}, part {at} {name}");
            }
            let mut longer: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            longer[at] = maker::encode([&bytes[..], &[0]].concat());
            assert_eq!(refused(&*hook, &longer.join(".")), UNDECRYPTABLE, "{enc}, part {at} longer");
        }
    }
}

#[test]
fn the_same_header_in_other_words_is_refused() {
    let right = sealed(&json!({ "alg": "RSA-OAEP", "enc": "A128GCM" }));
    let (_, rest) = right.split_once('.').unwrap();
    for header in [r#"{"enc":"A128GCM","alg":"RSA-OAEP"}"#, r#"{"alg":"RSA-OAEP","enc":"A128GCM" }"#] {
        assert_eq!(refused(&*hook(""), &format!("{}.{rest}", maker::encode(header))), UNDECRYPTABLE);
    }
}

#[test]
fn a_truncated_text_is_refused_wherever_it_is_cut() {
    let hook = hook("");
    let right = vector("observed-shape");
    let key = 344..right.len();
    for end in (0..350).step_by(7).chain(key.step_by(3)) {
        assert_eq!(refused(&*hook, &right[..end]), UNDECRYPTABLE, "{end}");
    }
    for text in
        [format!("{right}."), format!("{right}.AA"), format!(".{right}"), format!("{right} "), format!("{right}=")]
    {
        assert_eq!(refused(&*hook, &text), UNDECRYPTABLE);
    }
}

#[test]
fn base64_that_says_the_same_in_another_way_is_refused() {
    let hook = hook("");
    let right = vector("no-zip");
    let (rest, tag) = right.rsplit_once('.').unwrap();
    let last = tag.as_bytes()[tag.len() - 1];
    assert_eq!((tag.len(), last), (22, b'A'), "four bits of the last character are no part of the tag");
    for tag in [format!("{}B", &tag[..21]), format!("{tag}=="), tag.replace(['-', '_'], "+")] {
        assert_eq!(refused(&*hook, &format!("{rest}.{tag}")), UNDECRYPTABLE, "{tag}");
    }
}

#[test]
fn what_is_too_large_is_not_decrypted() {
    let hook = hook("");
    let large = |bytes: usize| under(claims(bytes).as_bytes());
    assert_eq!(typed(&Request::of(&large(11_000)).accepted(&*hook)), "p");
    assert_eq!(refused(&*hook, &large(13_000)), TOO_LARGE);
    assert_eq!(refused(&*hook, &"a".repeat(60_000)), TOO_LARGE);
}

/// Bare claims with so many bytes more.
fn claims(more: usize) -> String {
    json!({ "user-password": "p", "nonce": "n", "more": "x".repeat(more) }).to_string()
}

#[test]
fn passwords_and_names_that_no_target_has_are_refused() {
    let hook = hook("");
    for (name, most) in [("user-password", PASSWORD_BYTES), ("username", NAME_BYTES), ("nonce", NAME_BYTES)] {
        Request::of(&context(&json!({ name: "x".repeat(most) }))).accepted(&*hook);
        assert_eq!(refused(&*hook, &context(&json!({ name: "x".repeat(most + 1) }))), MALFORMED, "{name}");
    }
}

#[test]
fn a_bomb_is_refused_with_little_memory() {
    let hook = hook("");
    let seal = |plain: &str| WORLD.pair.seal(&maker::observed(&WORLD.pair.x5t()), plain.as_bytes());
    let full = claims(INFLATED_BYTES - claims(0).len());
    assert_eq!(typed(&Request::of(&seal(&full)).accepted(&*hook)), "p");
    assert_eq!(refused(&*hook, &seal(&format!("{full} "))), UNDECRYPTABLE, "one byte more");
    for mebibytes in [1, 10] {
        let bomb = Request::of(&seal(&claims(mebibytes << 20)));
        assert!(bomb.body.len() < 20_000);
        let used = allocation_counter::measure(|| assert_eq!(bomb.refused(&*hook), UNDECRYPTABLE));
        assert!(used.bytes_max < MOST_BYTES, "{} bytes", used.bytes_max);
    }
}

#[test]
fn text_that_does_not_inflate_is_refused() {
    let done = json!({ "alg": "RSA-OAEP", "enc": "A128GCM" });
    let text = json!({ "alg": "RSA-OAEP", "enc": "A128GCM", "zip": "DEF" }).to_string();
    for plain in [b"\xff\xff\xff".as_slice(), b"{}", b"x\x9c\x03\x00\x00\x00\x00\x01"] {
        let (why, _) = refused(&*hook(""), &WORLD.pair.seal_under(&text, &done, plain));
        assert!(matches!(why, Refusal::Undecryptable | Refusal::Malformed));
    }
}

#[test]
fn another_key_does_not_open_it() {
    let stranger = generated();
    let plain = maker::unsigned(&VECTORS["claims"]);
    for header in [json!({ "alg": "RSA-OAEP", "enc": "A128GCM" }), maker::observed(&WORLD.pair.x5t())] {
        assert_eq!(refused(&*hook(""), &stranger.seal(&header, plain.as_bytes())), UNDECRYPTABLE);
    }
    assert_eq!(refused(&*hook(""), &stranger.seal(&maker::observed(&stranger.x5t()), plain.as_bytes())), UNDECRYPTABLE);
}

#[test]
fn pkcs1_padding_is_not_taken() {
    assert_eq!(refused(&*hook(""), &sealed(&json!({ "alg": "RSA1_5", "enc": "A128CBC-HS256" }))), UNDECRYPTABLE);
    let as_oaep = json!({ "alg": "RSA-OAEP", "enc": "A128GCM" }).to_string();
    let done = json!({ "alg": "RSA1_5", "enc": "A128GCM" });
    let plain = maker::unsigned(&VECTORS["claims"]);
    assert_eq!(refused(&*hook(""), &WORLD.pair.seal_under(&as_oaep, &done, plain.as_bytes())), UNDECRYPTABLE);
}

#[test]
fn keys_that_both_sides_know_are_not_taken() {
    let hook = hook("");
    for alg in ["dir", "A128KW", "A256GCMKW", "PBES2-HS256+A128KW", "ECDH-ES", "RSA-OAEP-512", "rsa-oaep", ""] {
        let context = sealed(&json!({ "alg": alg, "enc": "A128GCM" }));
        assert_eq!(refused(&*hook, &context), UNDECRYPTABLE, "{alg}");
        let parts: Vec<&str> = context.split('.').collect();
        let direct = format!("{}..{}.{}.{}", parts[0], parts[2], parts[3], parts[4]);
        assert_eq!(refused(&*hook, &direct), UNDECRYPTABLE, "{alg}");
    }
    for enc in ["A192GCM", "A192CBC-HS384", "a128gcm", "none", ""] {
        assert_eq!(refused(&*hook, &sealed(&json!({ "alg": "RSA-OAEP", "enc": enc }))), UNDECRYPTABLE, "{enc}");
    }
}

#[test]
fn an_unsigned_token_that_is_not_encrypted_is_refused() {
    let hook = hook("plain_password_context = true");
    let claims = &VECTORS["claims"];
    let five = format!("{}AA.AA", maker::unsigned(claims));
    for context in
        [maker::unsigned(claims), VECTORS["inner_compact_jwt"].as_str().unwrap().into(), claims.to_string(), five]
    {
        assert_eq!(refused(&*hook, &context), UNDECRYPTABLE);
    }
    let none = sealed(&json!({ "alg": "none", "enc": "none" }));
    assert_eq!(refused(&*hook, &none), UNDECRYPTABLE);
}

#[test]
fn other_compressions_are_refused() {
    for zip in [json!("def"), json!("GZ"), json!(""), json!(7), json!(["DEF"])] {
        let header = json!({ "alg": "RSA-OAEP", "enc": "A128GCM", "zip": zip });
        assert_eq!(refused(&*hook(""), &sealed(&header)), UNDECRYPTABLE, "{header}");
    }
}

#[test]
fn a_header_that_demands_more_is_refused() {
    for crit in [json!([]), json!(["exp"]), json!(["zip"]), json!("zip"), json!({}), Value::Null] {
        let header = json!({ "alg": "RSA-OAEP", "enc": "A128GCM", "crit": crit });
        assert_eq!(refused(&*hook(""), &sealed(&header)), UNDECRYPTABLE, "{crit}");
    }
}

#[test]
fn a_header_that_says_things_twice_or_in_another_form_is_refused() {
    let done = json!({ "alg": "RSA-OAEP", "enc": "A128GCM" });
    let x5t = WORLD.pair.x5t();
    let twice = |more: &str| format!(r#"{{"alg":"RSA-OAEP","enc":"A128GCM",{more}}}"#);
    let deflated = json!({ "alg": "RSA-OAEP", "enc": "A128GCM", "zip": "DEF" });
    let plain = maker::unsigned(&VECTORS["claims"]);
    for (text, done) in [
        (twice(r#""alg":"RSA-OAEP""#), &done),
        (twice(r#""\u0061lg":"RSA-OAEP""#), &done),
        (twice(r#""enc":"A128GCM""#), &done),
        (twice(r#""zip":"DEF","zip":"DEF""#), &deflated),
        (twice(&format!(r#""x5t":"{x5t}","x5t":"{x5t}""#)), &done),
        (twice(r#""kid":"a","kid":"b""#), &done),
        (r#"["RSA-OAEP","A128GCM"]"#.into(), &done),
        (format!("[{}]", json!({ "alg": "RSA-OAEP", "enc": "A128GCM" })), &done),
        (r#"{"alg":"RSA-OAEP"}"#.into(), &done),
        (r#"{"enc":"A128GCM"}"#.into(), &done),
        (r#"{"alg":["RSA-OAEP"],"enc":"A128GCM"}"#.into(), &done),
        (r#"{"alg":"RSA-OAEP","enc":"A128GCM"} {}"#.into(), &done),
    ] {
        assert_eq!(refused(&*hook(""), &WORLD.pair.seal_under(&text, done, plain.as_bytes())), UNDECRYPTABLE, "{text}");
    }
}

#[test]
fn a_context_is_taken_from_its_beginning_to_its_end_give_or_take_five_minutes() {
    let hook = hook("");
    let at = |seconds: i64| NOW_MS / 1_000 + seconds;
    for (changes, in_time) in [
        (json!({ "exp": at(-299) }), true),
        (json!({ "exp": at(-300) }), false),
        (json!({ "exp": 0 }), false),
        (json!({ "exp": -1e300 }), false),
        (json!({ "exp": at(24 * 3_600 + 300) }), true),
        (json!({ "exp": at(24 * 3_600 + 301) }), false),
        (json!({ "exp": 1e300 }), false),
        (json!({ "nbf": at(300) }), true),
        (json!({ "nbf": at(301) }), false),
        (json!({ "nbf": 1e300 }), false),
        (json!({ "exp": null, "nbf": null, "iat": null }), true),
    ] {
        if in_time {
            Request::of(&context(&changes)).accepted(&*hook);
        } else {
            assert_eq!(refused(&*hook, &context(&changes)), EXPIRED, "{changes}");
        }
    }
    let late = Request { now: 1_790_000_900_000, ..Request::of(vector("observed-shape")) };
    assert_eq!(late.refused(&*hook), EXPIRED);
    let early = Request { now: 1_789_999_699_999, ..Request::of(vector("observed-shape")) };
    assert_eq!(early.refused(&*hook), EXPIRED);
}

#[test]
fn a_context_for_another_audience_is_refused() {
    let hook = hook("");
    for audience in [json!("cccccccc-1111-4222-8333-dddddddddddd"), json!([]), json!(""), json!({})] {
        assert_eq!(refused(&*hook, &context(&json!({ "aud": audience }))), NOT_ALLOWED, "{audience}");
    }
    for audience in [json!([maker::APP]), json!(["other", maker::APP]), json!(maker::APP), Value::Null] {
        Request::of(&context(&json!({ "aud": audience }))).accepted(&*hook);
    }
    Request::of(&context(&json!({ "iss": "anything" }))).accepted(&*hook);
}

#[test]
fn an_inner_token_that_is_not_exactly_unsigned_is_refused() {
    let hook = hook("");
    let claims = maker::encode(VECTORS["claims"].to_string());
    let inner = |header: Value, signature: &str| format!("{}.{claims}.{signature}", maker::encode(header.to_string()));
    let signed = WORLD.issuer.sign(&json!({ "alg": "none" }), &VECTORS["claims"]);
    let none = || json!({ "alg": "none" });
    for plain in [
        inner(json!({ "alg": "RS256" }), ""),
        inner(json!({ "alg": "None" }), ""),
        inner(json!({}), ""),
        inner(json!(["none"]), ""),
        inner(none(), "AA"),
        format!("{}.", inner(none(), "")),
        inner(none(), "").trim_end_matches('.').to_owned(),
        format!("{}=.{claims}.", maker::encode(none().to_string())),
        signed,
        String::from("x"),
        maker::unsigned(&json!(["pass", "nonce"])),
        maker::unsigned(&json!({})),
    ] {
        assert_eq!(refused(&*hook, &under(plain.as_bytes())), MALFORMED, "{plain}");
    }
    let right = format!("\n{}\r\n", inner(none(), ""));
    assert_eq!(typed(&Request::of(&under(right.as_bytes())).accepted(&*hook)), PASSWORD);
}

#[test]
fn claims_of_another_form_are_refused() {
    let hook = hook("");
    for changes in [
        json!({ "user-password": null }),
        json!({ "user-password": 7 }),
        json!({ "user-password": ["p"] }),
        json!({ "nonce": null }),
        json!({ "nonce": 7 }),
        json!({ "nonce": "" }),
        json!({ "username": 7 }),
        json!({ "exp": "1790000600" }),
    ] {
        assert_eq!(refused(&*hook, &context(&changes)), MALFORMED, "{changes}");
    }
    assert_eq!(Request::of(&context(&json!({ "username": null }))).accepted(&*hook).login, None);
    for plain in [
        r#"{"user-password":"a","user-password":"b","nonce":"n"}"#,
        r#"{"user-password":"a","nonce":"n"}{"#,
        r#"{"user-password":"a","nonce":"n""#,
        r#"["a","n"]"#,
        "null",
    ] {
        assert_eq!(refused(&*hook, &under(plain.as_bytes())), MALFORMED, "{plain}");
    }
}

#[test]
fn no_answer_to_a_call_that_is_refused_has_anything_of_it() {
    let hook = hook("");
    for changes in [
        json!({ "user-password": "SECRET" }),
        json!({ "user-password": "SECRET", "exp": 1 }),
        json!({ "user-password": "SECRET", "aud": "other" }),
        json!({ "user-password": "SECRET", "nonce": "" }),
        json!({ "user-password": "SECRET", "username": ["SECRET"] }),
    ] {
        for tenant in [maker::TENANT, "SECRET"] {
            let mut body = maker::body(&context(&changes));
            body["data"]["tenantId"] = tenant.into();
            body["data"]["passwordContext"] = json!({ "userPassword": "SECRET", "nonce": 7 });
            for authorization in [Vec::new(), Request::post(&body).authorization] {
                let Next::Refuse(_, answer) = (Request { authorization, ..Request::post(&body) }).next(&*hook) else {
                    panic!("the clear part is not of the form")
                };
                assert!(!format!("{answer:?}").contains("SECRET") && answer.body.is_empty());
            }
        }
    }
}
