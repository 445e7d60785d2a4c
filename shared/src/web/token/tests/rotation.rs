//! Keys that come and go, over a real connection.

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{
    issuer::{Signer, noon, verifier},
    server::{Answer, KeyServer},
};
use crate::web::token::{FetchError, Refusal, Verifier, VerifierError};

/// Noon and some minutes.
fn noon_and(minutes: i64) -> Timestamp {
    noon() + SignedDuration::from_mins(minutes)
}

/// Whether a fresh token of a key is believed at a time.
async fn believes(verifier: &Verifier, signer: &Signer, now: Timestamp) -> Result<(), Refusal> {
    let token = signer.token_at(now);
    verifier.verify_at(&token, now).await.map(|_| ())
}

#[tokio::test]
async fn nothing_is_fetched_before_a_token_comes_and_then_once() {
    let signer = Signer::es256("a");
    let server = KeyServer::start(Answer::keys(&[signer.jwk()])).await;
    let verifier = verifier(&server.address);
    assert_eq!(server.asked(), 0);
    let token = signer.token();
    // Also when many ask at once.
    let verified = join_all((0..20).map(|_| verifier.verify_at(&token, noon()))).await;
    assert!(verified.iter().all(Result::is_ok));
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn a_new_key_is_believed_after_one_more_fetch() {
    let (old, new) = (Signer::es256("old"), Signer::rs256("new"));
    let server = KeyServer::start(Answer::keys(&[old.jwk()])).await;
    let verifier = verifier(&server.address);
    assert_eq!(believes(&verifier, &old, noon()).await, Ok(()));
    server.answers(Answer::keys(&[old.jwk(), new.jwk()]));
    assert_eq!(believes(&verifier, &new, noon_and(1)).await, Ok(()));
    assert_eq!(believes(&verifier, &old, noon_and(1)).await, Ok(()));
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_one_fetch_a_minute() {
    let (known, unknown) = (Signer::es256("known"), Signer::es256("unknown"));
    let server = KeyServer::start(Answer::keys(&[known.jwk()])).await;
    let verifier = verifier(&server.address);
    for second in 0..600 {
        let now = noon() + SignedDuration::from_secs(second);
        let believed = believes(&verifier, &unknown, now).await;
        assert_eq!(believed, Err(Refusal::UnknownKey));
    }
    assert_eq!(server.asked(), 10);
    // Nor more while the server is down.
    server.answers(Answer::HangsUp);
    for second in 600..1200 {
        let now = noon() + SignedDuration::from_secs(second);
        let believed = believes(&verifier, &unknown, now).await;
        assert_eq!(believed, Err(Refusal::UnknownKey));
        assert_eq!(believes(&verifier, &known, now).await, Ok(()));
    }
    assert_eq!(server.asked(), 20);
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_within_the_hour() {
    let (good, stolen) = (Signer::es256("good"), Signer::eddsa("stolen"));
    let server = KeyServer::start(Answer::keys(&[good.jwk(), stolen.jwk()])).await;
    let verifier = verifier(&server.address);
    assert_eq!(believes(&verifier, &stolen, noon()).await, Ok(()));
    server.answers(Answer::keys(&[good.jwk()]));
    assert_eq!(believes(&verifier, &stolen, noon_and(59)).await, Ok(()));
    assert_eq!(
        believes(&verifier, &stolen, noon_and(60)).await,
        Err(Refusal::UnknownKey)
    );
    assert_eq!(believes(&verifier, &good, noon_and(60)).await, Ok(()));
    assert_eq!(server.asked(), 2);
    // An issuer that withdraws all its keys means it.
    server.answers(Answer::keys(&[]));
    assert_eq!(
        believes(&verifier, &good, noon_and(120)).await,
        Err(Refusal::UnknownKey)
    );
}

#[tokio::test]
async fn old_keys_stay_while_the_server_fails_but_not_for_ever() {
    let signer = Signer::es256("a");
    let good = Answer::keys(&[signer.jwk()]);
    let keys_elsewhere = KeyServer::start(good.clone()).await;
    let redirect = format!("302 Found\r\nlocation: {}", keys_elsewhere.address);
    let padding = "x".repeat(256 * 1024);
    let huge = json!({"keys": [signer.jwk()], "padding": padding});
    let failures = [
        ("hangs up", Answer::HangsUp),
        ("garbage", Answer::ok("<html>")),
        ("another document", Answer::ok(json!({"error": "busy"}))),
        ("keys that are no list", Answer::ok(json!({"keys": {}}))),
        ("nothing", Answer::ok("")),
        ("huge", Answer::ok(huge)),
        ("redirect", Answer::With(redirect, String::new())),
        (
            "failure",
            Answer::With("500 Oops".to_owned(), String::new()),
        ),
        (
            "moved",
            Answer::With("404 Not Found".to_owned(), String::new()),
        ),
    ];
    for (name, failure) in failures {
        let server = KeyServer::start(good.clone()).await;
        let verifier = verifier(&server.address);
        assert_eq!(believes(&verifier, &signer, noon()).await, Ok(()), "{name}");
        server.answers(failure);
        for minutes in [60, 61, 600, 24 * 60 - 1] {
            let believed = believes(&verifier, &signer, noon_and(minutes)).await;
            assert_eq!(believed, Ok(()), "{name} after {minutes} minutes");
        }
        assert_eq!(server.asked(), 5, "{name}");
        let refused = believes(&verifier, &signer, noon_and(24 * 60)).await;
        assert!(
            matches!(refused, Err(Refusal::NoKeys(_))),
            "{name}: {refused:?}"
        );
        server.answers(good.clone());
        let again = noon_and(24 * 60 + 1);
        assert_eq!(believes(&verifier, &signer, again).await, Ok(()), "{name}");
    }
    assert_eq!(keys_elsewhere.asked(), 0);
}

#[tokio::test]
async fn without_any_keys_the_caller_is_told_to_try_again() {
    let signer = Signer::es256("a");
    let mut server = KeyServer::start(Answer::With("503 Busy".to_owned(), String::new())).await;
    let verifier = verifier(&server.address);
    let token = signer.token();
    let answers = join_all((0..20).map(|_| verifier.verify_at(&token, noon()))).await;
    for answer in answers {
        let refusal = answer.unwrap_err();
        assert_eq!(refusal, Refusal::NoKeys(FetchError::Status(503)));
    }
    // Those who wait for one fetch take its outcome.
    assert_eq!(server.asked(), 1);
    server.answers(Answer::keys(&[signer.jwk()]));
    let soon = noon() + SignedDuration::from_secs(5);
    assert_eq!(believes(&verifier, &signer, soon).await, Ok(()));
    server.stop().await;
    assert_eq!(believes(&verifier, &signer, noon_and(90)).await, Ok(()));
    let refused = believes(&verifier, &signer, noon_and(24 * 60 + 5)).await;
    assert!(matches!(
        refused,
        Err(Refusal::NoKeys(FetchError::Connection(_)))
    ));
}

/// The clock runs by itself whenever everybody waits, as here for the rest of the body.
#[tokio::test(start_paused = true)]
async fn a_server_that_stalls_is_not_waited_for() {
    let server = KeyServer::start(Answer::Stalls).await;
    let verifier = verifier(&server.address);
    let before = tokio::time::Instant::now();
    let refused = believes(&verifier, &Signer::es256("a"), noon()).await;
    assert_eq!(refused, Err(Refusal::NoKeys(FetchError::Timeout)));
    assert_eq!(before.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn a_bad_key_does_not_spoil_the_others() {
    let signer = Signer::es256("good");
    let keys = [
        json!("text"),
        json!({"kty": "EC", "kid": 7}),
        json!({"kty": "EC", "crv": "P-256", "kid": "broken", "x": "!", "y": ""}),
        json!({"kty": "oct", "kid": "secret", "k": "AAAA"}),
        json!({"kty": "of the future", "kid": "strange"}),
        signer.jwk(),
    ];
    let server = KeyServer::start(Answer::keys(&keys)).await;
    let verifier = verifier(&server.address);
    assert_eq!(believes(&verifier, &signer, noon()).await, Ok(()));
}

#[test]
fn keys_come_over_tls_or_from_this_machine() {
    let table = [
        ("https://issuer.example/jwks.json", true),
        ("http://127.0.0.1:8000/jwks.json", true),
        ("http://[::1]/jwks.json", true),
        ("http://localhost/jwks.json", true),
        ("http://issuer.example/jwks.json", false),
        ("http://127.0.0.1.issuer.example/jwks.json", false),
        ("http://10.0.0.1/jwks.json", false),
        ("https://", false),
        ("httpsissuer", false),
        ("ftp://issuer.example/jwks.json", false),
        ("file:///nowhere/jwks.json", false),
        ("{\"keys\": []}", true),
        ("{}", false),
        ("", false),
    ];
    for (jwks, is_taken) in table {
        assert_eq!(verifier_of(jwks).is_ok(), is_taken, "{jwks}");
    }
}

fn verifier_of(jwks: &str) -> Result<Verifier, VerifierError> {
    Verifier::new(&crate::config::JwtConfig {
        issuer: "i".to_owned(),
        audience: "a".to_owned(),
        scope_prefix: String::new(),
        jwks: jwks.to_owned(),
    })
}

#[test]
fn a_file_that_is_no_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    std::fs::write(format!("{folder}/keys.json"), r#"{"keys": []}"#).unwrap();
    std::fs::write(format!("{folder}/page.html"), "<html>").unwrap();
    let table = [
        ("file://FOLDER/keys.json", None),
        (
            "file://FOLDER/page.html",
            Some("JWKS names the file FOLDER/page.html, which is not a JSON Web Key Set"),
        ),
        (
            "file://FOLDER/none.json",
            Some(
                "JWKS names the file FOLDER/none.json, which cannot be read: No such file or directory (os error 2)",
            ),
        ),
        (
            "file://keys.json",
            Some(
                "JWKS names the file keys.json by a relative path: file:// is followed by an absolute one",
            ),
        ),
    ];
    for (jwks, message) in table {
        let error = verifier_of(&jwks.replace("FOLDER", folder)).err();
        let said = error.map(|error| error.to_string().replace(folder, "FOLDER"));
        assert_eq!(said.as_deref(), message, "{jwks}");
    }
}
