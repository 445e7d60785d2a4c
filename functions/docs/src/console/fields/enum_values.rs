//! An enum's values as lines of a text: `value`, or `value = Shown name`. A value's own `=` is
//! written `\=`, and its `\` twice.

use super::stored::EnumValue;

/// Writes values, each on its line.
pub(super) fn written(values: &[EnumValue]) -> String {
    let lines = values.iter().map(|value| match value {
        EnumValue::Plain(value) | EnumValue::Named { value, name: None } => escaped(value),
        EnumValue::Named {
            value,
            name: Some(name),
        } => format!("{} = {name}", escaped(value)),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('=', "\\=")
}

/// Reads what [`written`] writes. Empty lines are none.
pub(super) fn read(text: &str) -> Vec<EnumValue> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).map(line).collect()
}

fn line(line: &str) -> EnumValue {
    let mut value = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let rest = chars.as_str();
                // One that stands before anything else is meant as it is.
                if rest.starts_with(['\\', '=']) {
                    value.extend(chars.next());
                } else {
                    value.push(c);
                }
            }
            '=' => {
                let name = chars.as_str().trim();
                return EnumValue::Named {
                    value: value.trim().to_owned(),
                    name: (!name.is_empty()).then(|| name.to_owned()),
                };
            }
            c => value.push(c),
        }
    }
    EnumValue::Plain(value)
}
