//! A small identity provider, over HTTP, that keeps to RFC 6749, RFC 7636 and RFC 9207 and refuses
//! what they have it refuse.

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{RawQuery, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use clientele_docs::ProviderSettings;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};
use uuid::Uuid;

const CLIENT: &str = "console";
const SCOPES: &str = "openid clientele/records:read";
const AUDIENCE: &str = "clientele";

/// A provider that serves until the test ends.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    /// Codes that were given out.
    codes: Mutex<HashMap<String, Grant>>,
    /// What everybody gets who signs in on its page.
    token: Mutex<String>,
}

/// What a code is good for, once.
struct Grant {
    challenge: String,
    redirect_uri: String,
    token: String,
}

impl Provider {
    /// A provider at a host that is this machine: `127.0.0.1`, or `localhost`, which is another site
    /// to a browser.
    pub(crate) async fn serve(host: &str) -> Arc<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let provider = Arc::new(Self {
            issuer: format!("http://{host}:{port}"),
            codes: Mutex::default(),
            token: Mutex::default(),
        });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/authorize", get(ask))
            .route("/agreed", get(agreed))
            .route("/token", post(trade))
            .with_state(Arc::clone(&provider));
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        provider
    }

    /// How a console is told of it.
    pub(crate) fn settings(&self) -> ProviderSettings {
        ProviderSettings {
            issuer: self.issuer.clone(),
            audience: AUDIENCE.to_owned(),
            client_id: CLIENT.to_owned(),
            scopes: SCOPES.to_owned(),
        }
    }

    /// Has its page sign people in with a token.
    pub(crate) fn gives(&self, token: String) {
        *self.token.lock().unwrap() = token;
    }

    /// What happens at the provider: somebody signs in and gets a code. Returns the state.
    pub(crate) fn sign_in(&self, authorize: &Url, code: &str, token: &str) -> String {
        let query: HashMap<_, _> = authorize.query_pairs().into_owned().collect();
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], CLIENT);
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["scope"], SCOPES);
        assert_eq!(query["audience"], AUDIENCE);
        let grant = Grant {
            challenge: query["code_challenge"].clone(),
            redirect_uri: query["redirect_uri"].clone(),
            token: token.to_owned(),
        };
        self.codes.lock().unwrap().insert(code.to_owned(), grant);
        query["state"].clone()
    }

    /// RFC 6749, 4.1.3 with RFC 7636, 4.6: a code is good once, for who has the verifier.
    fn token_for(&self, form: &str) -> Option<String> {
        let form: HashMap<_, _> = form_urlencoded::parse(form.as_bytes())
            .into_owned()
            .collect();
        let grant = self.codes.lock().unwrap().remove(&form["code"])?;
        let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(&form["code_verifier"]));
        let is_its_own = grant.challenge == challenge
            && form["grant_type"] == "authorization_code"
            && form["client_id"] == CLIENT
            && form["redirect_uri"] == grant.redirect_uri;
        is_its_own.then_some(grant.token)
    }

    /// Its own page, as it was asked for.
    fn asked(&self, query: Option<String>) -> Url {
        let query = query.unwrap_or_default();
        Url::parse(&format!("{}/authorize?{query}", self.issuer)).unwrap()
    }

    /// The console's address for answers, with one.
    fn answer(&self, asked: &Url, members: &[(&str, &str)]) -> String {
        let query: HashMap<_, _> = asked.query_pairs().into_owned().collect();
        let mut address = Url::parse(&query["redirect_uri"]).unwrap();
        address
            .query_pairs_mut()
            .extend_pairs(members)
            .append_pair("state", &query["state"])
            .append_pair("iss", &self.issuer);
        address.into()
    }
}

fn json_reply(status: StatusCode, body: &Value) -> Response {
    (
        status,
        [(CONTENT_TYPE, "application/json")],
        body.to_string(),
    )
        .into_response()
}

async fn discovery(State(provider): State<Arc<Provider>>) -> Response {
    let issuer = &provider.issuer;
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
    });
    json_reply(StatusCode::OK, &document)
}

/// Asks whether somebody wants to sign in.
async fn ask(State(provider): State<Arc<Provider>>, RawQuery(query): RawQuery) -> Html<String> {
    let asked = provider.asked(query);
    let refused = provider.answer(&asked, &[("error", "access_denied")]);
    let agreed = asked.query().unwrap_or_default().replace('&', "&amp;");
    let refused = refused.replace('&', "&amp;");
    Html(format!(
        "<!doctype html><h1>Provider</h1>
        <a href=\"/agreed?{agreed}\">Continue as Ann</a> <a href=\"{refused}\">Not now</a>"
    ))
}

async fn agreed(State(provider): State<Arc<Provider>>, RawQuery(query): RawQuery) -> Redirect {
    let asked = provider.asked(query);
    let code = Uuid::new_v4().to_string();
    let token = provider.token.lock().unwrap().clone();
    provider.sign_in(&asked, &code, &token);
    Redirect::to(&provider.answer(&asked, &[("code", &code)]))
}

async fn trade(State(provider): State<Arc<Provider>>, form: String) -> Response {
    match provider.token_for(&form) {
        Some(token) => json_reply(
            StatusCode::OK,
            &json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600}),
        ),
        None => json_reply(StatusCode::BAD_REQUEST, &json!({"error": "invalid_grant"})),
    }
}
