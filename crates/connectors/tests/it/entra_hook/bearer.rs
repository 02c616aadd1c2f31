//! Who calls: the token.

use serde_json::{Value, json};
use sterna_core::hook::Next;

use super::{
    EXPIRED, Given, KID, NOT_ALLOWED, NOW_MS, PASSWORD, Request, SAMPLES, TENANT, UNAUTHENTICATED, WORLD, bearer,
    changed, generated, hook, maker, opened, typed, vector,
};
use sterna_core::hook::HookDialect;

const V1_AUDIENCE: &str = "resource_id = \"api://jit.example.com/aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb\"";

fn refused(hook: &dyn HookDialect, token: &str) -> (sterna_core::hook::Refusal, u16) {
    Request::by(token).refused(hook)
}

fn signed(header: &Value) -> String {
    WORLD.issuer.sign(header, &SAMPLES["bearerClaimsV2"])
}

fn version_1(changes: &Value) -> String {
    let claims = changed(&changed(&SAMPLES["bearerClaimsV1"], &json!({"_note": null, "exp": 1_790_003_900})), changes);
    WORLD.issuer.sign(&json!({ "alg": "RS256", "kid": KID }), &claims)
}

#[test]
fn the_token_of_the_samples_is_taken_and_its_scheme_has_no_case() {
    let hook = hook("");
    let token = bearer(&json!({}));
    for header in [format!("Bearer {token}"), format!("bearer {token}"), format!("BEARER  {token} ")] {
        let request = Request { authorization: vec![header], ..Request::of(vector("observed-shape")) };
        assert_eq!(typed(&request.accepted(&*hook)), PASSWORD);
    }
    Request::by(&bearer(&json!({"aud": ["other", maker::APP], "tid": TENANT.to_ascii_uppercase(), "nbf": null})))
        .accepted(&*hook);
}

#[test]
fn a_call_without_one_bearer_token_is_nobodys() {
    let hook = hook("");
    let token = bearer(&json!({}));
    let headers: [&[String]; 9] = [
        &[],
        &[String::new()],
        &["Bearer".into()],
        &["Bearer ".into()],
        &["Bearer x".into()],
        &["Bearer ..".into()],
        &[format!("Basic {token}")],
        std::slice::from_ref(&token),
        &[format!("Bearer {token}.")],
    ];
    for authorization in headers {
        let request = Request { authorization: authorization.to_vec(), ..Request::of(vector("observed-shape")) };
        assert_eq!(request.refused(&*hook), UNAUTHENTICATED, "{authorization:?}");
    }
}

#[test]
fn two_authorization_headers_are_refused_even_where_both_are_right() {
    let right = format!("Bearer {}", bearer(&json!({})));
    for authorization in [vec![right.clone(), right.clone()], vec![right.clone(), "Bearer x".into()]] {
        let request = Request { authorization, ..Request::of(vector("observed-shape")) };
        assert_eq!(request.refused(&*hook("")), UNAUTHENTICATED);
    }
}

#[test]
fn issuers_are_the_tenants_own_and_those_of_the_settings() {
    let by_id = format!("https://{TENANT}.ciamlogin.com/{TENANT}/v2.0");
    let by_name = format!("https://contoso.ciamlogin.com/{TENANT}/v2.0");
    let workforce = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let custom = format!("https://login.contoso.example/{TENANT}/v2.0");
    let plain = hook("");
    let named = hook(&format!("tenant_name = \"Contoso\"\nissuers = [\"{custom}\"]"));
    for (issuer, by_default) in [(&by_id, true), (&workforce, true), (&by_name, false), (&custom, false)] {
        let token = bearer(&json!({ "iss": issuer }));
        Request::by(&token).accepted(&*named);
        if by_default {
            Request::by(&token).accepted(&*plain);
        } else {
            assert_eq!(refused(&*plain, &token), NOT_ALLOWED);
        }
    }
    let foreign = TENANT.replace('5', "6");
    for issuer in [
        format!("https://{foreign}.ciamlogin.com/{foreign}/v2.0"),
        format!("https://{TENANT}.ciamlogin.com/{foreign}/v2.0"),
        format!("https://{TENANT}.ciamlogin.com.evil.example/{TENANT}/v2.0"),
        format!("http://{TENANT}.ciamlogin.com/{TENANT}/v2.0"),
        format!("{by_id}/"),
        format!("https://sts.windows.net/{TENANT}/"),
    ] {
        assert_eq!(refused(&*named, &bearer(&json!({ "iss": issuer }))), NOT_ALLOWED, "{issuer}");
    }
}

#[test]
fn a_token_for_another_audience_is_refused() {
    let resource = "api://jit.example.com/aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb";
    let (plain, named) = (hook(""), hook(V1_AUDIENCE));
    for audience in [json!("cccccccc-1111-4222-8333-dddddddddddd"), json!([]), json!(""), json!(["a"]), json!({})] {
        assert_eq!(refused(&*plain, &bearer(&json!({ "aud": audience }))), NOT_ALLOWED);
        assert_eq!(refused(&*named, &bearer(&json!({ "aud": audience }))), NOT_ALLOWED);
    }
    assert_eq!(refused(&*plain, &bearer(&json!({ "aud": resource }))), NOT_ALLOWED);
    Request::by(&bearer(&json!({ "aud": resource }))).accepted(&*named);
    assert_eq!(refused(&*plain, &bearer(&json!({ "aud": null }))), UNAUTHENTICATED);
}

#[test]
fn a_client_id_in_capitals_is_the_same_one() {
    let key = Given::of(&WORLD.pair);
    let values = super::values("", &[key]).with("client_id", maker::APP.to_ascii_uppercase().into());
    let mut material = sterna_core::hook::Material::default();
    material.secrets.insert("private_key.0".into(), WORLD.pair.private_pem().into());
    material.files.insert("certificate.0".into(), WORLD.pair.certificate_pem().into_bytes());
    material.key_set = Some(WORLD.issuer.key_set().to_string().into_bytes());
    let hook = super::kind().open(&values, &material).unwrap();
    Request::of(vector("observed-shape")).accepted(&*hook);
}

#[test]
fn a_token_of_another_tenant_is_refused() {
    for tenant in [json!(TENANT.replace('5', "6")), json!("")] {
        assert_eq!(refused(&*hook(""), &bearer(&json!({ "tid": tenant }))), NOT_ALLOWED);
    }
    assert_eq!(refused(&*hook(""), &bearer(&json!({ "tid": null }))), UNAUTHENTICATED);
}

#[test]
fn only_the_application_of_authentication_extensions_may_call() {
    let hook = hook("version_1_tokens = true");
    let caller = &SAMPLES["bearerClaimsV2"]["azp"];
    for changes in [
        json!({ "azp": "cccccccc-1111-4222-8333-dddddddddddd" }),
        json!({ "azp": null }),
        json!({ "azp": null, "appid": caller }),
        json!({ "azp": caller, "ver": "1.0" }),
        json!({ "azp": caller, "ver": null }),
        json!({ "azp": caller, "ver": "3.0" }),
    ] {
        assert_eq!(refused(&*hook, &bearer(&changes)), NOT_ALLOWED, "{changes}");
    }
}

#[test]
fn tokens_of_version_1_are_refused_unless_switched_on() {
    let off = hook(V1_AUDIENCE);
    let on = hook(&format!("{V1_AUDIENCE}\nversion_1_tokens = true"));
    for audience in [&SAMPLES["bearerClaimsV1"]["aud"], &json!(maker::APP)] {
        let token = version_1(&json!({ "aud": audience }));
        assert_eq!(refused(&*off, &token), NOT_ALLOWED);
        assert_eq!(typed(&Request::by(&token).accepted(&*on)), PASSWORD);
    }
    Request::by(&bearer(&json!({}))).accepted(&*on);
    for changes in [
        json!({ "appid": "cccccccc-1111-4222-8333-dddddddddddd" }),
        json!({ "appid": null }),
        json!({ "iss": format!("https://sts.windows.net/{}/", TENANT.replace('5', "6")) }),
        json!({ "aud": "other" }),
        json!({ "tid": "other" }),
    ] {
        assert_eq!(refused(&*on, &version_1(&changes)), NOT_ALLOWED, "{changes}");
    }
}

#[test]
fn a_token_is_taken_from_its_beginning_to_its_end_give_or_take_five_minutes() {
    let hook = hook("");
    let exp = SAMPLES["bearerClaimsV2"]["exp"].as_i64().unwrap() * 1_000;
    let context = super::context(&json!({"exp": null, "nbf": null}));
    for (now, in_time) in [
        (1_790_000_000_000 - 300_001, false),
        (1_790_000_000_000 - 300_000, true),
        (exp + 299_999, true),
        (exp + 300_000, false),
    ] {
        let request = Request { now, ..Request::of(&context) };
        if in_time {
            request.accepted(&*hook);
        } else {
            assert_eq!(request.refused(&*hook), EXPIRED, "{now}");
        }
    }
    for (changes, expected) in [
        (json!({ "exp": null }), UNAUTHENTICATED),
        (json!({ "exp": "1790003900" }), UNAUTHENTICATED),
        (json!({ "exp": -1 }), EXPIRED),
        (json!({ "nbf": 1e300 }), EXPIRED),
    ] {
        assert_eq!(refused(&*hook, &bearer(&changes)), expected, "{changes}");
    }
}

#[test]
fn only_signatures_by_rs256_are_looked_at() {
    let hook = hook("");
    let token = bearer(&json!({}));
    let (unsigned, signature) = token.rsplit_once('.').unwrap();
    let claims = maker::encode(SAMPLES["bearerClaimsV2"].to_string());
    let header = |alg: &str| maker::encode(json!({ "alg": alg, "kid": KID }).to_string());
    for none in ["none", "None", "NONE", ""] {
        for signature in ["", "AA", signature] {
            let token = format!("{}.{claims}.{signature}", header(none));
            assert_eq!(refused(&*hook, &token), UNAUTHENTICATED, "{none:?} {signature:?}");
        }
    }
    let public = WORLD.issuer.public_pem();
    let set = WORLD.issuer.key_set();
    let modulus = set["keys"][0]["n"].as_str().unwrap();
    for secret in [public.as_bytes(), public.trim_end().as_bytes(), modulus.as_bytes(), &maker::decode(modulus)] {
        let message = format!("{}.{claims}", header("HS256"));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
        let mac = maker::encode(aws_lc_rs::hmac::sign(&key, message.as_bytes()));
        assert_eq!(refused(&*hook, &format!("{message}.{mac}")), UNAUTHENTICATED);
    }
    for alg in ["RS384", "PS256", "ES256", "rs256", "RS256 "] {
        assert_eq!(refused(&*hook, &signed(&json!({ "alg": alg, "kid": KID }))), UNAUTHENTICATED, "{alg}");
    }
    let stranger = generated().sign(&json!({ "alg": "RS256", "kid": KID }), &SAMPLES["bearerClaimsV2"]);
    assert_eq!(refused(&*hook, &stranger), UNAUTHENTICATED);
    let other = maker::encode(changed(&SAMPLES["bearerClaimsV2"], &json!({ "uti": "other" })).to_string());
    let (header, _) = unsigned.split_once('.').unwrap();
    assert_eq!(refused(&*hook, &format!("{header}.{other}.{signature}")), UNAUTHENTICATED);
}

#[test]
fn a_header_that_demands_more_or_says_things_twice_is_refused() {
    let hook = hook("");
    for more in [json!(["b64"]), json!([]), json!("exp"), json!({})] {
        let header = json!({ "alg": "RS256", "kid": KID, "b64": false, "crit": more });
        assert_eq!(refused(&*hook, &signed(&header)), UNAUTHENTICATED, "{more}");
    }
    let no_name = [json!({ "alg": "RS256" }), json!({ "alg": "RS256", "kid": null }), json!(["RS256", KID])];
    for header in no_name {
        assert_eq!(refused(&*hook, &signed(&header)), UNAUTHENTICATED, "{header}");
    }
    Request::by(&signed(&json!({ "alg": "RS256", "kid": KID, "typ": "JWT", "x5t": KID, "new": {} }))).accepted(&*hook);
}

#[test]
fn a_key_that_is_not_known_yet_is_fetched() {
    let unknown = signed(&json!({ "alg": "RS256", "kid": "signing-2" }));
    assert!(matches!(Request::by(&unknown).next(&*hook("")), Next::FetchKeys));
    let capitals = signed(&json!({ "alg": "RS256", "kid": KID.to_ascii_uppercase() }));
    assert!(matches!(Request::by(&capitals).next(&*hook("")), Next::FetchKeys));
}

#[test]
fn without_a_key_set_nothing_is_let_in_before_it_was_fetched() {
    let hook = opened("", &[Given::of(&WORLD.pair)], None).unwrap();
    assert!(matches!(Request::of(vector("observed-shape")).next(&*hook), Next::FetchKeys));
    let health = Request { method: "GET", authorization: Vec::new(), ..Request::post(&json!({})) };
    assert!(matches!(health.next(&*hook), Next::Answer(answer) if answer.status == 200));
}

#[test]
fn keys_of_a_set_that_cannot_sign_are_passed_over() {
    let right = WORLD.issuer.key_set()["keys"][0].clone();
    let key = |changes: Value| changed(&right, &changes);
    let open = |keys: Vec<Value>| opened("", &[Given::of(&WORLD.pair)], Some(&json!({ "keys": keys }))).unwrap();
    for unusable in [
        key(json!({ "use": "enc" })),
        key(json!({ "kty": "EC" })),
        key(json!({ "n": "a b" })),
        key(json!({ "n": "AQAB" })),
        key(json!({ "e": "" })),
        key(json!({ "kid": null })),
        json!(7),
    ] {
        let only = json!({ "keys": [unusable] });
        assert!(
            opened("", &[Given::of(&WORLD.pair)], Some(&only)).is_err(),
            "no key set: the old one stays; {unusable}"
        );
        Request::of(vector("observed-shape")).accepted(&*open(vec![unusable, right.clone()]));
    }
    Request::of(vector("observed-shape")).accepted(&*open(vec![key(json!({ "use": null, "x5c": ["x"] }))]));
    for no_set in [json!([]), json!({}), json!({ "keys": [] }), json!({ "keys": {} }), json!("x")] {
        assert!(opened("", &[Given::of(&WORLD.pair)], Some(&no_set)).is_err(), "{no_set}");
    }
}

#[test]
fn every_key_of_one_name_is_tried() {
    let of = |pair: &super::Pair| pair.key_set()["keys"][0].clone();
    let (right, other) = (of(&WORLD.issuer), of(&generated()));
    for keys in [json!([other, right]), json!([right, other])] {
        let hook = opened("", &[Given::of(&WORLD.pair)], Some(&json!({ "keys": keys }))).unwrap();
        Request::of(vector("observed-shape")).accepted(&*hook);
    }
    let hook = opened("", &[Given::of(&WORLD.pair)], Some(&json!({ "keys": [other, other] }))).unwrap();
    assert_eq!(refused(&*hook, &bearer(&json!({}))), UNAUTHENTICATED);
}

#[test]
fn a_token_that_is_valid_for_more_than_a_day_is_refused() {
    let hook = hook("");
    let ahead = |seconds: i64| bearer(&json!({ "exp": NOW_MS / 1_000 + seconds }));
    Request::by(&ahead(24 * 3_600 + 300)).accepted(&*hook);
    assert_eq!(refused(&*hook, &ahead(24 * 3_600 + 301)), EXPIRED);
    assert_eq!(refused(&*hook, &bearer(&json!({ "exp": 1e300 }))), EXPIRED);
}

#[test]
fn an_encrypted_token_is_refused_where_the_settings_do_not_want_it() {
    let hook = hook("encrypted_bearer = false");
    let header = json!({ "alg": "RSA-OAEP", "enc": "A128GCM", "x5t": WORLD.pair.x5t() });
    let sealed = WORLD.pair.seal(&header, bearer(&json!({})).as_bytes());
    assert_eq!(refused(&*hook, &sealed), UNAUTHENTICATED);
    Request::by(&bearer(&json!({}))).accepted(&*hook);
}

#[test]
fn an_encrypted_token_names_its_key_where_there_are_several() {
    let id = "33333333-4444-4555-8666-777777777777";
    let sealed = |name: Value| {
        let header = changed(&json!({ "alg": "RSA-OAEP", "enc": "A128GCM" }), &name);
        WORLD.pair.seal(&header, bearer(&json!({})).as_bytes())
    };
    let keys = |ids: [Option<&'static str>; 2]| {
        let [first, second] = ids;
        let other = Given { id: second, ..Given::of(&generated()) };
        super::hook_with("", &[Given { id: first, ..Given::of(&WORLD.pair) }, other])
    };
    let (known, unknown) = (keys([Some(id), Some("other")]), keys([None, None]));
    for name in [json!({ "x5t": WORLD.pair.x5t() }), json!({ "x5t#S256": WORLD.pair.x5t_s256() })] {
        Request::by(&sealed(name.clone())).accepted(&*known);
        Request::by(&sealed(name)).accepted(&*unknown);
    }
    Request::by(&sealed(json!({ "kid": id }))).accepted(&*known);
    assert_eq!(refused(&*unknown, &sealed(json!({ "kid": id }))), UNAUTHENTICATED, "it may be either's");
    for hook in [known, unknown] {
        assert_eq!(refused(&*hook, &sealed(json!({}))), UNAUTHENTICATED);
    }
    Request::by(&sealed(json!({}))).accepted(&*hook(""));
}

#[test]
fn an_encrypted_token_is_taken() {
    let hook = hook("");
    for enc in ["A128CBC-HS256", "A256GCM"] {
        let header = json!({ "alg": "RSA-OAEP", "enc": enc, "x5t": WORLD.pair.x5t(), "cty": "JWT" });
        let seal = |token: &str| WORLD.pair.seal(&header, token.as_bytes());
        assert_eq!(typed(&Request::by(&seal(&bearer(&json!({})))).accepted(&*hook)), PASSWORD);
        assert_eq!(refused(&*hook, &seal(&bearer(&json!({ "aud": "other" })))), NOT_ALLOWED);
        assert_eq!(refused(&*hook, &seal(&maker::unsigned(&SAMPLES["bearerClaimsV2"]))), UNAUTHENTICATED);
        assert_eq!(refused(&*hook, &seal(&SAMPLES["bearerClaimsV2"].to_string())), UNAUTHENTICATED);
        assert_eq!(refused(&*hook, &seal(&seal(&bearer(&json!({}))))), UNAUTHENTICATED, "not twice");
        assert_eq!(refused(&*hook, &seal("\u{e9}")), UNAUTHENTICATED);
        let unknown = seal(&signed(&json!({ "alg": "RS256", "kid": "signing-2" })));
        assert!(matches!(Request::by(&unknown).next(&*hook), Next::FetchKeys));
    }
    let stranger = generated().seal(&json!({ "alg": "RSA-OAEP", "enc": "A128GCM" }), bearer(&json!({})).as_bytes());
    assert_eq!(refused(&*hook, &stranger), UNAUTHENTICATED);
}

#[test]
fn a_token_that_is_too_long_is_not_looked_at() {
    let hook = hook("");
    let padded = |bytes: usize| bearer(&json!({ "more": "x".repeat(bytes) }));
    Request::by(&padded(8_000)).accepted(&*hook);
    assert_eq!(refused(&*hook, &padded(16_000)), UNAUTHENTICATED);
    let token = &"a".repeat(1_000_000);
    let used = allocation_counter::measure(|| assert_eq!(refused(&*hook, token), UNAUTHENTICATED));
    assert!(used.bytes_max < 4 << 20, "{} bytes, with the request itself", used.bytes_max);
}

#[test]
fn nothing_of_the_body_is_read_for_a_caller_who_is_nobody() {
    let request = Request { authorization: Vec::new(), body: b"no JSON".to_vec(), ..Request::post(&json!({})) };
    assert_eq!(request.refused(&*hook("")), UNAUTHENTICATED);
    assert_eq!(Request { now: NOW_MS, ..Request::post(&json!({})) }.refused(&*hook("")), super::MALFORMED);
}
