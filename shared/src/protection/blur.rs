//! Blurring of coordinates.

use rust_decimal::{Decimal, RoundingStrategy};

/// Decimals that are kept: about 110 m of latitude.
const DECIMALS: u32 = 3;

/// Rounds half away from zero to 3 decimals, in decimal arithmetic.
pub(super) fn blur(coordinate: Decimal) -> Decimal {
    coordinate
        .round_dp_with_strategy(DECIMALS, RoundingStrategy::MidpointAwayFromZero)
        .normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_away_from_zero() {
        let table = [
            ("12.1235", "12.124"),
            ("-12.1235", "-12.124"),
            ("12.12349999", "12.123"),
            ("1.0005", "1.001"),
            ("12.5", "12.5"),
            ("-0.0004", "0"),
            ("90", "90"),
        ];
        for (exact, blurred) in table {
            assert_eq!(blur(exact.parse().unwrap()).to_string(), blurred, "{exact}");
        }
    }
}
