//! The rows of a job that were refused: kept as they came, handed out as a csv, read again when
//! they are corrected.
//!
//! 1. Each batch's refused rows become sealed segments in the bucket ([`RejectedRows::write`]).
//! 2. Segments become the parts of `rejected.csv` ([`csv`]), where nothing runs as a formula.
//! 3. A file with that csv's columns is read as the rows that it was made from ([`corrected`]).

mod inert;
