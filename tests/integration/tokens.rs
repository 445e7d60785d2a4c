//! Tokens that must not be believed, sent to the running function.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use clientele::{
    Registry,
    config::{Config, JwtConfig},
};
use data_encoding::{BASE64, BASE64_MIME, BASE64URL, BASE64URL_NOPAD, HEXLOWER};
use http::{Response, header::AUTHORIZATION};
use lambda_http::{Body, RequestExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    logs,
    stack::{Stack, context},
};

const ISSUER: &str = "https://issuer.example";
/// A subject that must not be logged with a refused token.
const SUBJECT: &str = "Canary-5d1c";
/// What comes before a P-256 point in a public key's DER (RFC 5480).
const SPKI: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

struct Issuer(EcdsaKeyPair);

impl Issuer {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn point(&self) -> Vec<u8> {
        self.0.public_key().as_ref().to_vec()
    }

    fn jwk(&self) -> Value {
        let point = self.point();
        let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": "k1", "x": x, "y": y})
    }

    fn der(&self) -> Vec<u8> {
        [HEXLOWER.decode(SPKI.as_bytes()).unwrap(), self.point()].concat()
    }

    fn pem(&self) -> String {
        let lines = BASE64_MIME.encode(&self.der()).replace("\r\n", "\n");
        let lines = lines.trim();
        format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n")
    }

    fn signature(&self, content: &str) -> Vec<u8> {
        let signature = self.0.sign(&SystemRandom::new(), content.as_bytes());
        signature.unwrap().as_ref().to_vec()
    }

    fn sign(&self, header: impl ToString, claims: impl ToString) -> String {
        let content = content(header, claims);
        let signature = encode(self.signature(&content));
        format!("{content}.{signature}")
    }

    /// A token with another header than usual.
    fn with_header(&self, name: &str, value: Value) -> String {
        self.sign(changed(header(), name, value), claims())
    }

    /// A token with another claim than usual.
    fn with_claim(&self, name: &str, value: Value) -> String {
        self.sign(header(), changed(claims(), name, value))
    }

    fn jwks(&self) -> String {
        json!({"keys": [self.jwk()]}).to_string()
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

fn content(header: impl ToString, claims: impl ToString) -> String {
    let (header, claims) = (header.to_string(), claims.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

fn header() -> Value {
    json!({"alg": "ES256", "typ": "JWT", "kid": "k1"})
}

fn claims() -> Value {
    let now = jiff::Timestamp::now().as_second();
    json!({
        "iss": ISSUER, "aud": "clientele", "sub": SUBJECT, "organization_id": 1,
        "scope": "records:read", "iat": now, "nbf": now, "exp": now + 600,
    })
}

/// An object with a member changed, or left out by `Value::Null`.
fn changed(mut object: Value, name: &str, value: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    match value {
        Value::Null => members.remove(name),
        value => members.insert(name.to_owned(), value),
    };
    object
}

/// The function of a deployment that believes an issuer.
fn registry_that_believes(stack: &Stack, jwks: String) -> Registry {
    let config = Config {
        jwt: JwtConfig {
            issuer: ISSUER.to_owned(),
            audience: "clientele".to_owned(),
            scope_prefix: String::new(),
            jwks,
        },
        ..stack.registry.config.clone()
    };
    Registry::new(config, stack.local.clients.clone()).unwrap()
}

/// Reads customers with some `Authorization` headers.
async fn ask(registry: &Registry, authorization: &[String]) -> Response<Body> {
    let mut request = http::Request::get("/api/v1/out/customers");
    for value in authorization {
        request = request.header(AUTHORIZATION, value);
    }
    let request = request.body(Body::Empty).unwrap();
    let context = context("tokens", std::time::Duration::from_secs(10));
    clientele_api::handle(registry, request.with_lambda_context(context)).await
}

/// Tokens that somebody without the issuer's key can make, or that were made for another purpose.
fn attacks(issuer: &Issuer) -> Vec<(&'static str, String)> {
    let good = issuer.sign(header(), claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, payload) = signed.split_once('.').unwrap();
    let stranger = Issuer::new();
    let now = jiff::Timestamp::now().as_second();
    let unsigned = |alg: Value| content(changed(header(), "alg", alg), claims());
    let keyed = |key: &[u8]| {
        let content = unsigned(json!("HS256"));
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let mac = hmac::sign(&key, content.as_bytes());
        format!("{content}.{}", encode(mac))
    };
    let by_stranger = |name: &str, value| {
        let header = changed(header(), name, value);
        stranger.sign(header, claims())
    };
    let twice =
        |object: Value, member: &str| object.to_string().replacen('{', &format!("{{{member},"), 1);
    let raw = issuer.signature(signed);
    let integer = |half: &[u8]| [&[2, 33, 0], half].concat();
    let der = [vec![0x30, 70], integer(&raw[..32]), integer(&raw[32..])].concat();
    let claim = |name, value| issuer.with_claim(name, value);
    vec![
        ("alg none", format!("{}.", unsigned(json!("none")))),
        ("alg None", format!("{}.", unsigned(json!("None")))),
        (
            "alg none with the signature",
            format!("{}.{signature}", unsigned(json!("none"))),
        ),
        ("alg missing", format!("{}.", unsigned(Value::Null))),
        (
            "alg missing, signed",
            issuer.with_header("alg", Value::Null),
        ),
        ("alg empty", issuer.with_header("alg", json!(""))),
        ("HS256 with the PEM", keyed(issuer.pem().as_bytes())),
        (
            "HS256 with the PEM, trimmed",
            keyed(issuer.pem().trim().as_bytes()),
        ),
        ("HS256 with the DER", keyed(&issuer.der())),
        (
            "HS256 with the JWK",
            keyed(issuer.jwk().to_string().as_bytes()),
        ),
        ("HS256 with the point", keyed(&issuer.point())),
        ("HS256 with nothing", keyed(&[])),
        ("ES384", issuer.with_header("alg", json!("ES384"))),
        ("embedded jwk", by_stranger("jwk", stranger.jwk())),
        (
            "jku",
            by_stranger("jku", json!("https://attacker.example/jwks")),
        ),
        (
            "x5u",
            by_stranger("x5u", json!("https://attacker.example/x5u")),
        ),
        (
            "x5c",
            by_stranger("x5c", json!([BASE64.encode(&stranger.der())])),
        ),
        ("key of another issuer", stranger.sign(header(), claims())),
        (
            "kid with a path",
            issuer.with_header("kid", json!("../../../dev/null")),
        ),
        (
            "kid with SQL",
            issuer.with_header("kid", json!("k1' OR '1'='1")),
        ),
        (
            "kid very long",
            issuer.with_header("kid", json!("k".repeat(4000))),
        ),
        ("kid unknown", issuer.with_header("kid", json!("k2"))),
        ("kid empty", issuer.with_header("kid", json!(""))),
        ("kid missing", issuer.with_header("kid", Value::Null)),
        ("kid a list", issuer.with_header("kid", json!(["k1"]))),
        ("crit", issuer.with_header("crit", json!(["exp"]))),
        ("b64 false", issuer.with_header("b64", json!(false))),
        (
            "header twice",
            issuer.sign(twice(header(), r#""alg":"none""#), claims()),
        ),
        ("exp missing", claim("exp", Value::Null)),
        ("exp a string", claim("exp", json!((now + 600).to_string()))),
        ("exp a fraction", claim("exp", json!(now as f64 + 600.5))),
        ("exp past", claim("exp", json!(now - 61))),
        ("exp absurd", claim("exp", json!(u64::MAX))),
        ("exp more absurd", claim("exp", json!(1e308))),
        ("nbf in the future", claim("nbf", json!(now + 120))),
        ("nbf a string", claim("nbf", json!("0"))),
        ("iat in the future", claim("iat", json!(now + 120))),
        ("aud missing", claim("aud", Value::Null)),
        ("aud wrong", claim("aud", json!("clientele-test"))),
        ("aud a list without us", claim("aud", json!(["a", "b"]))),
        ("iss missing", claim("iss", Value::Null)),
        (
            "iss with a suffix",
            claim("iss", json!(format!("{ISSUER}.attacker.example"))),
        ),
        (
            "iss with a slash",
            claim("iss", json!(format!("{ISSUER}/"))),
        ),
        ("sub missing", claim("sub", Value::Null)),
        (
            "organization_id missing",
            claim("organization_id", Value::Null),
        ),
        (
            "organization_id negative",
            claim("organization_id", json!(-1)),
        ),
        ("organization_id zero", claim("organization_id", json!(0))),
        (
            "organization_id a fraction",
            claim("organization_id", json!(1.5)),
        ),
        (
            "organization_id a string",
            claim("organization_id", json!("1")),
        ),
        (
            "organization_id with spaces",
            claim("organization_id", json!(" 1 ")),
        ),
        (
            "organization_id twice",
            issuer.sign(header(), twice(claims(), r#""organization_id":2"#)),
        ),
        (
            "exp twice",
            issuer.sign(header(), twice(claims(), r#""exp":1"#)),
        ),
        ("scope a list", claim("scope", json!(["records:read"]))),
        ("groups a string", claim("groups", json!("tenants"))),
        (
            "groups null",
            issuer.sign(header(), twice(claims(), r#""groups":null"#)),
        ),
        (
            "claims of another token",
            format!("{head}.{}.{signature}", encode(claims().to_string() + " ")),
        ),
        (
            "JWE",
            format!(
                "{}.{payload}.{payload}.{payload}.{payload}",
                encode(r#"{"alg":"dir","enc":"A256GCM","kid":"k1"}"#)
            ),
        ),
        (
            "JSON serialization",
            json!({"payload": payload, "protected": head, "signature": signature}).to_string(),
        ),
        ("1 MB", format!("{signed}.{}", "A".repeat(1 << 20))),
        ("1 MB of dots", ".".repeat(1 << 20)),
        ("signature missing", format!("{signed}.")),
        (
            "signature truncated",
            format!("{signed}.{}", encode(&raw[..63])),
        ),
        (
            "signature of zeros",
            format!("{signed}.{}", encode([0; 64])),
        ),
        ("signature as DER", format!("{signed}.{}", encode(der))),
        (
            "signature padded",
            format!("{signed}.{}", BASE64URL.encode(&raw)),
        ),
        (
            "signature in hex",
            format!("{signed}.{}", HEXLOWER.encode(&raw)),
        ),
        ("trailing dot", format!("{good}.")),
        ("leading dot", format!(".{good}")),
        ("whitespace inside", format!("{signed}. {signature}")),
        ("tab inside", format!("{signed}.\t{signature}")),
        ("two tokens", format!("{good} {good}")),
        ("two tokens with a comma", format!("{good}, Bearer {good}")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_and_misused_tokens_are_refused_and_not_logged() {
    let stack = Stack::start().await;
    let issuer = Issuer::new();
    let registry = registry_that_believes(&stack, issuer.jwks());
    let attacks = attacks(&issuer);
    for (name, token) in &attacks {
        let answer = ask(&registry, &[format!("Bearer {token}")]).await;
        assert_eq!(answer.status(), 401, "{name}");
        assert_eq!(answer.headers()["www-authenticate"], "Bearer", "{name}");
        let Body::Text(body) = answer.body() else {
            panic!("{name}")
        };
        let body: Value = serde_json::from_str(body).unwrap();
        let detail = "send a valid token as Authorization: Bearer …";
        assert_eq!(body["detail"], detail, "{name}");
    }
    let good = issuer.sign(header(), claims());
    let bearer = format!("Bearer {good}");
    let others: &[&[String]] = &[
        &[],
        &[String::new()],
        &["Bearer".to_owned()],
        &["Bearer ".to_owned()],
        std::slice::from_ref(&good),
        &[format!("Basic {good}")],
        &[format!("Bearer{good}")],
        &[bearer.clone(), bearer.clone()],
        &[bearer.clone(), "Bearer x".to_owned()],
    ];
    for authorization in others {
        let answer = ask(&registry, authorization).await;
        assert_eq!(answer.status(), 401, "{authorization:?}");
    }
    let logged = logs::captured();
    assert!(!logged.contains(SUBJECT));
    for (name, token) in &attacks {
        let parts = token.split(['.', ' ']).filter(|part| part.len() > 20);
        for part in parts {
            assert!(!logged.contains(part), "{name} is in the log");
        }
    }
    println!("{} attacks", attacks.len() + others.len());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn good_tokens_are_believed() {
    let stack = Stack::start().await;
    let issuer = Issuer::new();
    let registry = registry_that_believes(&stack, issuer.jwks());
    let now = jiff::Timestamp::now().as_second();
    let table = [
        ("as usual", issuer.sign(header(), claims())),
        (
            "aud a list with us",
            issuer.with_claim("aud", json!(["a", "clientele"])),
        ),
        ("just expired", issuer.with_claim("exp", json!(now - 50))),
        (
            "valid in a moment",
            issuer.with_claim("nbf", json!(now + 50)),
        ),
        ("no type", issuer.with_header("typ", Value::Null)),
        (
            "an access token",
            issuer.with_header("typ", json!("at+jwt")),
        ),
    ];
    for (name, token) in table {
        for scheme in ["Bearer", "bearer"] {
            let answer = ask(&registry, &[format!("{scheme} {token}")]).await;
            assert_eq!(answer.status(), 200, "{name}: {answer:?}");
        }
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_at_an_address_are_fetched_and_their_absence_is_not_the_callers_fault() {
    let stack = Stack::start().await;
    let issuer = Issuer::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/jwks", listener.local_addr().unwrap());
    let bearer = [format!("Bearer {}", issuer.sign(header(), claims()))];

    let jwks = issuer.jwks();
    let serving = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        let _ = connection.read(&mut request).await.unwrap();
        let length = jwks.len();
        let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{jwks}");
        connection.write_all(reply.as_bytes()).await.unwrap();
    });
    let registry = registry_that_believes(&stack, address.clone());
    assert_eq!(ask(&registry, &bearer).await.status(), 200);
    serving.await.unwrap();
    // Nobody listens any more.
    assert_eq!(ask(&registry, &bearer).await.status(), 200);
    let cold = registry_that_believes(&stack, address);
    let answer = ask(&cold, &bearer).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "5");
    stack.stop().await;
}
