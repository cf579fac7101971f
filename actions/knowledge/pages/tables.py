"""Tables, read row by row: every value beside its row's and its column's name, and beside no other's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

MAX_SPANNED = 50


@dataclass(frozen=True)
class Cell:
    """One cell as the page has it; `names` whether it is marked as a heading, `bold` whether it only looks like one."""

    text: str
    names: bool = False
    bold: bool = False
    columns: int = 1
    rows: int = 1


@dataclass
class Table:
    """Collects cells. A cell over several columns or rows stands in each of them."""

    _rows: list[list[Cell]] = field(default_factory=list)
    _row: dict[int, Cell] = field(default_factory=dict)
    _from_above: dict[int, tuple[Cell, int]] = field(default_factory=dict)
    _headings: int = 0
    _in_head: bool = False

    def add(self, cell: Cell) -> None:
        """The next cell of the row that is being read."""
        column = 0
        for _ in range(min(max(cell.columns, 1), MAX_SPANNED)):
            while column in self._row or column in self._from_above:
                column += 1
            self._row[column] = cell

    def begin_head(self) -> None:
        """What follows until the next row of the body names the columns."""
        self._in_head = True

    def end_head(self) -> None:
        """The rows of the body follow."""
        self._in_head = False

    def end_row(self) -> None:
        """The row is complete; one without a cell is none."""
        if not self._row:
            return
        own = self._row
        row = {**{column: cell for column, (cell, _) in self._from_above.items()}, **own}
        still = {column: (cell, left - 1) for column, (cell, left) in self._from_above.items() if left > 1}
        begun = {column: (cell, min(cell.rows, MAX_SPANNED) - 1) for column, cell in own.items() if cell.rows > 1}
        self._from_above, self._row = {**still, **begun}, {}
        cells = [row.get(column, Cell("")) for column in range(max(row) + 1)]
        named = [cell for cell in cells if cell.text]
        if len(self._rows) == self._headings and (self._in_head or (named and all(cell.names for cell in named))):
            self._headings += 1
        self._rows.append(cells)

    def sentences(self) -> list[str]:
        """Each row in words; the rows that name the columns are no sentences of their own."""
        self.end_row()
        rows = [[cell.text for cell in row] for row in self._rows]
        headings = self._headings if self._headings < len(rows) else 0
        if not self._headings and _first_names(self._rows):
            headings = 1
        width = max(map(len, rows), default=0)
        header = [" ".join(dict.fromkeys(text for row in rows[:headings] for text in row[column : column + 1] if text))
                  for column in range(width)]  # fmt: skip
        return [said for row in rows[headings:] if (said := as_sentence(header, row))]


def _first_names(rows: Sequence[Sequence[Cell]]) -> bool:
    """Whether the first of rows without marks names the columns: in bold, or the only one without a figure."""
    first, *others = rows or [[]]
    named = [cell for cell in first if cell.text]
    if len(named) < 2 or not others:
        return False
    if all(cell.bold for cell in named):
        return not all(cell.bold for row in others for cell in row if cell.text)
    return len(others) > 1 and not _figures(first) and all(_figures(row[1:]) for row in others)


def _figures(cells: Sequence[Cell]) -> bool:
    return any(letter.isdigit() for cell in cells for letter in cell.text)


def as_sentence(header: Sequence[str], cells: Sequence[str]) -> str:
    """A row of a table in words: its first cell, then each other cell with its column's heading."""
    label, *values = cells or [""]
    names = [*header[1:], *[""] * len(values)]
    parts = [f"{name}: {value}" if name else value for name, value in zip(names, values, strict=False) if value]
    return " — ".join(part for part in (label, "; ".join(parts)) if part)


def cells_of(sentence: str) -> Iterator[tuple[str, str, str]]:
    """(row's label, column's heading, value) of each cell of a sentence that `as_sentence` wrote; none of others."""
    label, dash, rest = sentence.partition(" — ")
    if dash:
        for part in rest.split("; "):
            name, colon, value = part.partition(": ")
            yield label, name if colon else "", value if colon else part
