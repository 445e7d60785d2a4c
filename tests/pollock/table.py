"""A table as Pollock keeps it: rows of cells, separators and line ends, each of which can be spoiled alone."""

import copy


def parse(text):
    """The rows of a clean RFC 4180 text, each a list of (value, quoted)."""
    rows, row, value, quoted, place = [], [], [], False, 0
    inside = False
    while place < len(text):
        char = text[place]
        if inside:
            if char == '"' and text[place + 1:place + 2] == '"':
                value.append('"')
                place += 1
            elif char == '"':
                inside = False
            else:
                value.append(char)
        elif char == '"':
            inside = quoted = True
        elif char == "," or char in "\r\n":
            row.append(("".join(value), quoted))
            value, quoted = [], False
            if char != ",":
                place += text[place:place + 2] == "\r\n"
                rows.append(row)
                row = []
        else:
            value.append(char)
        place += 1
    if row or value:
        row.append(("".join(value), quoted))
        rows.append(row)
    return rows


class Cell:
    def __init__(self, value, quoted):
        self.value, self.quoted = value, quoted
        # What stands before the value, within its quotes, that nothing escapes.
        self.stray = ""


class Row:
    def __init__(self, cells, role):
        self.cells, self.role, self.end = cells, role, "\r\n"
        # Between cells, and how many there are: a row may have lost or gained some.
        self.delimiters = [","] * (len(cells) - 1)
        # Where a delimiter is doubled or missing, by the cell before which it stands.
        self.extra, self.missing = None, None


class Table:
    """A polluted file, and what a reader should make of it."""

    def __init__(self, rows):
        self.rows = rows
        self.quote, self.escape = '"', '"'

    @classmethod
    def of(cls, text):
        made = []
        for place, row in enumerate(parse(text)):
            cells = [Cell(value, quoted) for value, quoted in row]
            made.append(Row(cells, "data" if place else "header"))
        return cls(made)

    def copy(self):
        return copy.deepcopy(self)

    @property
    def columns(self):
        return max(len(row.cells) for row in self.rows)

    def insert(self, place, values, role):
        cells = [Cell(value, value.find(",") > 0) for value in values]
        self.rows.insert(place, Row(cells, role))

    def polluted(self):
        """The file's text."""
        return "".join(self.written(row) for row in self.rows)

    def written(self, row):
        parts = []
        for place, cell in enumerate(row.cells):
            if place and place != row.missing:
                parts.append(row.delimiters[place - 1])
            if place == row.extra:
                parts.append(row.delimiters[0] if row.delimiters else ",")
            quote = self.quote if cell.quoted else ""
            # Pollock escapes the quotes of the source, whatever the quotes of the file are.
            value = cell.value.replace('"', self.escape + '"')
            parts.append(quote + cell.stray + value + quote)
        return "".join(parts) + row.end

    def clean(self):
        """The rows that a reader should find: one of header names, then the data."""
        headers = [row for row in self.rows if row.role == "header"]
        rows = []
        if headers:
            names = [[cell.stray + cell.value for cell in row.cells] for row in headers]
            rows.append([" ".join(column) for column in zip(*names)])
        for row in self.rows:
            if row.role == "data":
                rows.append([cell.stray + cell.value for cell in row.cells])
        return rows
