"""What `make check` says of a shop's folder: shop.yml, responses, phrases, pages, questions.tsv."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import settings
from actions.knowledge.pages.documents import Section
from actions.knowledge.retrieval.retriever import Finding, Passage
from launch import new_shop
from workbench.shop_check import command, questions
from workbench.shop_check.findings import ShopFinding


def found(level: str | None = None) -> list[ShopFinding]:
    """What is said of the folder alone."""
    return [one for one in command.check(settings.load(), only_files=True).findings if level in (None, one.level)]


def test_a_good_folder_has_nothing_but_how_its_pages_were_cut(folder: Path) -> None:
    assert [(one.level, one.problem) for one in found()] == [
        ("information", "1 pages were cut into 2 sections: delivery into 2"),
    ]  # fmt: skip


def test_a_new_shop_is_good_but_for_its_example_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_shop.write(tmp_path)
    monkeypatch.setenv("SHOP_DIR", str(tmp_path))
    levels = sorted((one.level, "example" in one.problem) for one in found())
    assert levels == [("information", False), ("warning", True)]


@pytest.mark.parametrize(("line", "problem", "remedy"), [
    ("regin: GB", "no key 'regin'", "'region'"),
    ("region: England", "'England' is not a country", "GB"),
    ("time_zone: London", "'London' is unknown", "Europe/London"),
    ("currency: pounds", "'pounds' is unknown", "GBP"),
    ("languages: [de]", "'de' is not a language", "one of en"),
    ("ticket_prefix: fen ferry", "ticket_prefix", "capital letters"),
    ("opening_hours: {moday: []}", "'moday' is not a day", "'monday'"),
    ('opening_hours: {monday: ["9-5"]}', "'9-5' is not understood", "09:00-21:00"),
    ("orders: {id_exampels: [1]}", "no key 'id_exampels'", "'id_examples'"),
    ("orders: {id_examples: [none]}", "an example of an order number has", "id_examples"),
    ("orders: {id_examples: [2026-01-15]}", "'2026-01-15' of id_examples reads as a date", "nothing else"),
    ("orders: {id_examples: [1], statuses: {done: deliverd}}", "'done' means 'deliverd'", "'delivered'"),
    ("links: [https://oak.example/x]", "is no domain", "oakandspoke.example"),
    ("links: [com]", "is no domain", "oakandspoke.example"),
    ("links: oak.example", "must be a list", "links: ["),
    ("name: ''", "has no name", "name: ..."),
    ("region:", "'region' is empty", "region: GB"),
    ("time_zone:", "'time_zone' is empty", "Europe/London"),
    ("region: GB\nregion: FR", "'region' is there twice", "keep one"),
])
def test_every_mistake_in_shop_yml_is_named_with_its_remedy(
    folder: Path, line: str, problem: str, remedy: str
) -> None:
    name = "" if line.startswith("name") else "name: Fen\n\n"
    (folder / "shop.yml").write_text(f"{name}{line}\n", encoding="utf-8")
    errors = found("error")
    assert [one.about for one in errors] == ["shop.yml"]
    assert errors[0].where.startswith("shop.yml")
    assert problem in errors[0].problem
    assert remedy in f"{errors[0].problem} {errors[0].remedy}"


def test_what_shop_yml_leaves_out_and_would_be_the_demos_is_told(folder: Path) -> None:
    (folder / "shop.yml").write_text("name: Fen\nregion: GB\norders: {id_examples: [FF-1]}\n", encoding="utf-8")
    assert [one.problem for one in found("warning")] == [
        f"it does not say '{key}', so {assumed} is assumed"
        for key, assumed in {"languages": "en", "currency": "INR", "time_zone": "Asia/Kolkata"}.items()
    ]


def test_all_mistakes_of_shop_yml_are_named_at_once_with_their_lines(folder: Path) -> None:
    (folder / "shop.yml").write_text("name: Fen\nregion: England\n\ntime_zone: London\nregin: GB\n", encoding="utf-8")
    assert sorted(one.where for one in found("error")) == ["shop.yml:2", "shop.yml:4", "shop.yml:5"]


@pytest.mark.slow
@pytest.mark.parametrize(("file", "text", "about", "problem"), [
    ("responses.yml", "responses: {utter_gret: [{text: a}]}", "responses", "no response 'utter_gret'"),
    ("responses.yml", "responses: [", "responses", "not valid YAML"),
    ("responses.yml", "responses: {utter_greet: [{text: 'hi {nam}'}]}", "responses", "{nam}"),
    ("data/nlu/ours.yml", "nlu:\n- intent: gret\n  examples: |\n    - ahoy\n", "phrases", "no intent gret"),
    ("data/nlu/ours.yml", "nlu: [", "phrases", ""),
])
def test_a_mistake_in_responses_and_phrases_is_named(
    folder: Path, file: str, text: str, about: str, problem: str
) -> None:
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text, encoding="utf-8")
    errors = found("error")
    assert [(one.about, one.where.partition(":")[0]) for one in errors] == [(about, file)]
    assert problem in errors[0].problem


LONG = "## Long\n\n" + "Some words about nothing much. " * 120


@pytest.mark.parametrize(("file", "text", "level", "problem"), [
    ("a.md", "Only prose, all of it in one piece.\n", "warning", "no headings"),
    ("a.md", "# A\n\n## Cost\n\nOne.\n\n## Cost\n\nTwo.\n", "warning", "two sections alike"),
    ("a.md", "# A\n\n## Price\n\nDelivery costs £3!\n\n## Else\n\nTwo.\n", "warning", "two sections alike"),
    ("a.md", f"# A\n\n{LONG}\n\n## Else\n\nTwo.\n", "warning", "characters"),
    ("a.md", "", "error", "is empty"),
    ("a.md", "# A\n\n<!-- never closed\n", "error", "comment is not closed"),
    ("a.html", "<div id='app'></div><script>draw()</script>", "error", "is empty"),
    ("a.txt", "%PDF\0", "error", "is no text"),
    ("a.pdf", "%PDF", "warning", "not a page"),
    ("more/a.docx", "PK", "warning", "not a page"),
    ("Delivery.html", "<h1>A</h1><p>Two.</p>", "error", "has the name of"),
    pytest.param("a.md", "# A\n\n## B\n\n" + "Some words. " * 450_000, "error", "MB", id="five megabytes"),
])
def test_what_is_wrong_with_a_page_is_told(folder: Path, file: str, text: str, level: str, problem: str) -> None:
    path = folder / "policy_kb" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    said = found(level)
    assert [one.about for one in said] == ["pages"]
    assert "policy_kb/" in said[0].where
    assert problem in said[0].problem


def test_a_page_that_is_not_utf_8_is_an_error(folder: Path) -> None:
    (folder / "policy_kb" / "a.md").write_bytes("# Cafés\n\nOuvert.\n".encode("latin-1"))
    assert [(one.where.partition(":")[0], one.level) for one in found("error")] == [("policy_kb/a.md", "error")]


def test_a_shop_without_pages_is_an_error(folder: Path) -> None:
    (folder / "policy_kb" / "delivery.md").unlink()
    assert [one.problem for one in found("error")] == ["no policy pages (*.md, *.html, *.txt) found"]


def test_the_check_shows_how_each_page_was_cut(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "policy_kb" / "help").mkdir()
    saved = "<html><body><nav>Home</nav><h2>Cost</h2><p>Three pounds.</p><h2>Time</h2><p>Two days.</p></body></html>"
    (folder / "policy_kb" / "help" / "abroad.html").write_text(saved, encoding="utf-8")
    (folder / "questions.tsv").write_text("what is delivery\thelp/abroad.html#Cost\n", encoding="utf-8")
    assert command.run(argparse.Namespace(json=True, files=True), Console()) == 0
    pages = json.loads(capsys.readouterr().out)["pages"]
    assert [(one["page"], one["file"], one["title"]) for one in pages] == [
        ("delivery", "policy_kb/delivery.md", "Delivery"), ("help/abroad", "policy_kb/help/abroad.html", "abroad"),
    ]  # fmt: skip
    assert [[part["heading"] for part in one["sections"]] for one in pages] == [["Cost", "Time"]] * 2
    assert pages[1]["sections"][0]["characters"] == len("Three pounds.")
    command.run(argparse.Namespace(json=False, files=True), Console(width=140))
    assert "Cost · Time" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "where", "problem"),
    [
        ("policy_kb/delivery.md", "policy_kb/delivery.md", "Permission denied"),
        ("shop.yml", "shop.yml", "cannot be read"),
        ("questions.tsv", "questions.tsv", "Permission denied"),
    ],
)
def test_a_file_without_rights_is_an_error_and_no_crash(
    folder: Path, monkeypatch: pytest.MonkeyPatch, file: str, where: str, problem: str
) -> None:
    (folder / "questions.tsv").write_text("hi\tgreet\n", encoding="utf-8")
    read = Path.open

    def refuse(path: Path, *args: Any, **options: Any) -> Any:
        if path == folder / file:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *args, **options)

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, whom no rights stop
    errors = found("error")
    assert [one.where for one in errors] == [where]
    assert problem in errors[0].problem
    assert errors[0].remedy


def test_a_shop_without_rights_is_an_error_and_no_crash(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: path != folder)
    assert [(one.where, "no right" in one.problem) for one in found("error")] == [(str(folder), True)]


def test_a_folder_that_cannot_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def walk(top: Path, onerror: Callable[[OSError], None]) -> list[object]:
        onerror(PermissionError(13, "Permission denied", str(top / "help")))
        return []

    monkeypatch.setattr("os.walk", walk)
    assert [(one.where, one.problem) for one in found("error")] == [
        ("policy_kb", "help: cannot be read (Permission denied)"),
    ]  # fmt: skip


@pytest.mark.parametrize(("line", "problem", "remedy"), [
    ("what\tdelivry#Cost", "no page 'delivry'", "delivery#Cost"),
    ("what\tdelivery#Costs", "no heading 'Costs'", "delivery#Cost"),
    ("what\trefuze", "'refuze' is neither an intent", "refuse"),
    ("what delivery#Cost", "not a question, one tab and an answer", "tab"),
    ("\tdelivery#Cost", "not a question, one tab and an answer", "tab"),
    ("Hi\trefuse", "line 2 is asked again for another answer", "keep the line"),
])
def test_a_line_of_questions_that_cannot_be_meant_is_named(folder: Path, line: str, problem: str, remedy: str) -> None:
    (folder / "questions.tsv").write_text(f"# ours\nhi\tgreet\n\n{line}\n", encoding="utf-8")
    errors = found("error")
    assert [one.where for one in errors] == ["questions.tsv:4"]
    assert problem in errors[0].problem
    assert remedy in errors[0].remedy


def answers(**by_question: str | None) -> Callable[[str], Finding]:
    """A retriever that answers each question from a section of this heading, None: from nowhere."""

    def find(question: str) -> Finding:
        heading = by_question[question]
        passage = Passage(Section("delivery", "Delivery", str(heading), "", ()), 0.9)
        return Finding(question, (passage,), 0.9, heading is not None)

    return find


def test_questions_count_as_right_by_what_is_answered(folder: Path) -> None:
    text = "a\tdelivery#Cost\nb\trefuse\nc\tgreet\nd\tdelivery#Cost|delivery#Time\ne\tdelivery#Time\n"
    (folder / "questions.tsv").write_text(text, encoding="utf-8")
    asked, wrong = questions.read(folder, None)
    said = list(questions.asked(asked, answers(a="Cost", b=None, d="Time", e="Cost"), lambda text: "greet"))
    assert not wrong
    assert [one.where for one in said] == ["questions.tsv:5", "questions.tsv"]
    assert [one.level for one in said] == ["warning", "information"]
    assert "4 of 5 questions are answered right (0.80)" in said[1].problem
    assert "answered from delivery#Cost instead of delivery#Time" in said[0].problem


def test_less_than_four_of_five_right_fails(folder: Path) -> None:
    (folder / "questions.tsv").write_text("a\tdelivery#Cost\nb\trefuse\nc\tdelivery#Time\n", encoding="utf-8")
    asked, _ = questions.read(folder, None)
    said = list(questions.asked(asked, answers(a="Cost", b="Cost", c="Time"), None))
    assert [(one.level, one.count) for one in said if one.where == "questions.tsv"] == [("error", 1)]
    assert "At least 0.8" in said[-1].problem


@pytest.mark.parametrize(("broken", "status"), [(False, 0), (True, 1)])
def test_machines_get_one_object_and_an_exit_status(
    folder: Path, capsys: pytest.CaptureFixture[str], broken: bool, status: int
) -> None:
    if broken:
        (folder / "shop.yml").write_text("name: Fen\nregin: GB\n", encoding="utf-8")
    assert command.run(argparse.Namespace(json=True, files=True), Console()) == status
    said = json.loads(capsys.readouterr().out)
    assert (said["errors"], said["shop"]) == (status, None if broken else "Fen & Ferry")
    assert set(said["findings"][0]) == {"level", "about", "where", "problem", "remedy", "count"}


def test_people_get_a_table_with_errors_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "shop.yml").write_text("name: Fen\nregin: GB\n", encoding="utf-8")
    assert command.run(argparse.Namespace(json=False, files=True), Console()) == 1
    said = capsys.readouterr().out
    assert said.index("regin") < said.index("were cut into")
    assert "1 errors, 0 warnings, 1 things to know." in said


def test_what_else_is_wrong_is_told_though_shop_yml_or_a_variable_cannot_be_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "shop.yml").write_text("name: Fen\nregin: GB\n", encoding="utf-8")
    (folder / "policy_kb" / "post.md").write_text("Three days, 4.95 pounds.\n", encoding="utf-8")
    told = command.check(settings.load()).findings
    assert {"shop.yml", "pages", "orders", "accounts"} <= {one.about for one in told}
    monkeypatch.setenv("ORDERS_DATABASE_URL", "foo://x")
    told = command.check(settings.load()).findings
    assert {"shop.yml", "pages", "settings"} <= {one.about for one in told}


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DIR", str(tmp_path / "nowhere"))
    assert {one.about for one in found("error")} == {"shop.yml", "pages"}


def test_a_folder_named_as_a_page_and_a_page_with_a_gap_are_told(folder: Path) -> None:
    (folder / "policy_kb" / "returns.md").mkdir()
    written = "# Care\n\n## Wool\n\nWrite to [your shop name] first.\n\n## Silk\n\nNo todo se lava: [ask](a.md)\n"
    (folder / "policy_kb" / "care.md").write_text(written, encoding="utf-8")
    assert [(one.where, one.remedy != "") for one in found("warning")] == [
        ("policy_kb/returns.md", True), ("policy_kb/care.md#Wool", True),
    ]  # fmt: skip
