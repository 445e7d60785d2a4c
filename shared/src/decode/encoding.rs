//! A text's character encoding, found from its beginning, and the text as UTF-8.

use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::Encoding;
use crate::import::FileError;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
/// Fewer letters beyond ASCII than this say nothing of their alphabet.
const FEW_OF_OTHER_SCRIPT: usize = 4;
/// Fewer letters beyond ASCII than this do not tell one Latin alphabet from another.
const FEW_OF_LATIN: usize = 8;
/// Encodings whose letters beyond ASCII are Latin, like those of Windows-1252.
const LATIN: [&str; 10] = [
    "windows-1250",
    "windows-1254",
    "windows-1257",
    "windows-1258",
    "ISO-8859-2",
    "ISO-8859-4",
    "ISO-8859-10",
    "ISO-8859-13",
    "ISO-8859-15",
    "ISO-8859-16",
];

/// The encoding of a text that begins with `head`; `whole` if there is no more of it.
pub(super) fn tell(
    head: &[u8],
    whole: bool,
    known: Option<Encoding>,
) -> Result<Encoding, FileError> {
    match head {
        [0xef, 0xbb, 0xbf, ..] => return Ok(Encoding::Utf8),
        [0xff, 0xfe, ..] => return Ok(Encoding::Utf16Le),
        [0xfe, 0xff, ..] => return Ok(Encoding::Utf16Be),
        _ => {}
    }
    if let Some(encoding) = known {
        return Ok(encoding);
    }
    if head.contains(&0) {
        return utf16_without_mark(head).ok_or(FileError::NotText);
    }
    let (letters, broken) = match std::str::from_utf8(head) {
        Ok(_) => return Ok(Encoding::Utf8),
        Err(error) if error.error_len().is_none() && !whole => return Ok(Encoding::Utf8),
        Err(error) => (utf8_letters(head), error.valid_up_to()),
    };
    if head.iter().any(|byte| is_control(*byte)) {
        return Err(FileError::NotText);
    }
    if letters.valid > letters.broken {
        let before = head.iter().take(broken);
        let line = 1 + before.filter(|byte| **byte == b'\n').count() as u64;
        return Err(FileError::MixedEncodings { line });
    }
    match foreign(head, whole) {
        Some(error) => Err(error),
        None => Ok(Encoding::Windows1252),
    }
}

/// Why bytes that are not UTF-8 should not be read as Windows-1252 either, if they should not.
pub(super) fn foreign(bytes: &[u8], whole: bool) -> Option<FileError> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, whole);
    // Icelandic passes for Turkish here. Better to refuse it than to hash Turkish names wrong.
    let guess = detector.guess(None, Utf8Detection::Deny);
    let few = if LATIN.contains(&guess.name()) {
        FEW_OF_LATIN
    } else {
        FEW_OF_OTHER_SCRIPT
    };
    if guess == WINDOWS_1252 || bytes.iter().filter(|byte| !byte.is_ascii()).count() < few {
        return None;
    }
    let (guessed, _) = guess.decode_without_bom_handling(bytes);
    let (western, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    (guessed != western).then(|| FileError::ForeignEncoding {
        encoding: guess.name().to_owned(),
    })
}

/// Characters of which no text is made.
fn is_control(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | 0x1a | 0x1b)
}

/// Characters beyond ASCII that are UTF-8, and sequences that are not.
#[derive(Default)]
struct Letters {
    valid: usize,
    broken: usize,
}

fn utf8_letters(bytes: &[u8]) -> Letters {
    let mut letters = Letters::default();
    for chunk in bytes.utf8_chunks() {
        letters.valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        letters.broken += usize::from(!chunk.invalid().is_empty());
    }
    letters
}

/// In UTF-16 most every other byte of a text with delimiters is zero, always the same one of two.
fn utf16_without_mark(head: &[u8]) -> Option<Encoding> {
    let zeros = |first: usize| {
        let bytes = head.iter().skip(first).step_by(2);
        bytes.filter(|byte| **byte == 0).count()
    };
    let pairs = head.len() / 2;
    let enough = |zeros: usize| head.len().is_multiple_of(2) && zeros * 2 >= pairs;
    match (zeros(0), zeros(1)) {
        (0, low_first) if enough(low_first) => Some(Encoding::Utf16Le),
        (high_first, 0) if enough(high_first) => Some(Encoding::Utf16Be),
        _ => None,
    }
}

/// The text as UTF-8, without its byte order mark. What claims to be UTF-8 is passed on as it is.
pub(super) fn to_utf8(
    reader: impl Read + Send + 'static,
    encoding: Encoding,
) -> Result<Box<dyn Read + Send>, FileError> {
    let decoder = match encoding {
        Encoding::Utf8 => return without_mark(reader),
        Encoding::Utf16Le => UTF_16LE.new_decoder_with_bom_removal(),
        Encoding::Utf16Be => UTF_16BE.new_decoder_with_bom_removal(),
        Encoding::Windows1252 => WINDOWS_1252.new_decoder_without_bom_handling(),
    };
    Ok(Box::new(Transcoder {
        inner: reader,
        decoder,
        bytes: vec![0; 16 * 1024],
        text: String::new(),
        given: 0,
        ended: false,
    }))
}

fn without_mark(mut reader: impl Read + Send + 'static) -> Result<Box<dyn Read + Send>, FileError> {
    let mut start = Vec::with_capacity(UTF8_MARK.len());
    reader
        .by_ref()
        .take(UTF8_MARK.len() as u64)
        .read_to_end(&mut start)
        .map_err(FileError::unreadable)?;
    if start == UTF8_MARK {
        start.clear();
    }
    Ok(Box::new(io::Cursor::new(start).chain(reader)))
}

struct Transcoder<R> {
    inner: R,
    decoder: Decoder,
    bytes: Vec<u8>,
    text: String,
    /// Bytes of `text` that were handed on.
    given: usize,
    ended: bool,
}

impl<R: Read> Transcoder<R> {
    fn refill(&mut self) -> io::Result<()> {
        let read = self.inner.read(&mut self.bytes)?;
        self.ended = read == 0;
        self.text.clear();
        self.given = 0;
        let room = self
            .decoder
            .max_utf8_buffer_length_without_replacement(read);
        self.text.reserve(room.unwrap_or(4 * self.bytes.len()));
        let bytes = self.bytes.get(..read).unwrap_or_default();
        let (result, _) =
            self.decoder
                .decode_to_string_without_replacement(bytes, &mut self.text, self.ended);
        match result {
            DecoderResult::InputEmpty => Ok(()),
            DecoderResult::OutputFull | DecoderResult::Malformed(..) => {
                Err(FileError::NotText.into_io())
            }
        }
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.ended {
            self.refill()?;
        }
        let mut rest = self.text.as_bytes().get(self.given..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.given += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{Encoding as Named, UTF_8};

    use super::*;

    fn told(bytes: &[u8]) -> String {
        match tell(bytes, true, None) {
            Ok(encoding) => encoding.as_str().to_owned(),
            Err(error) => match error {
                FileError::ForeignEncoding { encoding } => format!("refused: {encoding}"),
                error => error.code().to_owned(),
            },
        }
    }

    #[test]
    fn an_encoding_is_told_from_the_bytes() {
        let table: [(&[u8], &str); 12] = [
            (b"a,b", "UTF-8"),
            (b"\xef\xbb\xbfa,b", "UTF-8"),
            ("Zoë".as_bytes(), "UTF-8"),
            (b"\xff\xfea\0", "UTF-16LE"),
            (b"\xfe\xff\0a", "UTF-16BE"),
            (b"a\0,\0b\0\n\0", "UTF-16LE"),
            (b"\0a\0,\0b\0\n", "UTF-16BE"),
            (b"Zo\xeb", "windows-1252"),
            (b"caf\xe9;5 \x80\n", "windows-1252"),
            (b"a,b\0\n", "not_text"),
            (b"\x8e\xf0\x13\x99", "not_text"),
            ("Zoë,José\nZo\u{fffd}".as_bytes(), "UTF-8"),
        ];
        for (bytes, expected) in table {
            assert_eq!(told(bytes), expected, "{bytes:?}");
        }
        let mixed = ["Zoë,José\n".as_bytes(), b"Zo\xeb\n"].concat();
        assert_eq!(told(&mixed), "mixed_encodings");
    }

    #[test]
    fn western_names_pass_and_other_alphabets_are_named() {
        let western = [
            "prénom;ville\nZoé;Besançon\nLoïc;Nîmes\nAïcha;Orléans\n",
            "name\nMüller\nGroß\nSchäfer\nKöhler\nJäger\n",
            "nombre\nJosé Muñoz\nÁngel Ibáñez\nSofía Núñez\nIñigo\n",
            "nome\nJoão Gonçalves\nInês Magalhães\nLúcia Simões\n",
            "namn\nÅsa Öberg\nPär Sjöström\nBjörn Ågren\nGöran\n",
            "navn\nSøren Kjær\nÅse Bjørnø\nJørgen\n",
            "name\nRené\n",
        ];
        for text in western {
            let (bytes, ..) = WINDOWS_1252.encode(text);
            assert_eq!(told(&bytes), "windows-1252", "{text}");
        }
        let other = [
            ("windows-1251", "имя\nИван Петров\nОльга Смирнова\n"),
            ("Shift_JIS", "名前\n山田太郎\n鈴木一郎\nサトウ\n"),
            ("GBK", "姓名\n王小明\n李华\n张伟\n刘洋\n"),
            (
                "windows-1254",
                "ad\nAyşe Yılmaz\nİbrahim Çağlar\nGülşen Işık\nMuğla Doğan\n",
            ),
            ("windows-1256", "الاسم\nمحمد علي\nفاطمة حسن\n"),
            ("windows-1253", "όνομα\nΓιώργος Παπαδόπουλος\nΜαρία\n"),
            (
                "windows-1250",
                "imię\nŁukasz Wiśniewski\nMałgorzata Dąbrowska\nŻaneta Źrebięcka\nStanisław Kołodziejczyk\n",
            ),
        ];
        for (encoding, text) in other {
            let named = Named::for_label(encoding.as_bytes()).unwrap_or(UTF_8);
            let (bytes, ..) = named.encode(text);
            assert!(
                told(&bytes).starts_with("refused: "),
                "{encoding}: {}",
                told(&bytes)
            );
        }
    }

    #[test]
    fn text_of_any_size_is_transcoded_whole() {
        let text = "Zoë,10 €,naïve\n".repeat(5_000);
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let western = WINDOWS_1252.encode(&text).0.into_owned();
        for (bytes, encoding) in [
            (utf16, Encoding::Utf16Le),
            (western, Encoding::Windows1252),
            (text.clone().into_bytes(), Encoding::Utf8),
        ] {
            let mut read = String::new();
            let mut reader = to_utf8(io::Cursor::new(bytes), encoding).unwrap();
            reader.read_to_string(&mut read).unwrap();
            assert_eq!(read, text, "{encoding:?}");
        }
        let half = to_utf8(io::Cursor::new(b"a\0\x00\xd8b\0"), Encoding::Utf16Le);
        let error = half.unwrap().read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(FileError::unreadable(error), FileError::NotText);
    }
}
