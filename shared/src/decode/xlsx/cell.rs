//! What a spreadsheet's cell becomes.

use calamine::{DataRef, ExcelDateTime};
use jiff::civil::{Date, DateTime, Time};

use crate::record::RawValue;

/// Significant digits that a spreadsheet keeps of a number.
const DIGITS: usize = 15;
const SECONDS_PER_DAY: f64 = 86_400.0;

/// A cell's value; nothing, when it is blank.
pub(super) fn value(cell: &DataRef<'_>) -> Option<RawValue> {
    match cell {
        DataRef::Empty => None,
        DataRef::String(text) | DataRef::DurationIso(text) => text_value(text),
        DataRef::SharedString(text) => text_value(text),
        DataRef::Bool(boolean) => Some(RawValue::Boolean(*boolean)),
        DataRef::Int(number) => Some(number_value(*number as f64)),
        DataRef::Float(number) => Some(number_value(*number)),
        DataRef::DateTime(time) => Some(time_value(time)),
        DataRef::DateTimeIso(text) => iso_value(text),
        DataRef::Error(error) => Some(RawValue::CellError(error.to_string())),
    }
}

fn text_value(text: &str) -> Option<RawValue> {
    (!text.trim().is_empty()).then(|| RawValue::Cell(text.to_owned()))
}

/// A number as spreadsheets show it: `0.1 + 0.2` is `0.3` there.
fn number_value(number: f64) -> RawValue {
    let rounded = format!("{number:.*e}", DIGITS - 1).parse();
    match rounded {
        // Nobody means a zero below zero.
        Ok(rounded) if f64::is_finite(rounded) => RawValue::CellNumber(rounded + 0.0),
        _ => RawValue::Cell(number.to_string()),
    }
}

/// A number that is formatted as a date, a time of day or a duration, in days.
fn time_value(time: &ExcelDateTime) -> RawValue {
    let days = time.as_f64();
    if time.is_duration() {
        return match duration(days) {
            Some(text) => RawValue::Cell(text),
            None => number_value(days),
        };
    }
    // Spreadsheets show no dates before their epoch and none after the year 9999.
    if !(0.0..2_958_466.0).contains(&days) {
        return number_value(days);
    }
    let (year, month, day, hour, minute, second, millisecond) = time.to_ymd_hms_milli();
    if days < 1.0 {
        return RawValue::Cell(format!("{hour:02}:{minute:02}:{second:02}"));
    }
    // Each fits, since they come from smaller types; 1900-02-29 is a day in spreadsheets only.
    let date = Date::new(year as i16, month as i8, day as i8);
    let nanosecond = i32::from(millisecond) * 1_000_000;
    let clock = Time::new(hour as i8, minute as i8, second as i8, nanosecond);
    match (date, clock) {
        (Ok(date), Ok(clock)) => RawValue::CellDate(date.to_datetime(clock)),
        _ => RawValue::Cell(format!("{year:04}-{month:02}-{day:02}")),
    }
}

/// Days as hours, minutes and seconds: `37:30:00`.
fn duration(days: f64) -> Option<String> {
    let seconds = (days.abs() * SECONDS_PER_DAY).round();
    if !seconds.is_finite() || seconds > 1e12 {
        return None;
    }
    let seconds = seconds as u64;
    let sign = if days < 0.0 { "-" } else { "" };
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    Some(format!("{sign}{hours:02}:{minutes:02}:{:02}", seconds % 60))
}

/// A date that is written as ISO 8601 has it, which few programs do.
fn iso_value(text: &str) -> Option<RawValue> {
    let written = text.trim();
    let written = written.strip_suffix('Z').unwrap_or(written);
    // A time of day alone is not a date.
    match written.parse::<DateTime>() {
        Ok(time) => Some(RawValue::CellDate(time)),
        Err(_) => text_value(text),
    }
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    fn shown(cell: DataRef<'_>) -> String {
        match value(&cell) {
            None => "blank".to_owned(),
            Some(RawValue::Cell(text)) => format!("{text:?}"),
            Some(RawValue::CellNumber(number)) => number.to_string(),
            Some(RawValue::CellDate(time)) => time.to_string(),
            Some(RawValue::CellError(error)) => format!("error {error}"),
            Some(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn cells_become_values() {
        let time = |days, kind, is_1904| DataRef::DateTime(ExcelDateTime::new(days, kind, is_1904));
        let date = |days| time(days, ExcelDateTimeType::DateTime, false);
        let duration = |days| time(days, ExcelDateTimeType::TimeDelta, false);
        let table = [
            (DataRef::Empty, "blank"),
            (DataRef::String(" \n".to_owned()), "blank"),
            (DataRef::String(" 007 ".to_owned()), "\" 007 \""),
            (DataRef::SharedString("x"), "\"x\""),
            (DataRef::Bool(true), "Boolean(…)"),
            (DataRef::Float(0.1 + 0.2), "0.3"),
            (DataRef::Float(2000.0), "2000"),
            (DataRef::Float(-1e-7), "-0.0000001"),
            (DataRef::Float(f64::NAN), "\"NaN\""),
            (DataRef::Float(f64::MAX), "\"17976931348623157"),
            (DataRef::Float(-0.0), "0"),
            (DataRef::Int(7), "7"),
            (DataRef::Error(calamine::CellErrorType::NA), "error #N/A"),
            (date(44_197.0), "2021-01-01T00:00:00"),
            (date(44_319.266_608_796_3), "2021-05-03T06:23:55"),
            (date(1.0), "1900-01-01T00:00:00"),
            (date(60.0), "\"1900-02-29\""),
            (date(61.0), "1900-03-01T00:00:00"),
            (date(0.25), "\"06:00:00\""),
            (date(0.0), "\"00:00:00\""),
            (date(-1.0), "-1"),
            (date(2_958_466.0), "2958466"),
            (
                time(42_735.0, ExcelDateTimeType::DateTime, true),
                "2021-01-01T00:00:00",
            ),
            (duration(1.562_5), "\"37:30:00\""),
            (duration(-0.5), "\"-12:00:00\""),
            (duration(1e300), "1"),
            (
                DataRef::DateTimeIso("2021-01-31".to_owned()),
                "2021-01-31T00:00:00",
            ),
            (
                DataRef::DateTimeIso("2021-01-31T10:00:05Z".to_owned()),
                "2021-01-31T10:00:05",
            ),
            (DataRef::DateTimeIso("10:10:10".to_owned()), "\"10:10:10\""),
        ];
        for (cell, expected) in table {
            let text = format!("{cell:?}");
            // The largest numbers are shown by their first digits.
            assert!(
                shown(cell.clone()).starts_with(expected),
                "{text}: {}",
                shown(cell)
            );
        }
    }
}
