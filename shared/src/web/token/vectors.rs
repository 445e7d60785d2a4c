//! Project Wycheproof's signed contents and keys.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::{Value, json};

use super::{Refusal, jws::Jws, key::KeySet};

/// Why something valid is refused.
fn why_refused(keys: &Value, token: &str) -> Option<&'static str> {
    if token.split('.').count() == 5 {
        return Some("encrypted: tokens are signed");
    }
    let keys = keys.get("keys").map_or(keys, |keys| &keys[0]);
    match keys["alg"].as_str()? {
        "HS256" | "HS384" | "HS512" => Some("a shared secret, which no issuer publishes"),
        "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES521" => {
            Some("another algorithm than ES256, RS256 and EdDSA")
        }
        _ => None,
    }
}

fn check(keys: &Value, token: &str) -> Result<(), Refusal> {
    let keys = match keys.get("keys") {
        Some(_) => keys.clone(),
        None => json!({"keys": [keys]}),
    };
    let keys = KeySet::from_json(keys.to_string().as_bytes()).unwrap();
    let jws = Jws::parse(token)?;
    let key = keys.get(&jws.header.kid).ok_or(Refusal::UnknownKey)?;
    jws.verified_payload(&key).map(|_| ())
}

#[test]
fn contents_and_keys_of_wycheproof_are_judged_as_it_says() {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let root = std::env::var_os("CLIENTELE_VECTORS").map_or_else(beside, PathBuf::from);
    let folder = root.join("wycheproof/testvectors_v1");
    if !folder.exists() {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    }
    let mut judged = BTreeMap::<&str, usize>::new();
    for file in ["json_web_signature", "json_web_key", "json_web_crypto"] {
        let text = fs::read_to_string(folder.join(format!("{file}_test.json"))).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        for group in document["testGroups"].as_array().unwrap() {
            let keys = group.get("public").unwrap_or(&group["private"]);
            for case in group["tests"].as_array().unwrap() {
                let token = case.get("jws").unwrap_or(&case["jwe"]);
                // Two are JSON and not text.
                let token = token.as_str().map_or(token.to_string(), str::to_owned);
                let outcome = check(keys, &token);
                let at = format!("{file} {}: {} {token}", case["tcId"], case["comment"]);
                let kind = match (case["result"] == "valid", outcome) {
                    (true, Ok(())) => "valid and taken",
                    (false, Err(_)) => "invalid and refused",
                    (false, Ok(())) => panic!("taken although invalid: {at}"),
                    (true, Err(refusal)) => why_refused(keys, &token)
                        .unwrap_or_else(|| panic!("refused although valid: {at}: {refusal}")),
                };
                *judged.entry(kind).or_default() += 1;
            }
        }
    }
    insta::assert_debug_snapshot!(judged, @r#"
    {
        "a shared secret, which no issuer publishes": 16,
        "another algorithm than ES256, RS256 and EdDSA": 26,
        "encrypted: tokens are signed": 2,
        "invalid and refused": 453,
        "valid and taken": 13,
    }
    "#);
}
