//! Looks through one XML part of a workbook.

use std::io::{BufReader, Read};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use zip::read::ZipFile;

use super::{
    cells::{self, Cells},
    meter::Metered,
};
use crate::import::FileError;

const MIB: u64 = 1024 * 1024;

/// The most levels of elements.
const MAX_DEPTH: usize = 64;
/// The most texts that cells share, which are held in memory, and their size.
const MAX_TEXTS: u64 = 2_000_000;
const MAX_TEXTS_BYTES: u64 = 64 * MIB;
/// The most sheets.
const MAX_SHEETS: usize = 256;
/// The most cell formats, and the bytes that they take when each has the longest of the names.
const MAX_STYLES: usize = 131_072;
const MAX_STYLES_BYTES: usize = 64 * 1024 * 1024;
/// The largest part of the others that are held in memory.
const MAX_HELD: u64 = 16 * MIB;

/// Refuses a part that would harm its reader. Returns its bytes, which may be `left`.
pub(super) fn check<R: Read>(
    entry: ZipFile<'_, R>,
    name: &str,
    left: u64,
) -> Result<u64, FileError> {
    let compressed = entry.compressed_size();
    let mut xml = Reader::from_reader(Metered::new(BufReader::new(entry), compressed, left));
    // As the reader of cells has it.
    let config = xml.config_mut();
    config.check_end_names = false;
    config.expand_empty_elements = true;
    let mut part = Part {
        is_styles: name.ends_with("styles.xml"),
        ..Part::default()
    };
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        xml.get_mut().event = 0;
        let event = xml.read_event_into(&mut buffer);
        let meter = xml.get_ref();
        match event {
            Ok(Event::Start(element)) => part.start(&element, meter.total)?,
            Ok(Event::End(element)) => part.end(element.local_name().as_ref()),
            Ok(Event::DocType(_)) => return Err(FileError::HostileXml),
            Ok(Event::Eof) => return Ok(meter.total),
            Ok(event) => part.content(&event)?,
            Err(_) => return Err(meter.trouble.clone().unwrap_or(FileError::BrokenWorkbook)),
        }
        part.check_size(meter.total)?;
    }
}

/// What was seen of a part so far.
#[derive(Default)]
struct Part {
    is_styles: bool,
    depth: usize,
    /// The cells, from where they begin.
    cells: Option<Cells>,
    sheets: usize,
    texts: u64,
    styles: usize,
    longest_style: usize,
    /// The size that the part may have since it has elements that are held in memory.
    limit: Option<u64>,
}

impl Part {
    fn start(&mut self, element: &BytesStart<'_>, position: u64) -> Result<(), FileError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(FileError::HostileXml);
        }
        if self.is_styles {
            self.style_attributes(element)?;
        }
        if let Some(cells) = &mut self.cells {
            cells.start(element, position)?;
        }
        match element.local_name().as_ref() {
            "sheetData" => {
                self.cells.get_or_insert_default();
                Ok(())
            }
            "dimension" => cells::dimension(element),
            "sst" => unique_count(element),
            "si" => {
                self.limit = Some(MAX_TEXTS_BYTES);
                self.texts += 1;
                self.check_texts()
            }
            "sheet" => {
                self.limit = Some(MAX_HELD);
                self.sheets += 1;
                self.check_sheets()
            }
            "definedName" => {
                self.limit = Some(MAX_HELD);
                Ok(())
            }
            "Relationship" => {
                self.limit = Some(MAX_HELD);
                relationship(element)
            }
            "numFmt" | "font" | "fill" | "border" | "xf" if self.is_styles => {
                self.limit = Some(MAX_HELD);
                self.styles += 1;
                self.check_styles()
            }
            _ => Ok(()),
        }
    }

    fn content(&mut self, event: &Event<'_>) -> Result<(), FileError> {
        match &mut self.cells {
            Some(cells) => cells.content(event),
            None => Ok(()),
        }
    }

    fn end(&mut self, name: &str) {
        self.depth = self.depth.saturating_sub(1);
        if let Some(cells) = &mut self.cells {
            cells.end(name);
        }
    }

    /// Checks what grows between the starts of elements.
    fn check_size(&self, position: u64) -> Result<(), FileError> {
        if let Some(cells) = &self.cells {
            cells.check_size(position)?;
        }
        match self.limit {
            Some(limit) if position > limit && self.texts > 0 => Err(too_many_texts()),
            Some(limit) if position > limit => Err(FileError::HostileXml),
            _ => Ok(()),
        }
    }

    fn check_texts(&self) -> Result<(), FileError> {
        if self.texts > MAX_TEXTS {
            return Err(too_many_texts());
        }
        Ok(())
    }

    fn check_sheets(&self) -> Result<(), FileError> {
        if self.sheets > MAX_SHEETS {
            return Err(FileError::TooManySheets { limit: MAX_SHEETS });
        }
        Ok(())
    }

    /// Every format holds a copy of its font's name and its number format.
    fn check_styles(&self) -> Result<(), FileError> {
        let bytes = self.styles.saturating_mul(self.longest_style);
        if self.styles > MAX_STYLES || bytes > MAX_STYLES_BYTES {
            return Err(FileError::TooManyStyles { limit: MAX_STYLES });
        }
        Ok(())
    }

    fn style_attributes(&mut self, element: &BytesStart<'_>) -> Result<(), FileError> {
        for key in ["formatCode", "val"] {
            each(element, key, |value| {
                self.longest_style = self.longest_style.max(value.len());
                Ok(())
            })?;
        }
        self.check_styles()
    }
}

fn too_many_texts() -> FileError {
    FileError::TooManyTexts {
        limit: MAX_TEXTS,
        mebibytes: MAX_TEXTS_BYTES / MIB,
    }
}

/// Memory is reserved for as many texts as the part claims to have.
fn unique_count(element: &BytesStart<'_>) -> Result<(), FileError> {
    each(element, "uniqueCount", |count| match count.parse::<u64>() {
        Ok(count) if count <= MAX_TEXTS => Ok(()),
        _ => Err(too_many_texts()),
    })
}

/// Parts that are opened by a name of the file's choice must have one that was looked through.
fn relationship(element: &BytesStart<'_>) -> Result<(), FileError> {
    let mut is_opened = false;
    each(element, "Type", |kind| {
        is_opened |= kind.ends_with("sheet") || kind.ends_with("officeDocument");
        Ok(())
    })?;
    each(element, "Target", |target| {
        match is_opened && !target.to_ascii_lowercase().ends_with(".xml") {
            true => Err(FileError::BrokenWorkbook),
            false => Ok(()),
        }
    })
}

/// Shows every attribute of a name, also one that is there twice.
pub(super) fn each(
    element: &BytesStart<'_>,
    name: &str,
    mut look: impl FnMut(&str) -> Result<(), FileError>,
) -> Result<(), FileError> {
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| FileError::BrokenWorkbook)?;
        if attribute.key.local_name().as_ref() == name {
            look(&attribute.value)?;
        }
    }
    Ok(())
}
