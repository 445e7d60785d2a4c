//! Published test vectors, through the very functions that protect values; and ciphertexts that
//! somebody has tampered with.

use std::{fs, path::PathBuf};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::{
    Pseudonym, PseudonymMode, Secret, aead,
    cipher::{Place, open, seal},
};

/// A file of test data, if it is there.
fn file(name: &str) -> Option<String> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let root = std::env::var_os("CLIENTELE_VECTORS").map_or_else(beside, PathBuf::from);
    let path = root.join(name);
    if !path.is_file() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(fs::read_to_string(path).unwrap())
}

fn groups(name: &str) -> Vec<Value> {
    let Some(text) = file(&format!("wycheproof/testvectors_v1/{name}")) else {
        return Vec::new();
    };
    let document: Value = serde_json::from_str(&text).unwrap();
    document["testGroups"].as_array().unwrap().clone()
}

fn bytes(test: &Value, name: &str) -> Vec<u8> {
    HEXLOWER
        .decode(test[name].as_str().unwrap().as_bytes())
        .unwrap()
}

#[test]
fn aes_gcm_does_as_wycheproof_says() {
    let mut tested = 0;
    for group in groups("aes_gcm_test.json") {
        if (&group["keySize"], &group["ivSize"], &group["tagSize"])
            != (&256.into(), &96.into(), &128.into())
        {
            continue;
        }
        for test in group["tests"].as_array().unwrap() {
            let key = bytes(test, "key").try_into().unwrap();
            let nonce = bytes(test, "iv").try_into().unwrap();
            let (aad, message) = (bytes(test, "aad"), bytes(test, "msg"));
            let sealed = [bytes(test, "ct"), bytes(test, "tag")].concat();
            let opened = aead::decrypt(&key, nonce, &aad, &sealed);
            match test["result"].as_str().unwrap() {
                "valid" => {
                    assert_eq!(opened.unwrap().as_slice(), message, "{test}");
                    assert_eq!(aead::encrypt(&key, nonce, &aad, &message).unwrap(), sealed);
                }
                _ => assert!(opened.is_none(), "{test}"),
            }
            tested += 1;
        }
        assert_eq!(tested, 66);
    }
}

#[test]
fn macs_do_as_wycheproof_says() {
    for group in groups("hmac_sha256_test.json") {
        let tag_bytes = group["tagSize"].as_u64().unwrap() as usize / 8;
        for test in group["tests"].as_array().unwrap() {
            let (key, message) = (bytes(test, "key"), bytes(test, "msg"));
            let mac: Vec<u8> = match <[u8; 32]>::try_from(key.as_slice()) {
                Ok(key) => Secret::from_bytes(key).mac(&[&message]).to_vec(),
                // Keys of other lengths are never ours: this is the crate's own way.
                Err(_) => {
                    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).unwrap();
                    mac.update(&message);
                    mac.finalize().into_bytes().to_vec()
                }
            };
            let valid = test["result"] == "valid";
            assert_eq!(mac[..tag_bytes] == bytes(test, "tag"), valid, "{test}");
        }
    }
}

/// RFC 4231's test cases of HMAC-SHA256 with keys of at most 32 bytes.
#[test]
fn macs_do_as_rfc_4231_says() {
    let ascending: Vec<u8> = (1..=25).collect();
    let table: [(&[u8], Vec<u8>, &str); 4] = [
        (
            &[0x0b; 20],
            b"Hi There".to_vec(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?".to_vec(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            &[0xaa; 20],
            vec![0xdd; 50],
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        ),
        (
            &ascending,
            vec![0xcd; 50],
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        ),
    ];
    for (key, message, expected) in table {
        // The zeros that fill a key up to the hash's block change nothing.
        let mut filled = [0; 32];
        filled[..key.len()].copy_from_slice(key);
        let mac = Secret::from_bytes(filled).mac(&[&message]);
        assert_eq!(HEXLOWER.encode(&mac), expected);
    }
}

/// What [`PseudonymMode::Sha256`] makes of a text; bytes that are none go to the hash itself.
fn hashed(message: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    match std::str::from_utf8(message) {
        Ok(text) => match PseudonymMode::Sha256.pseudonym(text, &[]) {
            Pseudonym::Sha256(hash) => hash.to_vec(),
            other => panic!("{other:?}"),
        },
        Err(_) => Sha256::digest(message).to_vec(),
    }
}

#[test]
fn hashes_are_as_nist_says() {
    for name in ["SHA256ShortMsg.rsp", "SHA256LongMsg.rsp"] {
        let Some(text) = file(&format!("nist/{name}")) else {
            return;
        };
        let mut tested = 0;
        let (mut length, mut message) = (0, Vec::new());
        for line in text.lines() {
            match line.split_once(" = ") {
                Some(("Len", bits)) => length = bits.parse::<usize>().unwrap() / 8,
                Some(("Msg", hex)) => {
                    message = HEXLOWER.decode(hex.as_bytes()).unwrap();
                    message.truncate(length);
                }
                Some(("MD", hex)) => {
                    assert_eq!(HEXLOWER.encode(&hashed(&message)), hex, "{length} bytes");
                    tested += 1;
                }
                _ => {}
            }
        }
        assert!(tested >= 64, "{tested}");
    }
}

/// The Monte Carlo test of the SHA Validation System: 100 checkpoints of 1,000 chained hashes.
#[test]
fn chained_hashes_are_as_nist_says() {
    let Some(text) = file("nist/SHA256Monte.rsp") else {
        return;
    };
    let value = |line: &str, name: &str| {
        let hex = line.strip_prefix(name)?.strip_prefix(" = ")?;
        HEXLOWER.decode(hex.as_bytes()).ok()
    };
    let mut seed = text.lines().find_map(|line| value(line, "Seed")).unwrap();
    let expected: Vec<_> = text.lines().filter_map(|line| value(line, "MD")).collect();
    assert_eq!(expected.len(), 100);
    for expected in expected {
        let mut last = [seed.clone(), seed.clone(), seed];
        for _ in 0..1_000 {
            let next = hashed(&last.concat());
            last.rotate_left(1);
            last[2] = next;
        }
        assert_eq!(last[2], expected);
        seed = expected;
    }
}

/// A generator that gives the same numbers in every run (Marsaglia's xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// A million ciphertexts that are not what was sealed, or not where: none opens.
#[test]
fn no_ciphertext_opens_that_was_moved_or_changed() {
    const TRIES: usize = 1_000_000;
    const THREADS: usize = 4;
    let key = Secret::from_bytes([7; 32]);
    let other_key = Secret::from_bytes([8; 32]);
    let uids: Vec<String> = (0..64).map(|n| format!("1-workspace-{n}")).collect();
    let fields = ["name", "phone", "custom"];
    let places: Vec<Place<'_>> = uids
        .iter()
        .flat_map(|uid| fields.map(|field| Place { uid, field }))
        .collect();
    let sealed: Vec<Vec<u8>> = places
        .iter()
        .map(|place| seal(&key, 1, *place, place.uid.as_bytes()).unwrap())
        .collect();
    let attack = |seed: u64| {
        let mut numbers = Numbers(seed);
        let mut accepted = 0;
        for _ in 0..TRIES / THREADS {
            let at = numbers.below(places.len());
            let (mut place, mut bytes, mut with) = (places[at], sealed[at].clone(), &key);
            match numbers.below(6) {
                0 => {
                    let bit = numbers.below(bytes.len() * 8);
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
                1 => bytes.truncate(numbers.below(bytes.len())),
                2 => bytes.extend(vec![0; 1 + numbers.below(32)]),
                // Another record's or field's place.
                3 => place = places[(at + 1 + numbers.below(places.len() - 1)) % places.len()],
                4 => with = &other_key,
                // The tail of another value.
                _ => {
                    let donor = &sealed[(at + 1 + numbers.below(places.len() - 1)) % places.len()];
                    let cut = 1 + numbers.below(bytes.len().min(donor.len()) - 1);
                    bytes.truncate(cut);
                    bytes.extend(&donor[cut..]);
                    if sealed[at] == bytes {
                        continue;
                    }
                }
            }
            accepted +=
                usize::from(open(|version| (version == 1).then_some(with), place, &bytes).is_ok());
        }
        accepted
    };
    let accepted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=THREADS as u64)
            .map(|seed| scope.spawn(move || attack(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(accepted, 0);
}
