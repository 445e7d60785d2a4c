//! What a header and a key may say.

use serde_json::{Value, json};

use super::issuer::{Signer, base64, claims, noon, verifier};
use crate::web::token::Refusal;

#[tokio::test]
async fn every_kind_of_key_is_believed_with_its_own_algorithm() {
    let signers = [Signer::es256("a"), Signer::rs256("a"), Signer::eddsa("a")];
    for signer in &signers {
        for other in &signers {
            let outcome = other.verifier().verify_at(&signer.token(), noon()).await;
            match signer.algorithm() == other.algorithm() {
                true => assert_eq!(outcome.unwrap().subject, "user-7"),
                false => assert_eq!(outcome.unwrap_err(), Refusal::Algorithm),
            }
        }
    }
}

#[tokio::test]
async fn a_key_is_used_for_what_it_is_for() {
    let table = [
        (json!({"use": "sig"}), true),
        (json!({"alg": "ES256"}), true),
        (json!({"key_ops": ["verify"]}), true),
        (json!({"key_ops": ["sign", "verify"]}), true),
        (json!({"colour": "blue"}), true),
        (json!({"use": "enc"}), false),
        (json!({"use": "SIG"}), false),
        (json!({"alg": "ES384"}), false),
        (json!({"alg": "HS256"}), false),
        (json!({"alg": "RS256"}), false),
        (json!({"alg": "ECDH-ES"}), false),
        (json!({"key_ops": []}), false),
        (json!({"key_ops": ["sign", "encrypt"]}), false),
        (json!({"crv": "P-384"}), false),
        (json!({"kty": "RSA"}), false),
        (json!({"kid": null}), false),
        (json!({"kid": "b"}), false),
        (json!({"x": "AAAA"}), false),
    ];
    for (change, is_used) in table {
        let signer = Signer::es256("a");
        let verifier = signer.verifier_with(|jwk| {
            for (name, value) in change.as_object().unwrap() {
                jwk[name] = value.clone();
            }
        });
        let outcome = verifier.verify_at(&signer.token(), noon()).await;
        assert_eq!(outcome.is_ok(), is_used, "{change}");
    }
}

#[tokio::test]
async fn of_two_keys_with_one_id_the_first_counts() {
    let (first, second) = (Signer::es256("a"), Signer::es256("a"));
    let verifier = verifier(&json!({"keys": [first.jwk(), second.jwk()]}).to_string());
    assert!(verifier.verify_at(&first.token(), noon()).await.is_ok());
    let outcome = verifier.verify_at(&second.token(), noon()).await;
    assert_eq!(outcome.unwrap_err(), Refusal::Signature);
}

#[tokio::test]
async fn a_header_says_what_is_needed_and_nothing_dangerous() {
    let signer = Signer::es256("a");
    let with = |name: &str, value: Value| {
        let mut header = signer.header();
        header[name] = value;
        header.to_string()
    };
    let without = |name: &str| {
        let mut header = signer.header();
        header.as_object_mut().unwrap().remove(name);
        header.to_string()
    };
    let member = |name| Err(Refusal::HeaderMember(name));
    let table: &[(String, Result<(), Refusal>)] = &[
        (signer.header().to_string(), Ok(())),
        (without("typ"), Ok(())),
        (with("typ", json!("at+JWT")), Ok(())),
        (with("x5t", json!("AAAA")), Ok(())),
        (with("colour", json!("blue")), Ok(())),
        (with("typ", json!("logout+jwt")), Err(Refusal::Type)),
        (with("typ", json!(7)), Err(Refusal::Header)),
        (without("alg"), Err(Refusal::Header)),
        (with("alg", json!(["ES256"])), Err(Refusal::Header)),
        (with("alg", json!("es256")), Err(Refusal::Algorithm)),
        (with("alg", json!("none")), Err(Refusal::Algorithm)),
        (without("kid"), Err(Refusal::Header)),
        (with("kid", json!(1)), Err(Refusal::Header)),
        (with("kid", Value::Null), Err(Refusal::Header)),
        (with("kid", json!("b")), Err(Refusal::UnknownKey)),
        (with("kid", json!("A")), Err(Refusal::UnknownKey)),
        (with("kid", json!("a\u{0}")), Err(Refusal::UnknownKey)),
        (with("jwk", signer.jwk()), member("jwk")),
        (
            with("jku", json!("https://attacker.example")),
            member("jku"),
        ),
        (
            with("x5u", json!("https://attacker.example")),
            member("x5u"),
        ),
        (with("x5c", json!(["MII"])), member("x5c")),
        (with("crit", json!([])), member("crit")),
        (with("b64", json!(true)), member("b64")),
        (with("enc", json!("A256GCM")), member("enc")),
        (with("zip", json!("DEF")), member("zip")),
        (with("cty", json!("JWT")), member("cty")),
        (
            signer
                .header()
                .to_string()
                .replacen('{', "{\"kid\":\"a\",", 1),
            Err(Refusal::Header),
        ),
        (
            signer
                .header()
                .to_string()
                .replacen('{', "{\"\\u0061lg\":\"none\",", 1),
            Err(Refusal::Header),
        ),
        ("null".to_owned(), Err(Refusal::Header)),
        (String::new(), Err(Refusal::Header)),
    ];
    let verifier = signer.verifier();
    for (header, expected) in table {
        let token = signer.sign(header, &claims().to_string());
        let outcome = verifier.verify_at(&token, noon()).await.map(|_| ());
        assert_eq!(&outcome, expected, "{header}");
    }
}

#[tokio::test]
async fn a_token_has_one_spelling() {
    let signer = Signer::es256("a");
    let verifier = signer.verifier();
    let token = signer.token();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let raw = signer.signature(signed);
    let shortened = &raw[..raw.len() - 1];
    let longer = [raw.as_slice(), &[0]].concat();
    let (half, rest) = signature.split_at(40);
    // The last of 86 characters carries 4 bits of the signature, and 2 that must be 0.
    let (last, others) = (signature.chars().last().unwrap(), &signature[..85]);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let junk = alphabet.as_bytes()[alphabet.find(last).unwrap() + 1] as char;
    let form = [
        format!("{token}."),
        format!("{token}.."),
        format!(".{token}"),
        format!("{signed}.{signature}=="),
        format!("{signed}.{half} {rest}"),
        format!("{signed}.{half}\n{rest}"),
        format!(" {token}"),
        format!("{signed}.{others}{junk}"),
        format!("{signed}.{}", data_encoding::BASE64.encode(&[0xfb; 64])),
        signed.to_owned(),
        "a".to_owned(),
        String::new(),
        format!("{}.é.{signature}", base64(signer.header().to_string())),
        json!({"payload": "Zm9v", "signatures": []}).to_string(),
    ];
    for token in form {
        let outcome = verifier.verify_at(&token, noon()).await;
        assert_eq!(outcome.unwrap_err(), Refusal::Form, "{token}");
    }
    for signature in [&[][..], shortened, &longer, &[0; 64], &[0xff; 64], &[0; 72]] {
        let token = format!("{signed}.{}", base64(signature));
        let outcome = verifier.verify_at(&token, noon()).await;
        assert_eq!(outcome.unwrap_err(), Refusal::Signature);
    }
    let long = format!("{signed}.{}", "A".repeat(1 << 20));
    let outcome = verifier.verify_at(&long, noon()).await;
    assert_eq!(outcome.unwrap_err(), Refusal::TooLong);
}

#[test]
fn a_refusal_repeats_nothing_of_the_token() {
    insta::assert_snapshot!(Refusal::HeaderMember("jku"), @r#"the token's header has "jku", which is not taken"#);
    insta::assert_snapshot!(Refusal::Claim("exp"), @"the token's claim exp is not acceptable");
}
