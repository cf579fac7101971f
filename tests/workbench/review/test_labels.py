"""Labelling a phrase edits one file by one line, or says why not."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from workbench.nlu.phrases import PROJECT_ROOT, read_phrases
from workbench.review import whole_files
from workbench.review.labels import Added, AlreadyThere, Labels, Refused

GENERAL = """# The two comment lines
# stay.
version: "3.1"
nlu:
- intent: greet
  examples: |
    - hi
    - hello   there
- intent: check_order_status   # with a comment
  examples: |
    - where is my order 10234
- intent: greet
  examples: |
      - namaste ji
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "data" / "nlu").mkdir(parents=True)
    (tmp_path / "tests" / "nlu" / "held_out").mkdir(parents=True)
    (tmp_path / "data" / "nlu" / "general.yml").write_text(GENERAL)
    held_out = "nlu:\n- intent: check_order_status\n  examples: |\n    - my rug should have come on friday\n"
    (tmp_path / "tests" / "nlu" / "held_out" / "tweets.yml").write_text(held_out)
    (tmp_path / "domain.yml").write_text("intents:\n- greet\n- check_order_status\n- nlu_fallback\n- send_media\n")
    return tmp_path


def general(root: Path) -> Path:
    return root / "data" / "nlu" / "general.yml"


def test_only_intents_that_words_can_have_are_offered(root: Path) -> None:
    assert Labels(root).intents() == ["greet", "check_order_status"]


def test_a_phrase_goes_below_the_last_of_its_intent_and_nothing_else_changes(root: Path) -> None:
    outcome = Labels(root).add("Good   evening, my name is Ravi", "greet")
    assert outcome == Added("Good evening, my name is Asha", f"{general(root)}:15")
    assert general(root).read_text() == GENERAL + "      - Good evening, my name is Asha\n"
    middle = Labels(root).add("order 45678 kab aayega", "check_order_status")
    assert middle == Added("order 10234 kab aayega", f"{general(root)}:12")
    assert set(general(root).read_text().splitlines()) - set(GENERAL.splitlines()) == {
        "      - Good evening, my name is Asha",
        "    - order 10234 kab aayega",
    }


def test_line_ends_and_a_missing_last_one_are_respected(root: Path) -> None:
    general(root).write_bytes(GENERAL.rstrip("\n").replace("\n", "\r\n").encode())
    assert isinstance(Labels(root).add("good evening", "greet"), Added)
    assert general(root).read_bytes() == (GENERAL + "      - good evening\n").replace("\n", "\r\n").encode()


@pytest.mark.parametrize("again", ["hello there", "HELLO THERE", "Hello there!"])
def test_what_stands_there_already_is_not_written_twice(root: Path, again: str) -> None:
    outcome = Labels(root).add(again, "greet")
    assert isinstance(outcome, AlreadyThere)
    assert outcome.place.endswith("general.yml:8")
    assert general(root).read_text() == GENERAL


def test_a_phrase_added_before_is_known_at_once(root: Path) -> None:
    labels = Labels(root)
    assert isinstance(labels.add("good evening", "greet"), Added)
    assert isinstance(labels.add("good evening", "greet"), AlreadyThere)


@pytest.mark.parametrize("held_out", [False, True])
def test_an_ambiguous_phrase_is_refused_with_file_and_line(root: Path, held_out: bool) -> None:
    outcome = Labels(root).add("where is my order 98765?", "greet", held_out)
    assert isinstance(outcome, Refused)
    assert "general.yml:11" in outcome.reason
    assert "check_order_status" in outcome.reason
    assert general(root).read_text() == GENERAL


@pytest.mark.parametrize(("intent", "hint"), [("grete", "did you mean greet"), ("nlu_fallback", "choose one of greet")])
def test_a_label_that_is_no_intent_is_refused(root: Path, intent: str, hint: str) -> None:
    outcome = Labels(root).add("good evening", intent)
    assert isinstance(outcome, Refused)
    assert hint in outcome.reason


def test_a_held_out_phrase_is_not_trained_on_and_a_trained_one_not_held_out(root: Path) -> None:
    hidden = Labels(root).add("my rug should have come on Friday", "check_order_status")
    assert isinstance(hidden, Refused)
    assert "tweets.yml:4" in hidden.reason
    trained = Labels(root).add("where is my order 10234", "check_order_status", held_out=True)
    assert isinstance(trained, Refused)
    assert "general.yml:11" in trained.reason


@pytest.mark.parametrize("held_out", [False, True])
def test_a_sealed_phrase_is_neither_trained_on_nor_copied(root: Path, held_out: bool) -> None:
    (root / "tests" / "nlu" / "sealed").mkdir()
    (root / "tests" / "nlu" / "sealed" / "tweets.tsv").write_text("# x\nis my green rug lost or what\tgreet|deny\n")
    refused = Labels(root).add("is my green rug lost or what", "check_order_status", held_out)
    assert isinstance(refused, Refused)
    assert "sealed" in refused.reason


def test_held_out_phrases_from_the_log_get_a_file_of_their_own_in_the_same_format(root: Path) -> None:
    labels = Labels(root)
    for text, intent in [
        ("parcel kidhar hai", "check_order_status"),
        ("yo!", "greet"),
        ("any news?", "check_order_status"),
    ]:
        assert isinstance(labels.add(text, intent, held_out=True), Added)
    held_out = [p for p in read_phrases(root / "tests" / "nlu" / "held_out") if p.file.name == "from_the_log.yml"]
    assert [(p.text, p.intent) for p in held_out] == [
        ("parcel kidhar hai", "check_order_status"),
        ("any news?", "check_order_status"),
        ("yo!", "greet"),
    ]
    assert general(root).read_text() == GENERAL


@pytest.mark.parametrize("text", ["[phone]", "", "   ", "@someone"])
def test_a_message_of_which_nothing_is_left_is_refused(root: Path, text: str) -> None:
    assert isinstance(Labels(root).add(text, "greet"), Refused)


@pytest.mark.parametrize(
    "text", ["- : #'\"", "| > & * ! %", "a: b # c", "examples: |", "- intent: deny", "{a: [b}", "\x07hi\x00 you"]
)
def test_signs_that_mean_something_in_yaml_stay_words(root: Path, text: str) -> None:
    before = len(read_phrases(root / "data" / "nlu"))
    outcome = Labels(root).add(text, "greet")
    assert isinstance(outcome, Added)
    phrases = read_phrases(root / "data" / "nlu")
    assert len(phrases) == before + 1
    assert (outcome.phrase, "greet") in [(p.text, p.intent) for p in phrases]


def test_a_file_that_cannot_be_written_stays_whole(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_files.os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        Labels(root).add("good evening", "greet")
    assert general(root).read_text() == GENERAL
    assert [path.name for path in general(root).parent.iterdir()] == ["general.yml"]


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file.yml"
    sizes = [100_000, 150_000]
    whole_files.replace(path, "a" * sizes[0])
    seen: set[int] = set()
    writing = threading.Thread(target=lambda: [whole_files.replace(path, "b" * sizes[n % 2]) for n in range(30)])
    writing.start()
    while writing.is_alive():
        seen.add(len(path.read_text()))
    writing.join()
    assert seen <= set(sizes)


@pytest.mark.slow
def test_every_intent_of_the_project_takes_a_phrase(tmp_path: Path) -> None:
    for part in ("data", "tests/nlu"):
        shutil.copytree(PROJECT_ROOT / part, tmp_path / part)
    shutil.copy(PROJECT_ROOT / "domain.yml", tmp_path)
    labels = Labels(tmp_path)
    assert len(labels.intents()) >= 17
    for number, intent in enumerate(labels.intents()):
        outcome = labels.add(f"zxq vwp number {'abcdefghijklmnopqrstuvwxyz'[number]} blorft", intent)
        assert isinstance(outcome, Added), outcome
        before = (PROJECT_ROOT / outcome.place.split(f"{tmp_path}/")[1].rsplit(":", 1)[0]).read_text().splitlines()
        after = Path(outcome.place.rsplit(":", 1)[0]).read_text().splitlines()
        assert [line for line in after if "blorft" not in line] == before


def test_reviewed_message_becomes_an_example_of_its_reason(tmp_path: Path) -> None:
    (tmp_path / "data/escalation").mkdir(parents=True)
    path = tmp_path / "data/escalation/none.yml"
    path.write_text("escalation:\n- reason: none\n  examples: |\n    - why so late\n")
    labels = Labels(tmp_path)
    outcome = labels.add("is it stuck somewhere, my no is 98765 43210", "escalation/none")
    assert isinstance(outcome, Added), outcome
    assert path.read_text().endswith("    - why so late\n    - is it stuck somewhere, my no\n")
    assert isinstance(labels.add("you are cheats", "escalation/complaint"), Added)
    assert "- reason: complaint\n" in (tmp_path / "data/escalation/complaint.yml").read_text()
    assert isinstance(labels.add("Why so late?", "escalation/none"), AlreadyThere)
    assert isinstance(labels.add("Why so late?", "escalation/frustration"), Refused)
    assert isinstance(labels.add("x y z", "escalation/rage"), Refused)
