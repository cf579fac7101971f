"""Which links the assistant may send: with `links` of shop.yml, to these domains, the pages' and the responses' own.

A wrong row of the orders table or a model's words then lead no customer to a stranger's site. Agents' own words are not
looked at.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

_END = r"[^\s<>\"'()\[\]]*[^\s<>\"'()\[\].,;:!?*_~…]"
# What WhatsApp makes a link of: with a scheme, with www., and bare names that end as addresses do or have a path.
_TOP = "com net org info biz io co ly gl app dev shop store online site link xyz top club live page web tk ru cn cc"
_COUNTRIES = "br mx es uk pt ar cl pe ca au nz de fr nl eu ch ie id ph sg za ng ke ae"
_WORDS_TOO = "in me us it at be my"  # with a capital they begin a sentence whose blank is missing
_ENDINGS = "|".join(f"{_TOP} {_COUNTRIES}".split())
_LAST = rf"(?:{_ENDINGS}|(?-i:{'|'.join(_WORDS_TOO.split())}))\b(?![\w.-])|(?:xn--[\w-]+|[^\W\d_]{{2,}})(?=/)"
_BARE = rf"(?<![\w@.-])(?:\w[\w-]{{0,62}}\.){{1,126}}(?:{_LAST})(?:[/?:#]{_END})?"
LINK = re.compile(rf"(?<!\w)(?:[a-z][a-z0-9+.-]{{0,30}}://(?:\[[^\s\]]*\])?|www\.){_END}|{_BARE}", re.IGNORECASE)
_MARKDOWN = re.compile(rf"\[([^\]\n]*)\]\(\s*({LINK.pattern})\s*\)", re.IGNORECASE)
_IN_PAGES = re.compile(rb"https?://([A-Za-z0-9.-]+)")
_PAGES = frozenset({".md", ".markdown", ".txt", ".html", ".htm"})
_TARGETS = ("url", "link", "src", "image_url")
_WORDS = frozenset(
    ("text", "body", "caption", "title", "subtitle", "description", "header", "footer", "name", "address", "button")
)
_SAID = ("text", "buttons", "quick_replies", "image", "attachment", "elements", "custom")


def host_of(url: str) -> str | None:
    """The host that a link leads to; None where two readers could disagree about it."""
    if "\\" in url or "@" in url.partition("://")[2].partition("/")[0]:
        return None
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return (host or "").rstrip(".").lower() or None


class AllowedLinks:
    """The allow-list of one shop. `texts` are words of its own whose links count too, such as those of domain.yml."""

    def __init__(self, named: Iterable[str], pages: Path, texts: Iterable[str] = ()) -> None:
        own = (host_of(found.group()) for text in texts for found in LINK.finditer(text))
        self._domains = frozenset(named) | frozenset(filter(None, own))
        self._pages = pages
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._of_pages: frozenset[str] = frozenset()

    def permits(self, url: str) -> bool:
        """Whether customers may be sent there."""
        host = host_of(url)
        return host is not None and self.permits_host(host)

    def permits_host(self, host: str) -> bool:
        """Whether it is a domain of the list, or below one."""
        return any(host == one or host.endswith(f".{one}") for one in self._domains) or host in self._in_pages()

    def words(self, text: str) -> str:
        """The text without foreign links, and without lines that only introduced one ("Track it: …")."""
        if not any(not self.permits(found.group()) for found in LINK.finditer(text)):
            return text
        return "\n".join(line for line in map(self._line, text.split("\n")) if line is not None).strip()

    def response(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """A Rasa response without foreign links: in words, buttons, pictures, elements and custom parts."""
        kept = dict(message)
        for name in _SAID:
            if message.get(name):
                kept[name] = self._kept(message[name])
        lost = message.get("custom") if message.get("custom") and not kept.get("custom") else None
        if isinstance(lost, Mapping) and not kept.get("text"):  # a button's own words stay
            said = next((lost[name] for name in ("body", "text", "caption") if isinstance(lost.get(name), str)), "")
            kept["text"] = self.words(said)
        return kept

    def _kept(self, value: Any) -> Any:
        """None for what leads to a stranger."""
        if isinstance(value, str):
            return self.words(value) or None
        if isinstance(value, list):
            return [kept for kept in map(self._kept, value) if kept is not None]
        if not isinstance(value, Mapping):
            return value
        for name in _TARGETS:
            if isinstance(value.get(name), str) and LINK.search(value[name]) and not self.permits(value[name].strip()):
                self._note(value[name])
                return None
        kept = {
            name: self._kept(part) if name in _WORDS or not isinstance(part, str) else part
            for name, part in value.items()
        }
        return None if value.get("title") and not kept["title"] else kept

    def _line(self, line: str) -> str | None:
        """None when nothing is left but what introduced a link."""
        rest = _MARKDOWN.sub(lambda link: link[0] if self.permits(link[2]) else self._note(link[2]) or link[1], line)
        rest = LINK.sub(lambda link: link[0] if self.permits(link[0]) else self._note(link[0]) or " ", rest)
        if rest == line:
            return line
        rest = re.sub(r"\s+([.,;!?)]+(?=\s|$)|$)", r"\1", re.sub(r"\(\s*\)|\[\s*\]|\s+", " ", rest))
        return None if rest.endswith(":") or not re.search(r"\w", rest) else rest

    def _note(self, url: str) -> str:
        log.warning("links.foreign host=%s. Remedy: links of shop.yml, if it is yours.", host_of(url))
        return ""

    def _in_pages(self) -> frozenset[str]:
        """The hosts that the pages link to, read again when one was saved."""
        found = [path for path in sorted(self._pages.rglob("*")) if path.suffix.lower() in _PAGES and path.is_file()]
        seen = tuple((str(path), stat.st_mtime_ns, stat.st_size) for path in found for stat in [path.stat()])
        if seen != self._seen:
            hosts = {name for path in found for name in _IN_PAGES.findall(path.read_bytes())}
            self._seen = seen
            self._of_pages = frozenset(name.decode("ascii").rstrip(".").lower() for name in hosts)
        return self._of_pages
