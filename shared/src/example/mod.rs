//! What the documentation shows of each dataset, made by the path that every record takes: the stored
//! form of each field's example, and rows that a file of examples consists of.

mod rows;
mod stored;

pub use rows::{ExampleValue, example_rows};
pub use stored::{ExampleError, StoredExamples};
