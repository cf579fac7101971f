"""Adding a labelled phrase to the training data or to the held-out set, as a person with an editor would.

One line goes in below the last phrase of its intent; nothing else in the file changes. Before it is written, the new
text is read back and must differ from the old by exactly that phrase.
"""

import difflib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml_files
from components.escalation.examples import FOLDER, NONE, REASONS, examples_in
from components.text.message_text import folded
from workbench.nlu.phrases import PROJECT_ROOT, Phrase, phrases_in, shown
from workbench.review import whole_files
from workbench.review.training_phrase import MAX_PHRASE_CHARS, as_training_phrase

FROM_THE_LOG = "from_the_log.yml"
SHORT = 5  # words; shorter ones ("ok", "hi") may be trained on and held out, there are only so many ways
_HEADER = (
    "# What customers of this shop wrote, redacted, and labelled with `python -m workbench review`.\n"
    'version: "3.1"\nnlu:\n'
)


REASON = "escalation/"
"""Before a reason for a person (or none) chosen as a label: the message becomes an example of data/escalation."""
_REASON_HEADER = "escalation:\n"


@dataclass(frozen=True)
class Added:
    """The phrase stands there now."""

    phrase: str
    place: str


@dataclass(frozen=True)
class AlreadyThere:
    """The same message stands there under the same intent; nothing was written."""

    phrase: str
    place: str


@dataclass(frozen=True)
class Refused:
    """Nothing was written; why, and what to do."""

    phrase: str
    reason: str


Outcome = Added | AlreadyThere | Refused


class Labels:
    """The labelled phrases of a project folder, read again whenever a file changed."""

    def __init__(self, root: Path = PROJECT_ROOT, pattern: str = r"\d{5}") -> None:
        self.root = root
        self.pattern = pattern
        self._training = root / "data" / "nlu"
        self._tests = root / "tests" / "nlu"

    def intents(self) -> list[str]:
        """Intents of the domain that customers' words can have, in the domain's order."""
        domain = self.root / "domain.yml"
        named = _intents_of(domain, domain.stat().st_mtime_ns)
        worded = {phrase.intent for phrase, _ in self._read(self._training)}
        return [intent for intent in named if intent in worded]

    def choices(self) -> list[str]:
        """What a message can be labelled as: an intent, or a reason for a person."""
        return [*self.intents(), *(REASON + reason for reason in (*REASONS, NONE))]

    def add(self, text: str, intent: str, held_out: bool = False) -> Outcome:
        """Write one phrase, redacted, where it belongs. Raises OSError when the disk refuses."""
        phrase = as_training_phrase(text, self.pattern)
        if intent.startswith(REASON):
            return self._add_reason(phrase, intent.removeprefix(REASON), held_out)
        refusal = self._refusal(phrase, intent, held_out)
        if refusal is not None:
            return refusal
        if held_out:
            return self._write(phrase, intent, self._tests / "held_out" / FROM_THE_LOG)
        of_intent = [known.file for known, _ in self._read(self._training) if known.intent == intent]
        return self._write(phrase, intent, Counter(of_intent).most_common(1)[0][0])

    def _add_reason(self, phrase: str, reason: str, held_out: bool) -> Outcome:
        if reason not in (*REASONS, NONE):
            return Refused(
                phrase, f"{reason} is not a reason for a person: choose one of {', '.join((*REASONS, NONE))}"
            )
        if held_out:
            return Refused(phrase, "messages that measure the reasons for a person are written by hand")
        if not phrase or len(phrase) > MAX_PHRASE_CHARS:
            return Refused(phrase, f"it has {len(phrase)} characters; keep something, and at most {MAX_PHRASE_CHARS}")
        form = _form(phrase, self.pattern)
        for path in sorted((self.root / FOLDER).rglob("*.yml")):
            for known in _reasons_in(_text_of(path), path):
                if _form(known.text, self.pattern) == form:
                    if known.intent == reason:
                        return AlreadyThere(phrase, known.place)
                    return Refused(phrase, f'ambiguous: {known.place} has "{known.text}" as {known.intent}')
        return self._write(phrase, reason, self.root / FOLDER / f"{reason}.yml", _reasons_in)

    def _refusal(self, phrase: str, intent: str, held_out: bool) -> Outcome | None:
        intents = self.intents()
        if intent not in intents:
            close = difflib.get_close_matches(intent, intents, 1)
            hint = f"did you mean {close[0]}?" if close else f"choose one of {', '.join(intents)}"
            return Refused(phrase, f"{intent} is not an intent of domain.yml with phrases in data/nlu: {hint}")
        if not phrase:
            return Refused(phrase, "nothing is left of it without personal data")
        if len(phrase) > MAX_PHRASE_CHARS:
            return Refused(phrase, f"it has {len(phrase)} characters; cut it to {MAX_PHRASE_CHARS}")
        form = _form(phrase, self.pattern)
        trained = self._same(form, self._training)
        measured = self._same(form, self._tests)
        other = next((known for known in (*trained, *measured) if known.intent != intent), None)
        if other is not None:
            return Refused(phrase, f'ambiguous: {other.place} has "{other.text}" as {other.intent}')
        there = measured if held_out else trained
        if there:
            return AlreadyThere(phrase, there[0].place)
        if len(phrase.split()) >= SHORT and form in self._sealed():
            return Refused(phrase, "it is one of the sealed phrases, which measure only while nobody trains on them")
        elsewhere = trained if held_out else measured
        if elsewhere and len(phrase.split()) >= SHORT:
            why = "is trained on: it would measure nothing" if held_out else "is held out: training on it would hide it"
            return Refused(phrase, f'{elsewhere[0].place} has "{elsewhere[0].text}", which {why}')
        return None

    def _same(self, form: str, folder: Path) -> list[Phrase]:
        return [phrase for phrase, its_form in self._read(folder) if its_form == form]

    def _sealed(self) -> set[str]:
        paths = sorted((self._tests / "sealed").glob("*.tsv"))
        return {form for path in paths for form in _sealed_forms(path, path.stat().st_mtime_ns, self.pattern)}

    def _read(self, folder: Path) -> list[tuple[Phrase, str]]:
        paths = sorted(folder.rglob("*.yml"))
        return [pair for path in paths for pair in _of_file(path, path.stat().st_mtime_ns, self.pattern)]

    def _write(
        self, phrase: str, intent: str, path: Path, read: Callable[[str, Path], list[Phrase]] = phrases_in
    ) -> Outcome:
        key, header = ("intent", _HEADER) if read is phrases_in else ("reason", _REASON_HEADER)
        before = _text_of(path) if path.exists() else header
        old = read(before, path)
        after, line = _with_phrase(before, phrase, intent, old, key)
        new = read(after, path)
        added = Counter((p.text, p.intent) for p in new) - Counter((p.text, p.intent) for p in old)
        if added != {(phrase, intent): 1} or len(new) != len(old) + 1:
            return Refused(phrase, f"{shown(path)} is not written as expected; add the phrase by hand")
        whole_files.replace(path, after)
        return Added(phrase, f"{shown(path)}:{line}")


def _reasons_in(source: str, path: Path) -> list[Phrase]:
    """The examples of a file of data/escalation as phrases whose intent is the reason."""
    return [Phrase(one.text, one.reason, one.file, one.line) for one in examples_in(source, path)]


def _with_phrase(source: str, phrase: str, intent: str, known: list[Phrase], key: str) -> tuple[str, int]:
    """The text with the phrase below the last of its intent, or in a block of its own at the end; its line."""
    lines = source.splitlines(keepends=True)
    at = max((one.line for one in known if one.intent == intent), default=None)
    end = "\r\n" if source.count("\r\n") > len(lines) / 2 else "\n"
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += end
    if at is None:
        lines += [f"- {key}: {intent}{end}", f"  examples: |{end}", f"    - {phrase}{end}"]
        return "".join(lines), len(lines)
    margin = lines[at - 1][: lines[at - 1].index("-")]
    lines.insert(at, f"{margin}- {phrase}{end}")
    return "".join(lines), at + 1


def _text_of(path: Path) -> str:
    """The file's text with its own line ends."""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


@lru_cache(maxsize=2)
def _intents_of(domain: Path, changed_ns: int) -> tuple[str, ...]:
    """Those that the domain names, in its order."""
    intents = yaml_files.read(domain)["intents"]
    return tuple(intent if isinstance(intent, str) else next(iter(intent)) for intent in intents)


@lru_cache(maxsize=64)
def _of_file(path: Path, changed_ns: int, pattern: str) -> tuple[tuple[Phrase, str], ...]:
    """Phrases with their forms; `changed_ns` makes an edited file another one."""
    found = phrases_in(path.read_text(encoding="utf-8"), path)
    return tuple((phrase, _form(phrase.text, pattern)) for phrase in found)


@lru_cache(maxsize=64)
def _sealed_forms(path: Path, changed_ns: int, pattern: str) -> frozenset[str]:
    """Forms of the phrases of a `text<TAB>labels` file."""
    rows = path.read_text(encoding="utf-8").splitlines()
    return frozenset(_form(row.split("\t")[0], pattern) for row in rows if row.strip() and row[0] != "#")


@lru_cache(maxsize=2**15)  # each phrase of the project: of an edited file all but one are as they were
def _form(text: str, pattern: str) -> str:
    """What two spellings of one message have in common; the sign at the end is not part of it."""
    whole = folded(text, pattern)
    return whole.rstrip(" ?!.,") or whole
