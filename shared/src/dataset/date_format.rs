//! How the dates of a field are written.

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, de::Error};

/// One of the 14 ways in which an organisation may write the dates of a field.
///
/// A format is read as people use it: a day or month below 10 may lack its zero, months are
/// English names in any case, and two-digit years are 1969 to 2068, as POSIX has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateFormat(&'static str);

const ISO: &str = "yyyy-MM-dd";
const FORMATS: [&str; 14] = [
    ISO,
    "dd/MM/yyyy",
    "MM/dd/yyyy",
    "dd-MM-yyyy",
    "MM-dd-yyyy",
    "dd.MM.yyyy",
    "yyyy/MM/dd",
    "dd MMM yyyy",
    "MMM dd, yyyy",
    "MMMM dd, yyyy",
    "dd MMMM yyyy",
    "yy/MM/dd",
    "dd/MM/yy",
    "MM/dd/yy",
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const ABBREVIATION_LETTERS: usize = 3;

/// ISO 8601, which fields without a format of their own have.
impl Default for DateFormat {
    fn default() -> Self {
        Self(ISO)
    }
}

impl DateFormat {
    /// Every format.
    pub fn all() -> impl Iterator<Item = Self> {
        FORMATS.into_iter().map(Self)
    }

    /// A format by its name, such as `dd/MM/yyyy`.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|format| format.0 == name)
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// Reads a trimmed text. ISO 8601 is read in every format: it is what replies show, and no
    /// format takes it for another day.
    pub fn parse(self, text: &str) -> Option<Date> {
        if text.len() == ISO.len()
            && let Ok(date) = text.parse()
        {
            return Some(date);
        }
        match self.0 {
            ISO => None,
            format => parse(format, text),
        }
    }

    /// The last day of January 2021 in this format.
    pub fn example(self) -> String {
        let mut text = String::new();
        for part in parts(self.0) {
            text.push_str(match part {
                "yyyy" => "2021",
                "yy" => "21",
                "MMMM" => "January",
                "MMM" => "Jan",
                "MM" => "01",
                "dd" => "31",
                separator => separator,
            });
        }
        text
    }
}

impl<'de> Deserialize<'de> for DateFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| Error::custom("there is no such date format"))
    }
}

fn parse(format: &str, text: &str) -> Option<Date> {
    let (mut year, mut month, mut day) = (0, 0, 0);
    let mut rest = text;
    for part in parts(format) {
        match part {
            "yyyy" => year = digits(&mut rest, 4, 4)?,
            "yy" => year = century(digits(&mut rest, 2, 2)?),
            "MM" => month = digits(&mut rest, 1, 2)?,
            "MMM" => month = month_named(&mut rest, Some(ABBREVIATION_LETTERS))?,
            "MMMM" => month = month_named(&mut rest, None)?,
            "dd" => day = digits(&mut rest, 1, 2)?,
            separator => rest = rest.strip_prefix(separator)?,
        }
    }
    let date = Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok();
    date.filter(|_| rest.is_empty())
}

/// A format's runs of letters and what stands between them.
fn parts(format: &str) -> impl Iterator<Item = &str> {
    let mut rest = format;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let is_letter = first.is_ascii_alphabetic();
        let end = rest.find(|c: char| match is_letter {
            true => c != first,
            false => c.is_ascii_alphabetic(),
        });
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        Some(part)
    })
}

fn digits(rest: &mut &str, least: usize, most: usize) -> Option<i16> {
    let found = rest.bytes().take(most).take_while(u8::is_ascii_digit);
    let (number, after) = rest.split_at_checked(found.count())?;
    *rest = after;
    (number.len() >= least).then(|| number.parse().ok())?
}

fn century(two_digits: i16) -> i16 {
    match two_digits {
        69.. => 1900 + two_digits,
        _ => 2000 + two_digits,
    }
}

/// The number of the month that the text begins with, by its name or its name's first letters.
fn month_named(rest: &mut &str, letters: Option<usize>) -> Option<i16> {
    for (number, month) in (1..).zip(MONTHS) {
        let name = month.get(..letters.unwrap_or(month.len()))?;
        if let Some((head, after)) = rest.split_at_checked(name.len())
            && head.eq_ignore_ascii_case(name)
        {
            *rest = after;
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &str, text: &str) -> Option<String> {
        let date = DateFormat::named(format).unwrap().parse(text);
        date.map(|date| date.to_string())
    }

    #[test]
    fn every_format_reads_its_own_example_and_iso() {
        assert_eq!(DateFormat::all().count(), 14);
        for format in DateFormat::all() {
            let january = Some("2021-01-31".to_owned());
            assert_eq!(read(format.0, &format.example()), january, "{format:?}");
            assert_eq!(read(format.0, "2021-01-31"), january, "{format:?}");
        }
    }

    #[test]
    fn dates_read_as_their_format_says() {
        let table = [
            ("yyyy-MM-dd", "2021-1-31", None),
            ("yyyy-MM-dd", "2021-02-29", None),
            ("yyyy-MM-dd", "2024-02-29", Some("2024-02-29")),
            ("dd/MM/yyyy", "01/02/2021", Some("2021-02-01")),
            ("dd/MM/yyyy", "1/2/2021", Some("2021-02-01")),
            ("dd/MM/yyyy", "31/02/2021", None),
            ("dd/MM/yyyy", "01/13/2021", None),
            ("dd/MM/yyyy", "01/02/21", None),
            ("dd/MM/yyyy", "01-02-2021", None),
            ("dd/MM/yyyy", "01/02/2021 ", None),
            ("dd/MM/yyyy", "001/02/2021", None),
            ("dd/MM/yyyy", "01/02/20211", None),
            ("dd/MM/yyyy", "+1/02/2021", None),
            ("dd/MM/yyyy", "٠١/٠٢/٢٠٢١", None),
            ("MM/dd/yyyy", "01/02/2021", Some("2021-01-02")),
            ("MM/dd/yyyy", "13/02/2021", None),
            ("dd-MM-yyyy", "01-02-2021", Some("2021-02-01")),
            ("MM-dd-yyyy", "01-02-2021", Some("2021-01-02")),
            ("dd.MM.yyyy", "01.02.2021", Some("2021-02-01")),
            ("yyyy/MM/dd", "2021/02/01", Some("2021-02-01")),
            ("dd MMM yyyy", "01 feb 2021", Some("2021-02-01")),
            ("dd MMM yyyy", "1 FEB 2021", Some("2021-02-01")),
            ("dd MMM yyyy", "01 February 2021", None),
            ("dd MMM yyyy", "01 fév 2021", None),
            ("MMM dd, yyyy", "Sep 30, 2021", Some("2021-09-30")),
            ("MMM dd, yyyy", "Sep 30 2021", None),
            ("MMMM dd, yyyy", "september 30, 2021", Some("2021-09-30")),
            ("MMMM dd, yyyy", "Sep 30, 2021", None),
            ("dd MMMM yyyy", "31 May 2021", Some("2021-05-31")),
            ("yy/MM/dd", "69/01/02", Some("1969-01-02")),
            ("yy/MM/dd", "99/01/02", Some("1999-01-02")),
            ("yy/MM/dd", "00/01/02", Some("2000-01-02")),
            ("dd/MM/yy", "01/02/68", Some("2068-02-01")),
            ("MM/dd/yy", "01/02/68", Some("2068-01-02")),
            ("MM/dd/yy", "01/02/2068", None),
            ("MM/dd/yy", "", None),
        ];
        for (format, text, expected) in table {
            assert_eq!(read(format, text).as_deref(), expected, "{format}: {text}");
        }
    }

    #[test]
    fn there_are_no_other_formats() {
        for name in ["", "dd/mm/yyyy", "yyyy-MM-dd ", "ISO", "yyyyMMdd"] {
            assert_eq!(DateFormat::named(name), None, "{name}");
        }
    }
}
