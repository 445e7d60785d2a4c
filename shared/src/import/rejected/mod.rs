//! The rows of a job that were refused: kept as they came, handed out as a csv, read again when
//! they are corrected.
//!
//! 1. Each batch's refused rows become sealed segments in the bucket ([`RejectedRows::write`]).
//! 2. Segments become the parts of `rejected.csv` ([`Part`], [`Sheet`]); nothing in it runs as a
//!    formula.
//! 3. A file with that csv's columns is read as the rows that it was made from ([`corrected`]).

mod corrected;
mod inert;
mod kept;
mod segment;
mod sheet;

pub use corrected::corrected;
pub use kept::{KEPT_FOR, Opened, Part, RejectedError, RejectedRows};
pub use sheet::Sheet;

/// The folder of the bucket that segments are in: `rejected/{organization}/{job}/{first row}`.
pub const REJECTED: &str = "rejected";

/// The columns that `rejected.csv` adds.
const ERROR_COLUMNS: [&str; 4] = ["error_row", "error_column", "error_code", "error_message"];
/// The column that it adds for the cells that ragged rows have beyond the header's.
const SURPLUS: &str = "error_surplus";
/// Every column that it adds, so that no field may be called so.
pub(crate) const ADDED_COLUMNS: [&str; 5] = {
    let [row, column, code, message] = ERROR_COLUMNS;
    [row, column, code, message, SURPLUS]
};
/// What stands for a protected value.
const MASK: &str = "***";
