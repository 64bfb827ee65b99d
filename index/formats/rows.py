"""Rows: files that hold a document in each line (JSON lines) or row (CSV).

What comes of a row is a line of a batch (docs/http-api.md). A row that holds no document gives a line that says so when
it is put: rows and lines have the same numbers.
"""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from index.errors import DamagedFile, EmptyFile, FileOverLimit
from index.formats.draft import clean
from index.formats.limits import Limits

# Columns that say something of the document, where there is one for its text.
_TEXT, _TITLE, _SOURCE, _DATE, _TAGS = "text", "title", "source", "date", "tags"
_SNIFFED = 65_536
_DELIMITERS = ",;\t|"
_MOST_COLUMNS = 500


def read_json_lines(text: str, source: str, limits: Limits) -> Iterator[dict[str, Any] | str]:
    """Yield the documents of JSON lines; a line that is no object as it is, and a blank one as "".

    A line without a source is `source#n`, n its number from 1.

    Raises:
        EmptyFile: there is no line.
        DamagedFile: no line is an object: this is another format.
        FileOverLimit: there are too many lines.
    """
    lines = text.removesuffix("\n").split("\n")
    if not any(line.strip() for line in lines):
        raise EmptyFile("The file holds no line.")
    _check_count(len(lines), limits)
    parsed = [_object(line) for line in lines]
    if not any(isinstance(each, dict) for each in parsed):
        raise DamagedFile("No line of the file is a JSON object; write one a line, with 'text'.")
    for number, each in enumerate(parsed, start=1):
        if isinstance(each, dict):
            yield {"source": f"{source}#{number}"} | {name: value for name, value in each.items() if value is not None}
        else:
            yield each


def _object(line: str) -> dict[str, Any] | str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line.strip()
    return value if isinstance(value, dict) else line.strip()


def read_csv(text: str, source: str, limits: Limits) -> Iterator[dict[str, Any]]:
    """Yield the documents of a table, whose first row names its columns; row n is `source#n`.

    A column `text` is the document's text; `title`, `source`, `date` and `tags` (separated by ";") are what they say,
    and any other column is metadata. Without such a column, the text is a line for each column: "column: value".

    Raises:
        EmptyFile: there is no row under the first.
        DamagedFile: the first row names no columns, or a row has more cells.
        FileOverLimit: there are too many rows or columns.
    """
    csv.field_size_limit(max(limits.characters, 131_072))
    reader = csv.reader(io.StringIO(text, newline=""), _dialect(text), strict=True)
    try:
        names = [clean(name) for name in next(reader, [])]
        if len(names) > _MOST_COLUMNS:
            raise FileOverLimit(f"The table has {len(names)} columns; at most {_MOST_COLUMNS} are read.")
        if not names or not all(names) or len(set(names)) < len(names):
            raise DamagedFile("The first row must name every column, each by another name.")
        number = 0
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            number += 1
            _check_count(number, limits)
            if len(cells) > len(names):
                raise DamagedFile(f"Row {number} has {len(cells)} cells, and there are {len(names)} columns.")
            row = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if cell.strip()}
            yield {"source": f"{source}#{number}"} | _document(row, names)
    except csv.Error as error:
        raise DamagedFile(f"The table cannot be read: line {reader.line_num}: {error}.") from error
    if not number:
        raise EmptyFile("The table has no row under the names of its columns.")


def _dialect(text: str) -> Any:
    try:
        found = csv.Sniffer().sniff(text[:_SNIFFED].partition("\n")[0] + "\n", delimiters=_DELIMITERS)
    except csv.Error:
        return csv.excel
    # The first row says how cells are parted; how they are quoted is the same in all that programs write.
    return type("Dialect", (csv.excel,), {"delimiter": found.delimiter, "skipinitialspace": True})


def _document(row: dict[str, str], names: list[str]) -> dict[str, Any]:
    known = {name.casefold(): name for name in names}
    made: dict[str, Any] = {}
    if title := row.get(known.get(_TITLE, "")):
        made["title"] = clean(title)
    if _TEXT not in known:
        made["text"] = "\n".join(f"{name}: {clean(value)}" for name, value in row.items())
        made["headings"] = []
        return made
    said = {known[name] for name in (_TEXT, _TITLE, _SOURCE, _DATE, _TAGS) if name in known}
    made["text"] = row.get(known[_TEXT], "")
    for name in (_SOURCE, _DATE):
        if value := row.get(known.get(name, "")):
            made[name] = value
    if tags := row.get(known.get(_TAGS, "")):
        made["tags"] = [tag.strip() for tag in tags.split(";") if tag.strip()]
    if rest := {name: value for name, value in row.items() if name not in said}:
        made["metadata"] = rest
    return made


def _check_count(count: int, limits: Limits) -> None:
    if count > limits.rows:
        raise FileOverLimit(f"The file has more than {limits.rows} rows; send it in parts.")
