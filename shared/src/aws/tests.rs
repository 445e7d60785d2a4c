//! Whom the calls believe to be AWS: a server on this machine with a certificate of its own
//! authority.

use std::{net::SocketAddr, sync::Arc};

use aws_sdk_dynamodb::{error::SdkError, types::AttributeValue};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap()
}

/// A server whose certificate for `localhost` is the authority's. Every item is missing in its
/// table.
async fn server(authority: &Authority) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(aws_lc_rs::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let tls = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(tls.clone(), stream));
        }
    });
    address
}

async fn answer(tls: TlsAcceptor, stream: TcpStream) {
    // Who does not believe the certificate hangs up.
    let Ok(mut stream) = tls.accept(stream).await else {
        return;
    };
    let mut request = [0; 4096];
    let length = stream.read(&mut request).await.unwrap();
    assert!(request[..length].starts_with(b"POST / HTTP/1.1"));
    let response = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    stream.write_all(response.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
}

/// Whether a GetItem is answered; anything but a broken connection fails the test.
async fn answers(server: SocketAddr, trusted_roots: TrustedRoots) -> bool {
    let connection = AwsConnection {
        region: "eu-west-1".to_owned(),
        credentials: Credentials::new("key", "secret", None, None, "test"),
        dynamodb_endpoint: Some(format!("https://localhost:{}", server.port())),
        s3_endpoint: None,
        kms_endpoint: None,
        trusted_roots,
    };
    let once = aws_sdk_dynamodb::Config::builder().retry_config(RetryConfig::disabled());
    let get = connection.clients().dynamodb.get_item().table_name("table");
    let get = get.key("pk", AttributeValue::S("key".to_owned()));
    match get.customize().config_override(once).send().await {
        Ok(_) => true,
        Err(SdkError::DispatchFailure(_)) => false,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_server_is_believed_whose_root_is_in_the_bundle() {
    let (own, another) = (authority(), authority());
    let server = server(&own).await;
    let folder = TempDir::new().unwrap();
    let bundle = |name: &str, content: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        Some(path)
    };
    let bundle_of_own = bundle("own.pem", own.pem());
    let bundle_of_both = bundle("both.pem", another.pem() + &own.pem());
    let bundle_of_another = bundle("another.pem", another.pem());
    for region in ["eu-west-1", "cn-north-1"] {
        let table = [
            (&bundle_of_own, true),
            (&bundle_of_both, true),
            (&bundle_of_another, false),
            (&None, false),
        ];
        for (bundle, is_believed) in table {
            let roots = TrustedRoots::new(region, bundle.clone()).unwrap();
            let answers = answers(server, roots).await;
            assert_eq!(answers, is_believed, "{region} {bundle:?}");
        }
    }
}
