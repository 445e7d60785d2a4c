//! What claims must say.

use serde_json::{Value, json};

use super::issuer::{AUDIENCE, ISSUER, Signer, claims, noon};
use crate::web::{Principal, Scope, token::Refusal};

/// The outcome for a token with one claim changed, or left out by `Value::Null`.
async fn with(name: &str, value: Value) -> Result<Principal, Refusal> {
    let mut claims = claims();
    match value {
        Value::Null => claims.as_object_mut().unwrap().remove(name),
        value => claims
            .as_object_mut()
            .unwrap()
            .insert(name.to_owned(), value),
    };
    with_claims(&claims.to_string()).await
}

async fn with_claims(claims: &str) -> Result<Principal, Refusal> {
    let signer = Signer::eddsa("a");
    let token = signer.sign(&signer.header().to_string(), claims);
    signer.verifier().verify_at(&token, noon()).await
}

#[tokio::test]
async fn each_claim_is_checked_to_the_second() {
    let now = noon().as_second();
    let ok = || Ok(());
    let (unreadable, wrong) = (Refusal::Claims, |name| Err(Refusal::Claim(name)));
    let unreadable = || Err(unreadable.clone());
    let table: &[(&str, Value, Result<(), Refusal>)] = &[
        ("exp", json!(now - 59), ok()),
        ("exp", json!(now - 60), wrong("exp")),
        ("exp", json!(0), wrong("exp")),
        ("exp", json!(-1), wrong("exp")),
        ("exp", json!(253_402_207_200_i64), ok()),
        ("exp", json!(253_402_300_800_i64), unreadable()),
        ("exp", json!(u64::MAX), unreadable()),
        ("exp", json!(1e300), unreadable()),
        ("exp", json!(now as f64 + 0.5), unreadable()),
        ("exp", json!((now + 60).to_string()), unreadable()),
        ("exp", json!([now + 60]), unreadable()),
        ("exp", Value::Null, unreadable()),
        ("nbf", json!(now + 60), ok()),
        ("nbf", json!(now + 61), wrong("nbf")),
        ("nbf", json!("soon"), unreadable()),
        ("nbf", json!(1.5), unreadable()),
        ("nbf", Value::Null, ok()),
        ("iat", json!(now + 60), ok()),
        ("iat", json!(now + 61), wrong("iat")),
        ("iat", json!("now"), unreadable()),
        ("iat", Value::Null, ok()),
        ("iss", json!(format!("{ISSUER}/")), wrong("iss")),
        (
            "iss",
            json!(format!("{ISSUER}.attacker.example")),
            wrong("iss"),
        ),
        ("iss", json!(ISSUER.to_uppercase()), wrong("iss")),
        ("iss", json!([ISSUER]), unreadable()),
        ("iss", Value::Null, unreadable()),
        ("aud", json!([AUDIENCE]), ok()),
        ("aud", json!(["other", AUDIENCE]), ok()),
        ("aud", json!(["other"]), wrong("aud")),
        ("aud", json!([]), wrong("aud")),
        ("aud", json!([AUDIENCE, 7]), unreadable()),
        ("aud", json!("Clientele"), wrong("aud")),
        ("aud", json!("clientele other"), wrong("aud")),
        ("aud", json!(""), wrong("aud")),
        ("aud", json!({"clientele": true}), unreadable()),
        ("aud", Value::Null, unreadable()),
        ("sub", json!("x".repeat(255)), ok()),
        ("sub", json!("x".repeat(256)), wrong("sub")),
        ("sub", json!(""), wrong("sub")),
        ("sub", json!(7), unreadable()),
        ("sub", Value::Null, unreadable()),
        ("organization_id", json!(0), unreadable()),
        ("organization_id", json!(-1), unreadable()),
        ("organization_id", json!(1.0), unreadable()),
        ("organization_id", json!("1"), unreadable()),
        ("organization_id", json!(" 1 "), unreadable()),
        ("organization_id", json!(u64::MAX), unreadable()),
        ("organization_id", json!([1]), unreadable()),
        ("organization_id", Value::Null, unreadable()),
        ("scope", Value::Null, ok()),
        ("scope", json!(["records:read"]), unreadable()),
        ("scope", json!(true), unreadable()),
        ("groups", Value::Null, ok()),
        ("groups", json!([]), ok()),
        ("groups", json!(["tenants"]), ok()),
        ("groups", json!("tenants"), unreadable()),
        ("groups", json!([7]), unreadable()),
        ("groups", json!({}), unreadable()),
        ("email", json!({"nobody": ["reads", "this"]}), ok()),
    ];
    for (name, value, expected) in table {
        let outcome = with(name, value.clone()).await.map(|_| ());
        assert_eq!(&outcome, expected, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_null_is_not_an_absent_claim() {
    for name in claims()
        .as_object()
        .unwrap()
        .keys()
        .chain([&"groups".to_owned()])
    {
        let mut claims = claims();
        claims[name] = Value::Null;
        let outcome = with_claims(&claims.to_string()).await;
        assert_eq!(outcome.unwrap_err(), Refusal::Claims, "{name}");
    }
}

#[tokio::test]
async fn claims_are_one_object_that_names_nothing_twice() {
    let good = claims().to_string();
    let twice = |member: &str| good.replacen('{', &format!("{{{member},"), 1);
    let table = [
        twice("\"organization_id\":1"),
        twice("\"sub\":\"admin\""),
        twice("\"exp\":9999999999"),
        twice("\"organization\\u005fid\":1"),
        twice("\"colour\":1,\"colour\":1"),
        format!("{good}{good}"),
        format!("{good} x"),
        format!("[{good}]"),
        "null".to_owned(),
        String::new(),
        "{".repeat(2000),
        "[".repeat(2000),
    ];
    for claims in table {
        let outcome = with_claims(&claims).await;
        assert_eq!(outcome.unwrap_err(), Refusal::Claims, "{claims}");
    }
}

#[tokio::test]
async fn a_principal_may_what_its_scopes_say_and_no_more() {
    let table: &[(&str, &[Scope])] = &[
        ("", &[]),
        ("records:read", &[Scope::RecordsRead]),
        (
            "openid records:read pii:reveal",
            &[Scope::RecordsRead, Scope::PiiReveal],
        ),
        ("records:read  records:read", &[Scope::RecordsRead]),
        ("records:*", &[]),
        ("Records:Read", &[]),
        ("records:read,records:write", &[]),
        ("records:read\trecords:write", &[]),
    ];
    for (scope, expected) in table {
        let principal = with("scope", json!(scope)).await.unwrap();
        let may: Vec<_> = Scope::ALL
            .into_iter()
            .filter(|s| principal.may(*s))
            .collect();
        assert_eq!(&may, expected, "{scope:?}");
    }
}
