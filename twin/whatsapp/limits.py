"""Meta's limits on a message that a business sends: what the real Graph API would refuse, this refuses too.

The limits are a JSON Schema (`limits.yml`); here is what refusals are called, and the few rules that no schema says.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError

from twin.whatsapp.graph_errors import Refusal

LIMITS = yaml.safe_load(Path(__file__).with_name("limits.yml").read_text(encoding="utf-8"))
MAX_ROWS = 10
CODES = {"type": 100, "additionalProperties": 100, "maxLength": 100, "required": 131008, "minLength": 131008,
         "anyOf": 131008}  # fmt: skip
OTHER = 131009
SAYS = {
    "type": "Param {path} must be of the type {limit}.",
    "maxLength": "Param {path} must be at most {limit} characters long.",
    "minLength": "The parameter {path} is required.",
    "anyOf": "The parameter to (or recipient) is required.",
    "enum": "Param {path} must be one of {limit}.",
    "minItems": "Invalid {path} count. Min allowed: {limit}.",
    "maxItems": "Invalid {path} count. Max allowed: {limit}.",
}
FIRST = ("type", "additionalProperties")  # of the mistakes of one part, what Meta looks at first


def check_message(body: Any) -> Refusal | None:
    """What is wrong with the body of POST /{phone_number_id}/messages that sends a message; None if nothing is."""
    if not isinstance(body, dict):
        return Refusal(100, "Param body must be a JSON object.")
    kind = body.get("type", "text")
    if not isinstance(kind, str) or kind not in (*LIMITS["content"], "interactive"):
        return Refusal(100, f"Param type must be one of {[*LIMITS['content'], 'interactive']}.")
    variant = ""
    if kind == "interactive" and isinstance(body.get(kind), dict):
        if "type" not in body[kind]:
            return Refusal(131008, "The parameter interactive['type'] is required.")
        variant = body[kind]["type"] if isinstance(body[kind]["type"], str) else ""
        if variant == "common" or variant not in LIMITS["interactive"]:
            return Refusal(100, f"Param interactive['type'] is none of {[*LIMITS['interactive']][1:]}.")
    found = _first(_message(kind, variant), body)
    return found or (next(_of_all_parts(body[kind]["action"]), None) if variant in ("button", "list") else None)


def check_read_receipt(body: Any) -> Refusal | None:
    """What is wrong with a body that marks a message as read (and may show the typing indicator)."""
    return _first(Draft202012Validator(LIMITS["receipt"]), body)


@cache
def _message(kind: str, variant: str) -> Draft202012Validator:
    """Messages of a kind; interactive ones of a variant."""
    content = LIMITS["content"].get(kind) or {
        "type": "object",
        "required": ["body", "action"],
        "additionalProperties": False,
        "properties": {**LIMITS["interactive"]["common"], **LIMITS["interactive"].get(variant, {})},
    }
    return Draft202012Validator({
        "$defs": LIMITS["$defs"],
        "type": "object",
        "required": ["messaging_product", kind],
        "anyOf": [{"required": ["to"]}, {"required": ["recipient"]}],
        "additionalProperties": False,
        "properties": {**LIMITS["envelope"], kind: content},
    })  # fmt: skip


def _first(validator: Draft202012Validator, body: Any) -> Refusal | None:
    """The refusal of the outermost mistake."""
    mistakes = validator.iter_errors(body)
    found = min(mistakes, key=lambda one: (len(one.absolute_path), one.validator not in FIRST), default=None)
    return None if found is None else _refusal(found)


def _refusal(mistake: ValidationError) -> Refusal:
    keyword, schema = str(mistake.validator), mistake.schema if isinstance(mistake.schema, dict) else {}
    path = _path(mistake.absolute_path)
    code = schema.get("codes", {}).get(keyword) or CODES.get(keyword, OTHER)
    if keyword == "additionalProperties":
        unexpected = min(set(mistake.instance) - set(schema["properties"]))
        return Refusal(code, f'Unexpected key "{unexpected}" on param "{path or "body"}".')
    if keyword == "required":
        missing = next(key for key in mistake.validator_value if key not in mistake.instance)
        return Refusal(code, f"The parameter {_path([*mistake.absolute_path, missing])} is required.")
    says = SAYS.get(keyword, f"{{path}} {schema.get('says', 'is not valid')}.")
    return Refusal(code, says.format(path=path or "body", limit=mistake.validator_value))


def _path(parts: Any) -> str:
    """As Meta writes it: interactive['body']['text']."""
    first, *others = [str(part) for part in parts] or [""]
    return first + "".join(f"[{part}]" if part.isdecimal() else f"['{part}']" for part in others)


def _of_all_parts(action: dict[str, Any]) -> Iterator[Refusal]:
    """What a schema does not say of buttons and rows: that no two are alike, and how many rows all sections have."""
    replies = [button["reply"] for button in action.get("buttons", [])]
    rows = [row for section in action.get("sections", []) for row in section["rows"]]
    if len(rows) > MAX_ROWS:
        yield Refusal(OTHER, f"Total row count exceeds max allowed count: {MAX_ROWS}")
    parts = {"Button ids": [one["id"] for one in replies], "Button titles": [one["title"] for one in replies],
             "Row ids": [one["id"] for one in rows]}  # fmt: skip
    for what, values in parts.items():
        if len(set(values)) != len(values):
            yield Refusal(OTHER, f"{what} must be unique.")
