"""An exported CSV file: its encoding and separators, which of its columns are which of ours, and its rows as orders."""

import csv
import io
import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# How shop systems call the columns, the likeliest first; `a+b` is both values, for a status that is told in two.
USUAL: Mapping[str, tuple[str, ...]] = {
    "order_id": ("order number", "order no", "order id", "increment id", "order reference", "numero do pedido",
                 "numero de pedido", "pedido", "name", "order", "number", "id"),
    "customer_phone": ("shipping phone", "phone shipping", "billing phone", "phone billing", "customer phone", "phone",
                       "telephone", "mobile", "phone number", "whatsapp", "telefone", "celular", "telefono"),
    "status": ("order status", "status", "situacao", "estado", "estatus", "financial status+fulfillment status",
               "fulfillment status"),
    "cancelled_at": ("cancelled at", "canceled at", "date cancelled", "date canceled"),
    "customer_name": ("shipping name", "customer name", "billing name", "customer", "recipient", "cliente", "name"),
    "estimated_delivery": ("estimated delivery", "estimated delivery date", "delivery date", "expected delivery",
                           "entrega prevista", "previsao de entrega", "fecha de entrega", "due date"),
    "carrier": ("carrier", "shipping carrier", "courier", "shipping provider", "tracking company", "transportadora",
                "transportista", "paqueteria"),
    "tracking_number": ("tracking number", "tracking numbers", "tracking no", "tracking code", "codigo de rastreio",
                        "numero de guia", "guia"),
    "tracking_url": ("tracking url", "tracking link", "tracking urls"),
    "placed_at": ("created at", "order date", "date created", "date placed", "placed at", "purchase date",
                  "data do pedido", "fecha del pedido", "date"),
}  # fmt: skip
NEEDED = ("order_id", "customer_phone", "status")
_SEVERAL = ("customer_phone", "customer_name")  # are taken from the first column that has a value
MAX_CELL_CHARS = 1_000_000
MAX_FILE_MB = 200
HEADER_WITHIN = 10  # rows: some systems write a title above
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class ImportRefusedError(Exception):
    """The file or the table cannot be used; the message says why, and the remedy."""


@dataclass(frozen=True)
class Exported:
    """Rows of a file as {our column: text}, each with the line that it begins in; and which columns they come from."""

    sources: Mapping[str, tuple[str, ...]]
    rows: Sequence[tuple[int, Mapping[str, str]]]


def read(path: Path, chosen: Sequence[str] = ()) -> Exported:
    """The orders of a file, several lines of one order joined. `chosen` are 'ours=Theirs,Or theirs'.

    Raises ImportRefusedError.
    """
    csv.field_size_limit(MAX_CELL_CHARS)
    text = _text(path)
    refused, widest = ImportRefusedError(f"{path.name} is empty. Remedy: export it anew."), 0
    try:
        for delimiter in sorted(",;\t|", key=text[:10_000].count, reverse=True):
            lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            for header in filter(any, itertools.islice(lines, HEADER_WITHIN)):
                try:
                    sources = _sources([name.strip() for name in header], chosen)
                except ImportRefusedError as error:
                    refused, widest = max((refused, widest), (error, len(header)), key=lambda one: one[1])
                else:
                    return Exported(sources, list(_orders(lines, [*map(plain, header)], sources)))
    except csv.Error as error:
        raise ImportRefusedError(f"{path.name} is no CSV ({error}). Remedy: export it anew.") from None
    raise refused


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_MB * 1_000_000:
            raise ImportRefusedError(f"{path.name} has more than {MAX_FILE_MB} MB. Remedy: export it in parts.")
        written = path.read_bytes()
    except OSError as error:
        raise ImportRefusedError(f"{path} cannot be read ({error.strerror}).") from None
    if written.startswith(_WORKBOOKS):
        raise ImportRefusedError(f"{path.name} is a workbook. Remedy: save it as CSV (UTF-8) and import that.")
    try:
        text = written.decode("utf-16" if written.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        text = written.decode("cp1252", "replace")  # as Excel saves
    return text.replace("\0", "")


def _sources(header: Sequence[str], chosen: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """For each of our columns those of the file, first the ones that were chosen."""
    by_name: dict[str, str] = {}
    for name in header:
        by_name.setdefault(plain(name), name)
    sources = dict(_said(one, by_name) for one in chosen)
    taken = {part for specs in sources.values() for spec in specs for part in spec.split("+")}
    for ours, usual in USUAL.items():
        free = {name: theirs for name, theirs in by_name.items() if theirs not in taken}
        found = [spec for name in usual if ours not in sources and (spec := _spec(name, free))]
        if found:
            sources[ours] = tuple(found) if ours in _SEVERAL else tuple(found[:1])
            taken |= {part for spec in sources[ours] for part in spec.split("+")}
    missing = [name for name in NEEDED if name not in sources]
    if missing:
        raise ImportRefusedError(
            f"no column of the file is understood as {' or '.join(missing)}. It has: {', '.join(header)[:400]}. "
            f'Remedy: --column {missing[0]}="Name of the column".'
        )
    return sources


def _spec(name: str, by_name: Mapping[str, str]) -> str | None:
    parts = [by_name.get(part) for part in name.split("+")]
    return "+".join(part for part in parts if part) if all(parts) else None


def _said(one: str, by_name: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    ours, equals, theirs = one.partition("=")
    if not equals or ours not in USUAL:
        raise ImportRefusedError(f"--column {one}: write ours=Theirs; ours is one of {', '.join(USUAL)}.")
    specs = []
    for name in theirs.split(","):
        parts = [by_name.get(plain(part)) for part in name.split("+")]
        if not all(parts):
            raise ImportRefusedError(f"--column {one}: the file has no column '{name.strip()}'.")
        specs.append("+".join(str(part) for part in parts))
    return ours, tuple(specs)


def plain(name: str) -> str:
    """'Phone (Billing)' → 'phone billing', 'Número do pedido' → 'numero do pedido'."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[\W_]+", " ", letters).casefold().split())


def _orders(
    lines: Iterator[list[str]], header: Sequence[str], sources: Mapping[str, Sequence[str]]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of one order stand together, and later ones repeat or leave empty what the first says.

    `header` are the names as `plain` has them. Raises ImportRefusedError for a quotation mark that is left open.
    """
    order: dict[str, str] = {}
    began = 0
    for number, cells in _numbered(lines):
        row: dict[str, str] = {}
        for name, cell in zip(header, cells, strict=False):
            row[name] = row.get(name) or cell.strip()  # of two columns of one name, the first that is filled
        values = {ours: _value(row, specs) for ours, specs in sources.items()}
        if any("\n" in values[ours] for ours in NEEDED):
            raise ImportRefusedError(f"line {number}: a quotation mark is opened and not closed. Remedy: close it.")
        more = not any(values[ours] for ours in NEEDED)  # an item of the order above
        if began and (more or values["order_id"] == order["order_id"] != ""):
            order |= {ours: value for ours, value in values.items() if not order[ours]}
            continue
        if began:
            yield began, order
        order, began = values, number
    if began:
        yield began, order


def _numbered(lines: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows that say something, each with the line of the file that it begins in."""
    begins = lines.line_num + 1
    for cells in lines:
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = lines.line_num + 1


def _value(row: Mapping[str, str], specs: Sequence[str]) -> str:
    for spec in specs:
        value = " ".join(filter(None, (row.get(plain(part), "") for part in spec.split("+"))))
        if value:
            return value
    return ""
