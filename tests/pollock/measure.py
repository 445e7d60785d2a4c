"""How well a read file matches what a reader should find: three measures by precision, recall and F1, and success."""

import re
from collections import Counter

WEIGHTS = {
    "source": 1, "file_no_payload": 15, "file_no_trailing_newline": 184, "file_double_trailing_newline": 5,
    "file_no_header": 470, "file_header_multirow": 47, "file_preamble": 282, "file_multitable": 188 / 3,
    "file_header_only": 3, "file_one_data_row": 4, "file_record_delimiter_0xD": 7, "file_record_delimiter_0xA": 1691,
    "file_field_delimiter_0x9": 4, "file_field_delimiter_0x3B": 834, "file_field_delimiter_0x2C_0x20": 101,
    "file_field_delimiter_0x20": 4, "file_quotation_char_0x27": 11, "file_escape_char_0x5C": 1,
    "file_escape_char_0x00": 7, "row_less_sep": 260 / 707, "row_more_sep": 260 / 707,
    "row_field_delimiter": 1 / 7, "row_extra_quote": 1 / 108,
}


def kind(name):
    """The pollution of a file, by its name."""
    name = name.removesuffix(".csv")
    return max((kind for kind in WEIGHTS if name.startswith(kind)), key=len)


def normal(cell):
    """A cell as the benchmark compares it: dates, times, numbers and prices by value, text in lower case.
    The benchmark's own parsers accept more; this has what its table needs."""
    text = cell.strip()
    if not text:
        return cell.lower()
    if re.fullmatch(r"[+-]?\d+", text):
        return str(int(text))
    if re.fullmatch(r"[+-]?\d*\.\d+", text):
        return str(float(text))
    if text.lower() in ("true", "false"):
        return str(int(text.lower() == "true"))
    if date := re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", text):
        day, month, year = date.groups()
        return f"{year}-{month}-{day} 00:00:00"
    if re.fullmatch(r"\d\d:\d\d", text):
        return text + ":00"
    if price := re.search(r"\$\s*(\d+(?:\.\d+)?)", text):
        return "$" + str(float(price.group(1)))
    return cell.lower()


def measured(expected, found):
    """Precision, recall and F1 of one bag of things."""
    if not expected:
        return 3.0
    common = sum((Counter(expected) & Counter(found)).values())
    if not common:
        return 0.0
    precision, recall = common / len(expected), common / len(found)
    return precision + recall + 2 * precision * recall / (precision + recall)


def score(expected, found):
    """Ten for a file that is read as it should be."""
    if not expected:
        return 10.0
    header = measured([normal(cell) for cell in expected[0]], [normal(cell) for row in found[:1] for cell in row])
    joined = lambda rows: ["".join(map(normal, row)) for row in rows[1:]]
    records = measured(joined(expected), joined(found))
    cells = measured([c for row in expected for c in row], [c for row in found for c in row])
    return 1.0 + header + records + cells
