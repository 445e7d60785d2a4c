//! What the documentation says of each dataset.

mod example_file;

pub use example_file::{ExampleFileError, ExampleFormat, example_file};
