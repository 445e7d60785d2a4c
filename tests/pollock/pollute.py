"""The 2,290 pollutions of the benchmark, made from its source table."""

from table import Table


def every(table, change):
    for row in table.rows:
        change(row)
    return table


def pollutions(source):
    """Each polluted file's name and table."""
    base = Table.of(source)

    def spoiled(change):
        table = base.copy()
        change(table)
        return table

    def delimited_by(delimiter):
        def change(row):
            row.delimiters = [delimiter] * len(row.delimiters)
        return every(base.copy(), change)

    def ended_by(end):
        def change(row):
            row.end = end
        return every(base.copy(), change)

    yield "source.csv", base.copy()
    yield "file_no_payload.csv", Table([])
    yield "file_no_trailing_newline.csv", spoiled(lambda t: setattr(t.rows[-1], "end", ""))
    yield "file_double_trailing_newline.csv", spoiled(lambda t: setattr(t.rows[-1], "end", "\r\n\r\n"))
    yield "file_no_header.csv", spoiled(lambda t: t.rows.pop(0))
    names = [cell.value for cell in base.rows[0].cells]
    for extra in (1, 2):
        def repeat(table, extra=extra):
            for _ in range(extra):
                table.insert(0, names, "header")
        yield f"file_header_multirow_{extra + 1}.csv", spoiled(repeat)

    def preamble(table):
        table.insert(0, [""] * table.columns, "preamble")
        table.insert(0, ["PREAMBLE"] + [""] * (table.columns - 1), "preamble")
    yield "file_preamble.csv", spoiled(preamble)

    for kind, columns in (("less", 8), ("same", 9), ("more", 10)):
        yield f"file_multitable_{kind}.csv", spoiled(lambda t, c=columns: second_table(t, c))
    yield "file_header_only.csv", Table(base.copy().rows[:1])
    yield "file_one_data_row.csv", Table(base.copy().rows[:2])

    for place, row in enumerate(base.rows):
        for column in range(len(row.cells)):
            yield (f"row_more_sep_row{place}_col{column}.csv",
                   spoiled(lambda t: setattr(t.rows[place], "extra", column)))
            if column:
                yield (f"row_less_sep_row{place}_col{column}.csv",
                       spoiled(lambda t: setattr(t.rows[place], "missing", column)))
            yield (f"row_extra_quote{place}_col{column}.csv",
                   spoiled(lambda t: setattr(t.rows[place].cells[column], "stray", '"')))
        blanks = [" "] * (len(row.cells) - 1)
        yield (f"row_field_delimiter_{place}_0x20.csv",
               spoiled(lambda t: setattr(t.rows[place], "delimiters", blanks)))

    yield "file_record_delimiter_0xA.csv", ended_by("\n")
    yield "file_record_delimiter_0xD.csv", ended_by("\r")
    yield "file_field_delimiter_0x3B.csv", delimited_by(";")
    yield "file_field_delimiter_0x9.csv", delimited_by("\t")
    yield "file_field_delimiter_0x2C_0x20.csv", delimited_by(", ")
    yield "file_field_delimiter_0x20.csv", delimited_by(" ")
    yield "file_quotation_char_0x27.csv", spoiled(lambda t: setattr(t, "quote", "'"))
    yield "file_escape_char_0x5C.csv", spoiled(lambda t: setattr(t, "escape", "\\"))
    yield "file_escape_char_0x00.csv", spoiled(lambda t: setattr(t, "escape", ""))


def second_table(table, columns):
    """The table once more, without its last row. A value with quotes becomes several cells, as in the benchmark,
    and its rows belong to nothing that a reader should find."""
    own = table.columns
    for row in table.copy().rows[:-1]:
        pieces = []
        for cell in row.cells:
            first, *rest = cell.value.split('"')
            pieces += [first] + ['"' + piece for piece in rest]
        cells = pieces[:own][:columns]
        if columns > own:
            cells.append("col1" if row.role == "header" else "")
        table.insert(len(table.rows), cells, "none")
