"""An exported CSV file: its encoding and separators, which of its columns are which of ours, and its rows as orders."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# How shop systems call the columns, the likeliest first; `a+b` is both values, for a status that is told in two.
USUAL: Mapping[str, tuple[str, ...]] = {
    "order_id": ("order number", "order no", "order id", "increment id", "order reference", "numero do pedido",
                 "numero de pedido", "pedido", "name", "order", "number", "id"),
    "customer_phone": ("shipping phone", "phone shipping", "billing phone", "phone billing", "customer phone", "phone",
                       "telephone", "mobile", "phone number", "whatsapp", "telefone", "celular", "telefono"),
    "status": ("order status", "status", "situacao", "estado", "estatus", "financial status+fulfillment status",
               "fulfillment status"),
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
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
        header = [name.strip() for name in next(lines, [])]
        sources = _sources(header, chosen)
        return Exported(sources, list(_orders(lines, header, sources)))
    except csv.Error as error:
        raise ImportRefusedError(f"{path.name} is no CSV ({error}). Remedy: export it anew.") from None


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_MB * 1_000_000:
            raise ImportRefusedError(f"{path.name} has more than {MAX_FILE_MB} MB. Remedy: export it in parts.")
        written = path.read_bytes()
    except OSError as error:
        raise ImportRefusedError(f"{path} cannot be read ({error.strerror}).") from None
    try:
        text = written.decode("utf-16" if written.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        text = written.decode("cp1252", "replace")  # as Excel saves
    return re.sub(r"\Asep=(.)\r?\n", "", text).replace("\0", "")


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t|", key=first.count)


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
    """The lines of one order stand together, and later ones repeat or leave empty what the first says."""
    order: dict[str, str] = {}
    began = 0
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        values = {ours: _value(row, specs) for ours, specs in sources.items()}
        more = not (values["order_id"] or values["customer_phone"] or values["status"])  # an item of the order above
        if began and (more or values["order_id"] == order["order_id"] != ""):
            order |= {ours: value for ours, value in values.items() if not order[ours]}
            continue
        if began:
            yield began, order
        order, began = values, number
    if began:
        yield began, order


def _value(row: Mapping[str, str], specs: Sequence[str]) -> str:
    for spec in specs:
        value = " ".join(filter(None, (row.get(part, "") for part in spec.split("+"))))
        if value:
            return value
    return ""
