"""Values of environment variables: read without what surrounds them, and refused when nobody could use them.

Secrets come from files, shells, dashboards and YAML with a line break, blanks or quotes around them; no value of ours
has any of those at its ends. What is refused is never shown: it may be a secret in the wrong place.
"""

import io
import ipaddress
import math
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from dotenv.parser import parse_stream

MAX_FILE_BYTES = 65_536
MAX_DAYS = 36_500
LLM_READERS = ("never", "unsure", "always")
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "«": "»"}
# What copying from a web page leaves: byte order marks, joiners, marks of direction.
_INVISIBLE = "".join(map(chr, (0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A))))
_FIRST_WORD = re.compile(r"[^\w#]*(?:export\s+)?([^\s=:]+)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CREDENTIALS_OF_OTHERS = frozenset({
    "WHATSAPP_ACCESS_TOKEN", "WHATSAPP_APP_SECRET", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "ZENDESK_OAUTH_CLIENT_ID",
    "ZENDESK_OAUTH_CLIENT_SECRET", "ZENDESK_OAUTH_TOKEN", "ZENDESK_EMAIL", "ZENDESK_API_TOKEN", "FRESHDESK_API_KEY",
    "HUBSPOT_ACCESS_TOKEN", "CHATWOOT_ACCESS_TOKEN", "SPEECH_API_KEY", "METRICS_TOKEN", "ACTION_TOKEN",
    "EMBEDDINGS_API_KEY", "PINECONE_API_KEY", "ZENDESK_WEBHOOK_SECRET",
})  # fmt: skip
_ADDRESSES = frozenset({
    "WHATSAPP_GRAPH_URL", "ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "ZENDESK_URL", "FRESHDESK_URL", "HUBSPOT_URL",
    "AWS_ENDPOINT_URL", "CHATWOOT_URL", "EMBEDDINGS_URL",
    "SLACK_WEBHOOK_URL", "SPEECH_URL", "ACTION_URL", "OTEL_EXPORTER_OTLP_ENDPOINT",
    "PUBLIC_URL",
})  # fmt: skip


_KAFKA = re.compile(
    r"kafka(\+ssl)?://([^\s:@/]+:[^\s:@/]+@)?[\w.-]+(:\d{1,5})?(,[\w.-]+(:\d{1,5})?)*/[\w.-]{1,249}"
    r"(\?mechanism=(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512))?",
    re.ASCII,
)


class UnusableValue(ValueError):
    """A variable cannot be read or used; the message names it and the remedy, never its value."""


_CREDENTIALS = {
    "woocommerce": (r"[!-9;-~]+:[!-9;-~]+", "the REST key and its secret, ck_...:cs_..."),
    "shopify": (r"[!-~]+", "an access token of the Admin API"),
}
_SHOP_API = ("SHOP_API_URL", "SHOP_API_SECRET")


def clean(value: str | None) -> str | None:
    """`value` without blanks, line breaks, invisible characters and pairs of quotes around it; None when empty."""
    before = None
    while value != before:
        before = value
        # A line break that a file of settings spelled out ends no value of ours either.
        value = (value or "").strip().strip(_INVISIBLE).removesuffix("\\n").removesuffix("\\r")
        if len(value) > 1 and _QUOTES.get(value[0]) == value[-1]:
            value = value[1:-1]
    return value or None


def named(name: str, source: Mapping[str, str | None]) -> str | None:
    """The clean value of `name` in `source`, or of the file that `NAME_FILE` names. Raises UnusableValue."""
    value, file = clean(source.get(name)), clean(source.get(f"{name}_FILE"))
    if file is None:
        return value
    if value is not None:
        raise UnusableValue(f"{name} and {name}_FILE are both set. Remedy: keep one of them.")
    return _from_file(name, Path(file))


def written(file: Path, names: Collection[str]) -> Mapping[str, str | None]:
    """What a file of settings (`.env`) says, nothing where there is none.

    Raises UnusableValue where it cannot be read, and for a line that is about one of `names` and does not set it: an
    open quote, a colon for the equals sign, something that nobody sees within the name. It would count as absent.
    """
    try:
        text = file.read_text("utf-8") if file.is_file() or file.is_fifo() else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UnusableValue(f"{file} cannot be read: {reason}. Remedy: save it as UTF-8, readable.") from None
    for line in parse_stream(io.StringIO(text)):
        begins = _FIRST_WORD.match(line.original.string)
        name = "".join(sign for sign in (begins[1] if begins else "") if sign not in _INVISIBLE)
        if name in names and line.key != name:
            string = line.original.string  # begins with the blank lines before it
            at = line.original.line + string[: len(string) - len(string.lstrip())].count("\n")
            raise UnusableValue(f"{file} does not set {name} in line {at}. Remedy: write {name}=value, quotes closed.")
    return dotenv_values(stream=io.StringIO(text))


def _from_file(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        found = clean(content.decode()) if len(content) <= MAX_FILE_BYTES else None
    except OSError as error:
        raise UnusableValue(f"{name}_FILE cannot be read ({error.strerror}). Remedy: correct the path.") from None
    except UnicodeDecodeError:
        found = None
    if found is None:
        raise UnusableValue(f"{name}_FILE must name a text file that holds the value, and is not one.")
    return found


DATABASE_DRIVERS = frozenset({"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg2", "mysql+pymysql"})
"""The beginnings of URLs, as `database_url` gives them, that SQLAlchemy has a driver for here."""


def database_url(url: str) -> str:
    """`url` as SQLAlchemy reads it: hosting services hand out `postgres://`; of MySQL's drivers we have PyMySQL."""
    url = re.sub(r"(?i)^postgres(ql)?(?=[+:])", "postgresql", url, count=1)
    return re.sub(r"(?i)^(mysql|mariadb)(\+pymysql)?(?=:)", "mysql+pymysql", url, count=1)


def check(values: Mapping[str, str | None]) -> None:
    """Raise UnusableValue for the first value that would fail only when it is used."""
    for name, value in values.items():
        if value is not None:
            _check(name, value)
    for name, other in (_SHOP_API, _SHOP_API[::-1]):
        if values.get(name) and not values.get(other):
            raise UnusableValue(f"{name} is set, but {other} is not. Remedy: set it too, or unset both.")
    scheme, plus, _ = (values.get("SHOP_API_URL") or "").lower().partition("+")
    shape = _CREDENTIALS.get(scheme) if plus else None
    if shape and not re.fullmatch(shape[0], values.get("SHOP_API_SECRET") or ""):
        raise UnusableValue(f"SHOP_API_SECRET is no credential of {scheme}'s. Remedy: {shape[1]}.")


def _check(name: str, value: str) -> None:
    if _CONTROL.search(value):
        raise UnusableValue(
            f"{name} has a line break or another control character inside. Remedy: paste it again, on one line."
        )
    if name in _CREDENTIALS_OF_OTHERS and not re.fullmatch(r"[!-~]+", value):
        raise UnusableValue(
            f"{name} has blanks or characters inside that no credential has. Remedy: paste it again, alone "
            "(no word such as Bearer before it, no quotes)."
        )
    if name in _ADDRESSES and not _is_address(value):
        raise UnusableValue(f"{name} is not a web address. Remedy: write it as https://host/path.")
    usable, remedy = _SHAPES.get(name, (None, ""))
    if usable is not None and not usable(value):
        raise UnusableValue(f"{name} {remedy.replace('{value}', repr(value))}")


def _is_address(value: str) -> bool:
    host = r"(?:[\w.-]+|\[[\da-f:.]+\])"
    return re.fullmatch(rf"(?i)https?://(?:[^\s/@]+@)?{host}(?::\d{{1,5}})?(?:[/?]\S*)?", value) is not None


def _whole(value: str) -> bool:
    return value.isascii() and value.isdecimal() and int(value) > 0


def _whole_or_none(value: str) -> bool:
    return value == "0" or _whole(value)


def _are_days(value: str) -> bool:
    return _whole(value) and int(value) <= MAX_DAYS  # further back there are no dates to compare with


def _seconds(value: str) -> float:
    """The seconds that a value says; -1 for what says none."""
    try:
        return float(value) if math.isfinite(float(value)) else -1.0
    except ValueError:
        return -1.0


def _is_redis(value: str) -> bool:
    from hot_store import redis_address  # loads redis-py, which not every command needs

    try:
        return bool(redis_address.parse(value))
    except ValueError:
        return False


def _is_zone(value: str) -> bool:
    try:
        return bool(ZoneInfo(value))
    except (OSError, ValueError, LookupError):
        return False


def _is_pattern(value: str) -> bool:
    try:
        return bool(re.compile(value))
    except re.error:
        return False


def _is_store(value: str) -> bool:
    return re.fullmatch(r"(?:file:///|s3://|gs://|gcs://)\S+", value) is not None


def _are_networks(value: str) -> bool:
    try:
        return bool([ipaddress.ip_network(one.strip()) for one in value.split(",")])
    except ValueError:
        return False


def _one_of(*words: str) -> tuple[Callable[[str], bool], str]:
    return words.__contains__, f"must be one of {', '.join(words)}, not {{value}}."


_STORE = "is no folder or bucket. Remedy: write it as file:///folder, s3://bucket/folder or gs://bucket/folder."
_NUMBER = "must be digits only. Remedy: copy the number that the dashboard shows, or its address."
_DAYS = f"must be a whole number of days, 1 or more and {MAX_DAYS} at most, not {{value}}."
_SHAPES: dict[str, tuple[Callable[[str], bool], str]] = {
    "WHATSAPP_PHONE_NUMBER_ID": (
        lambda value: re.fullmatch(r"[0-9]{1,32}", value) is not None,
        "must be digits only. Remedy: copy the *Phone number ID* from Meta's app dashboard, WhatsApp > API setup "
        "(not the phone number).",
    ),
    "WHATSAPP_REOPEN_TEMPLATE": (
        lambda value: re.fullmatch(r"[a-z0-9_]{1,512}(:[a-zA-Z]{2,3}(_[a-zA-Z]{2,4})?)?", value) is not None,
        "must be name:language. Remedy: such as conversation_reopened:en, as Meta's template manager shows them.",
    ),
    "SHOP_API_URL": (
        lambda value: _is_address(re.sub(r"(?i)^(woocommerce|shopify)\+", "", value)) and not set("?#") & set(value),
        "is not the address of an API. Remedy: write it as https://host/path, without a question mark; for WooCommerce "
        "woocommerce+https://host, for Shopify shopify+https://name.myshopify.com.",
    ),
    "MEDIA_URL": (_is_store, _STORE),
    "ARCHIVE_URL": (_is_store, _STORE),
    **dict.fromkeys(("WHATSAPP_BUSINESS_ACCOUNT_ID", "CHATWOOT_ACCOUNT_ID", "CHATWOOT_INBOX_ID"), (_whole, _NUMBER)),
    "RASA_WORKERS": (_whole, "must be a whole number, 1 or more. Remedy: correct it, or unset it for one a core."),
    "ESCALATION_EMAIL_TO": (
        lambda value: re.fullmatch(r"[^@\s,]+@[^@\s,]+(, *[^@\s,]+@[^@\s,]+)*", value) is not None,
        "is not a mail address. Remedy: one such as support@example.com.",
    ),
    "SMTP_URL": (
        lambda value: re.match(r"(?i)smtps?://[^\s/]", value) is not None and " " not in value,
        "is not a mail server. Remedy: write it as smtp://user:password@host:587.",
    ),
    "SHOP_TIMEZONE": (_is_zone, "{value} is not a time zone. Remedy: a name such as Asia/Kolkata."),
    "ORDER_NUMBER_PATTERN": (_is_pattern, r"{value} is not a regular expression. Remedy: one such as \d{5}."),
    "ZENDESK_ORDER_FIELD_ID": (
        lambda value: re.fullmatch(r"[1-9]\d{0,18}", value, re.ASCII) is not None,
        "must be the number of a ticket field, not {value}. Remedy: the ID that Zendesk's Admin Center shows beside "
        "the field, such as 360012345678; or unset it.",
    ),
    "REDIS_URL": (
        _is_redis,
        "is not the address of a Redis. Remedy: write it as redis://host:6379/0, redis+sentinel://h1:26379,h2:26379/"
        "service or redis+cluster://h1:6379,h2:6379.",
    ),
    "LOG_KAFKA_URL": (
        lambda value: _KAFKA.fullmatch(value) is not None,
        "is not a topic of Kafka. Remedy: write it as kafka://h1:9092,h2:9092/topic, or with TLS and a user as "
        "kafka+ssl://user:password@h1:9092/topic, ?mechanism=SCRAM-SHA-512 where it is not PLAIN.",
    ),
    "REDIS_WAIT_FOR": _one_of("auto", "replica", "replica_disk", "nothing"),
    "LOG_LEVEL": _one_of("DEBUG", "INFO", "WARNING", "ERROR"),
    "LOG_FORMAT": _one_of("text", "json"),
    "LLM_READER": _one_of(*LLM_READERS),
    "WHATSAPP_APPSECRET_PROOF": _one_of("off", "on"),
    "SHOP_WEBHOOK_MAX_AGE_S": (_whole_or_none, "must be a whole number of seconds, 0 for any age, not {value}."),
    "METRICS_FROM": (_are_networks, "must be networks, not {value}. Remedy: such as 127.0.0.0/8,10.0.0.0/8."),
    "READ_PICTURES": _one_of("off", "on"),
    "LLM_TIMEOUT_S": (lambda value: _seconds(value) > 0, "must be a number, more than 0 seconds, not {value}."),
    "LLM_INTENT_TIMEOUT_S": (lambda value: _seconds(value) >= 0, "must be a number, 0 seconds or more, not {value}."),
    "BURST_WAIT_S": (lambda value: 0 <= _seconds(value) <= 10, "must be a number, 0 to 10 seconds, not {value}."),
    "CUSTOMER_MESSAGE_LIMIT": (_whole_or_none, "must be a whole number, 0 for no limit, not {value}."),
    "RETENTION_WARM_DAYS": (_are_days, _DAYS),
    "RETENTION_COLD_DAYS": (_are_days, _DAYS),
}
