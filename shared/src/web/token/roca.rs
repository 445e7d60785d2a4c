//! RSA keys that a faulty generator made, so that anybody can find the private key
//! (CVE-2017-15361, "ROCA").
//!
//! Its primes are powers of 65537 modulo a product of small primes, and so is the modulus. That
//! this is so for all of the small primes below happens to another key once in a hundred
//! million times.

const SMALL_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];
const GENERATOR: u32 = 65_537;

/// Whether a modulus, its most significant byte first, is of that generator.
pub(super) fn is_of_the_faulty_generator(modulus: &[u8]) -> bool {
    SMALL_PRIMES
        .iter()
        .all(|prime| is_power(remainder(modulus, *prime), *prime))
}

fn remainder(number: &[u8], prime: u32) -> u32 {
    let digits = number.iter();
    digits.fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime)
}

/// Whether a number is a power of the generator modulo a prime.
fn is_power(number: u32, prime: u32) -> bool {
    let mut power = 1;
    // The powers repeat after at most prime - 1 steps.
    for _ in 1..prime {
        if power == number {
            return true;
        }
        power = power * GENERATOR % prime;
    }
    false
}
