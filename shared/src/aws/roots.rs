//! Whose certificates are taken for AWS's.
//!
//! Every function would else read and parse the some 140 roots of its system before its first
//! call. AWS's endpoints are certified by Amazon Trust Services, also those of GovCloud; the
//! regions of the European Sovereign Cloud have roots of their own, cross-signed by these. In
//! China, where other companies run the regions, other authorities certify as well, and in the
//! partitions that are isolated from the Internet only others do.

use std::path::PathBuf;

use aws_smithy_http_client::{
    HttpClientError,
    tls::{TlsContext, TrustStore},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use thiserror::Error;

const AMAZON_ROOTS: &str = include_str!("amazon_roots.pem");
/// How the names of regions begin whose endpoints others certify: in China (`cn-north-1`) and in
/// the isolated partitions (`us-iso-east-1`, `us-isob-east-1`, `us-isof-south-1`,
/// `eu-isoe-west-1`).
const OF_OTHERS: [&str; 3] = ["cn-", "us-iso", "eu-iso"];

/// The certificate authorities that vouch for AWS's endpoints.
#[derive(Debug, Clone)]
pub struct TrustedRoots(TlsContext);

/// `AWS_CA_BUNDLE` names a file that cannot be used.
#[derive(Debug, Error)]
pub enum CaBundleError {
    /// There is none, or it may not be read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It has none between `BEGIN CERTIFICATE` and `END CERTIFICATE`.
    #[error("{0} has no certificate in PEM format")]
    NoCertificate(PathBuf),
    /// One of them is damaged.
    #[error("certificate {number} of {path} is damaged or no X.509 certificate")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Its place in the file, from 1.
        number: usize,
    },
    /// The TLS library takes no settings.
    #[error(transparent)]
    Tls(#[from] HttpClientError),
}

impl TrustedRoots {
    /// Those of Amazon, or all of the system's in regions that others certify; and those in the
    /// file that `AWS_CA_BUNDLE` names. AWS's own tools trust nothing but that file, if it is set;
    /// here it adds.
    pub(super) fn new(region: &str, bundle: Option<PathBuf>) -> Result<Self, CaBundleError> {
        let mut roots = match is_certified_by_amazon(region) {
            true => TrustStore::empty().with_pem_certificate(AMAZON_ROOTS),
            false => TrustStore::default(),
        };
        if let Some(path) = bundle {
            roots.add_pem_certificate(read(path)?);
        }
        let context = TlsContext::builder().with_trust_store(roots).build()?;
        Ok(Self(context))
    }

    /// All roots that the system trusts, for servers that are not AWS's.
    pub fn of_the_system() -> Self {
        Self(TlsContext::default())
    }

    pub(super) fn context(&self) -> TlsContext {
        self.0.clone()
    }
}

fn is_certified_by_amazon(region: &str) -> bool {
    !OF_OTHERS.iter().any(|others| region.starts_with(others))
}

/// A file of certificates, each of which can be a root: the TLS library panics at others.
fn read(path: PathBuf) -> Result<Vec<u8>, CaBundleError> {
    let pem = match std::fs::read(&path) {
        Ok(pem) => pem,
        Err(source) => return Err(CaBundleError::Unreadable { path, source }),
    };
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        count += 1;
        let is_root = certificate.is_ok_and(|der| webpki::anchor_from_trusted_cert(&der).is_ok());
        if !is_root {
            let number = count;
            return Err(CaBundleError::Damaged { path, number });
        }
    }
    match count {
        0 => Err(CaBundleError::NoCertificate(path)),
        _ => Ok(pem),
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use jiff::{Timestamp, ToSpan, tz::TimeZone};
    use sha2::{Digest, Sha256};

    use super::*;

    /// Last day, SHA-256 of the certificate (Mozilla's list of roots), SHA-256 of its public key
    /// (https://www.amazontrust.com/repository/).
    const PUBLISHED: [(&str, &str, &str); 5] = [
        (
            "2038-01-17",
            "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
            "fbe3018031f9586bcbf41727e417b7d1c45c2f47f93be372a17b96b50757d5a2",
        ),
        (
            "2040-05-26",
            "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
            "7f4296fc5b6a4e3b35d3c369623e364ab1af381d8fa7121533c9d6c633ea2461",
        ),
        (
            "2040-05-26",
            "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
            "36abc32656acfc645c61b71613c4bf21c787f5cabbee48348d58597803d7abc9",
        ),
        (
            "2040-05-26",
            "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
            "f7ecded5c66047d28ed6466b543c40e0743abe81d109254dcf845d4c2c7853c5",
        ),
        (
            "2037-12-31",
            "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
            "2b071c59a0a0ae76b0eadb2bad23bad4580b69c3601b630c2eaf0613afa83f92",
        ),
    ];

    fn amazon_roots() -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(AMAZON_ROOTS.as_bytes())
            .collect::<Result<_, _>>()
            .unwrap()
    }

    /// A DER element of a constructed type, without the headers that webpki leaves off.
    fn sequence(content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let mut element = match length {
            0..=127 => vec![0x30, length as u8],
            128..=255 => vec![0x30, 0x81, length as u8],
            _ => vec![0x30, 0x82, (length >> 8) as u8, length as u8],
        };
        element.extend_from_slice(content);
        element
    }

    #[test]
    fn the_roots_are_those_that_amazon_and_mozilla_publish() {
        let roots = amazon_roots();
        assert_eq!(roots.len(), PUBLISHED.len());
        for (root, (_, certificate, public_key)) in roots.iter().zip(PUBLISHED) {
            assert_eq!(HEXLOWER.encode(&Sha256::digest(root)), certificate);
            let anchor = webpki::anchor_from_trusted_cert(root).unwrap();
            let key = sequence(&anchor.subject_public_key_info);
            assert_eq!(HEXLOWER.encode(&Sha256::digest(&key)), public_key);
        }
    }

    #[test]
    fn the_roots_are_valid_for_years_to_come() {
        let soon = Timestamp::now().to_zoned(TimeZone::UTC) + 2.years();
        for (root, (last_day, ..)) in amazon_roots().iter().zip(PUBLISHED) {
            // RFC 5280, section 4.1.2.5: UTCTime, two digits of the year, until 2049.
            let date: jiff::civil::Date = last_day.parse().unwrap();
            let not_after = date.strftime("%y%m%d").to_string();
            let is_said = root
                .windows(not_after.len())
                .any(|window| window == not_after.as_bytes());
            assert!(is_said, "not valid until {last_day}");
            assert!(date > soon.date(), "valid until {last_day} only");
        }
    }

    #[test]
    fn amazon_certifies_its_regions_but_some() {
        let table = [
            ("eu-west-1", true),
            ("us-east-1", true),
            ("us-gov-west-1", true),
            ("eusc-de-east-1", true),
            ("cn-north-1", false),
            ("cn-northwest-1", false),
            ("us-iso-east-1", false),
            ("us-isob-east-1", false),
            ("us-isof-south-1", false),
            ("eu-isoe-west-1", false),
        ];
        for (region, by_amazon) in table {
            assert_eq!(is_certified_by_amazon(region), by_amazon, "{region}");
        }
    }

    #[test]
    fn a_bundle_that_is_no_use_is_refused_by_name() {
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let torn = "-----BEGIN CERTIFICATE-----\nMIIE";
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let behind = format!("{AMAZON_ROOTS}{damaged}");
        let table = [
            (Some(""), "FILE has no certificate in PEM format"),
            (Some(key), "FILE has no certificate in PEM format"),
            (
                Some(damaged),
                "certificate 1 of FILE is damaged or no X.509 certificate",
            ),
            (
                Some(torn),
                "certificate 1 of FILE is damaged or no X.509 certificate",
            ),
            (
                Some(&behind),
                "certificate 6 of FILE is damaged or no X.509 certificate",
            ),
            (
                None,
                "FILE cannot be read: No such file or directory (os error 2)",
            ),
        ];
        for (content, message) in table {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("bundle.pem");
            if let Some(content) = content {
                std::fs::write(&path, content).unwrap();
            }
            let error = TrustedRoots::new("eu-west-1", Some(path.clone())).unwrap_err();
            let said = error.to_string().replace(path.to_str().unwrap(), "FILE");
            assert_eq!(said, message);
        }
    }
}
