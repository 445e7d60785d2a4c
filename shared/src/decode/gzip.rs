//! Files compressed with gzip (RFC 1952), expanded as a stream.

use std::{
    io::{self, BufReader, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::bufread::MultiGzDecoder;

use crate::import::FileError;

/// The most that a file may expand to, in GiB. Ten million rows of customers are about three.
const MAX_EXPANDED_GIB: u64 = 16;
/// How many times its size a file may expand to. Deflate ends near 1,030; even tables that repeat
/// themselves stay below 200.
const MAX_RATIO: u64 = 300;
/// Below this expanded size, in bytes, the ratio is of no concern.
const ALWAYS_ALLOWED: u64 = 16 * 1024 * 1024;

/// Whether a file begins as gzip does.
pub(super) fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&[0x1f, 0x8b])
}

/// Expands a file, all its members one after the other.
pub(super) fn expand(compressed: impl Read + Send + 'static) -> impl Read + Send + 'static {
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Counted {
        inner: compressed,
        taken: Arc::clone(&taken),
    };
    Expanded {
        decoder: MultiGzDecoder::new(BufReader::new(counted)),
        taken,
        given: 0,
    }
}

/// Counts the compressed bytes.
struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

struct Expanded<R> {
    decoder: MultiGzDecoder<BufReader<Counted<R>>>,
    taken: Arc<AtomicU64>,
    given: u64,
}

impl<R: Read> Read for Expanded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer).map_err(explain)?;
        self.given += read as u64;
        let fair = self.taken.load(Ordering::Relaxed).saturating_mul(MAX_RATIO);
        let limit = MAX_EXPANDED_GIB << 30;
        if self.given > limit || self.given > fair.max(ALWAYS_ALLOWED) {
            let limit = MAX_EXPANDED_GIB;
            return Err(FileError::GzipTooLarge { limit }.into_io());
        }
        Ok(read)
    }
}

/// The decoder's own errors are of three kinds; others come from below.
fn explain(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            FileError::BrokenGzip.into_io()
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::{super::tests::read, *};

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn compressed_text_reads_as_the_text() {
        assert_eq!(read(&gzip(b"a,b\n1,2\n")), ["1@2: 1|2"]);
        let members = [gzip(b"a;b\n1;"), gzip(b"2\n")].concat();
        assert_eq!(read(&members), ["1@2: 1|2"]);
        assert_eq!(read(&gzip(b"a\ncaf\xe9\n")), ["1@2: café"]);
    }

    #[test]
    fn what_is_no_text_in_gzip_is_refused() {
        let rows = format!("a,b\n{}", "1,2\n".repeat(50_000));
        let whole = gzip(rows.as_bytes());
        let cut = &whole[..whole.len() - 9];
        assert_eq!(read(cut).last().unwrap(), "BrokenGzip");
        assert_eq!(read(&whole[..12]), ["broken_gzip"]);
        assert_eq!(read(&gzip(&whole)), ["gzip_of_other"]);
        assert_eq!(read(&gzip(b"PK\x03\x04....")), ["gzip_of_other"]);
        assert_eq!(read(&gzip(b"")), ["empty_file"]);
    }

    #[test]
    fn a_bomb_is_refused_in_every_format() {
        let row = format!("{{\"a\": \"{}\"}}", "x".repeat(10_000));
        let rows = vec![row.as_str(); 2_000];
        let documents = [
            format!("[{}]", rows.join(",")),
            rows.join("\n"),
            format!("a\n{}", format!("{}\n", "x".repeat(10_000)).repeat(2_000)),
        ];
        for document in documents {
            let read = read(&gzip(document.as_bytes()));
            let refused = "GzipTooLarge { limit: 16 }";
            assert_eq!(read.last().map(String::as_str), Some(refused));
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_goes_off() {
        let bomb = gzip(&vec![b'x'; 17 * 1024 * 1024]);
        let mut expanded = expand(std::io::Cursor::new(bomb));
        let error = std::io::copy(&mut expanded, &mut std::io::sink()).unwrap_err();
        let refused = FileError::unreadable(error);
        assert_eq!(refused, FileError::GzipTooLarge { limit: 16 });
    }
}
