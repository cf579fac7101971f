"""Which field each part of an address belongs in; in doubt none."""

from __future__ import annotations

import re
from dataclasses import astuple

import pytest

from actions.self_service.postal import Postal, told_apart

INDIA = ("IN", Postal("4 Old Rd", "", "Bengaluru", "KA", "560001"), {"Karnataka": "KA", "Delhi": "DL", "Goa": "GA"})
BRITAIN = ("GB", Postal("1 High St", "", "York", "", "YO1 7HH"), {})
AMERICA = ("US", Postal("1 Elm St", "", "Salem", "OR", "97301"),
           {"Oregon": "OR", "Illinois": "IL", "New York": "NY", "Georgia": "GA"})  # fmt: skip
BRAZIL = ("BR", Postal("Rua A, 1", "", "Recife", "PE", "50000-000"), {"Pernambuco": "PE", "São Paulo": "SP"})
SPAIN = ("ES", Postal("Calle B 1", "", "Sevilla", "SE", "41001"), {"Madrid": "M", "Sevilla": "SE"})
Shop = tuple[str, Postal, dict[str, str]]


def fields(text: str, shop: Shop) -> Postal | None:
    country, today, states = shop
    return told_apart(text, today, country, states)


@pytest.mark.parametrize(("text", "shop", "told"), [
    ("Flat 2, Lake View, Indiranagar, Bengaluru 560038", INDIA, ("Bengaluru", "KA", "560038")),
    ("7 Beach Rd, Panaji, Goa - 403 001, India", INDIA, ("Panaji", "GA", "403001")),
    ("7 Beach Rd, Panaji 403001, GOA", INDIA, ("Panaji", "GA", "403001")),
    ("12 Ring Rd, New Delhi, Delhi pin code: 110001", INDIA, ("New Delhi", "DL", "110001")),
    ("12 Moor Lane, Leeds LS1 4DY", BRITAIN, ("Leeds", "", "LS1 4DY")),
    ("Flat 1, 12 Moor Lane, Leeds, ls14dy, UK", BRITAIN, ("Leeds", "", "LS1 4DY")),
    ("12345 Main St, Apt 4, Springfield, IL 62704-1234, USA", AMERICA, ("Springfield", "IL", "62704-1234")),
    ("5 Peach St, Atlanta, Georgia 30301", AMERICA, ("Atlanta", "GA", "30301")),
    ("5 Main St, New York 10001", AMERICA, ("New York", "NY", "10001")),
    ("Rua das Flores, 10, Centro, Olinda - PE, CEP 53020000", BRAZIL, ("Olinda", "PE", "53020-000")),
    ("Av. Paulista, 1000, São Paulo/SP, 01310-100, Brasil", BRAZIL, ("São Paulo", "SP", "01310-100")),
    ("Calle Mayor 5, 2º B, 28013 Madrid, España", SPAIN, ("Madrid", "M", "28013")),
])  # fmt: skip
def test_parts_stand_in_their_fields_and_no_word_is_lost(text: str, shop: Shop, told: tuple[str, str, str]) -> None:
    found = fields(text, shop)
    assert found is not None
    assert (found.city, found.state, found.postcode) == told
    kept = re.sub(r"[\W_]", "", "".join(astuple(found))).casefold()
    states = re.findall(r"\w+", " ".join(shop[2]).casefold())
    left_out = {word for word in re.findall(r"\w+", text.casefold()) if word not in kept and word not in states}
    assert left_out <= {"india", "uk", "usa", "brasil", "españa", "pin", "code", "cep"}


@pytest.mark.parametrize(("text", "shop"), [
    ("12 Ring Rd, New Delhi 110001", INDIA),  # no state
    ("Flat 4, MG Road, Bengaluru 560038, near the mall", INDIA), ("Flat 4, Bengaluru 560038, 9876543210", INDIA),
    ("Flat 4, MG Road, Bengaluru", INDIA), ("MG Road, Bengaluru 560038", INDIA), ("Bengaluru 560038", INDIA),
    ("Sector 12 560038", INDIA), ("4 Rue X, Paris 560038, France", INDIA), ("", INDIA), (",,;", INDIA),
    ("12 Moor Lane, LS1 4DY", BRITAIN), ("12 Moor Lane, Dublin, D02 X285, Ireland", BRITAIN), ("LS1 4DY", BRITAIN),
    ("Apt 4, 12345 Main St", AMERICA), ("Calle Mayor 5, Madrid", SPAIN),
])  # fmt: skip
def test_what_is_not_sure_is_not_told(text: str, shop: Shop) -> None:
    assert fields(text, shop) is None


@pytest.mark.parametrize("today", ["", "N/A", "-", "((((", "12"])
def test_postcode_of_today_that_is_none_tells_nothing(today: str) -> None:
    assert told_apart("4 Road, Town 12345", Postal("1 A", "", "Town", "", today), "XX", {}) is None


def test_long_street_goes_on_in_the_second_line() -> None:
    found = fields(f"Flat 2, {'Lake View Residency ' * 2}Tower, 12th Main Road, Indiranagar, Bengaluru 560038", INDIA)
    assert found is not None
    assert found.line1.endswith("Tower")
    assert found.line2 == "12th Main Road, Indiranagar"
