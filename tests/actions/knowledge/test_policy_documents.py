"""Pages are read, and a designer's mistake is named with file and remedy."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from actions.knowledge.documents import KnowledgeError, load_pages, split_sentences, version_of

ROOT = Path(__file__).resolve().parents[3]


def test_a_page_comes_with_front_matter_sections_and_ways_to_ask(pages: Path) -> None:
    loaded = load_pages(pages)
    page = next(page for page in loaded.pages if page.name == "return_window")
    assert (page.title, page.owner, page.updated) == ("Return window", "Care", date(2026, 1, 5))
    (section,) = page.sections
    assert section.heading == "How many days there are"
    assert section.sentences == ("You have 30 days from delivery to return clothing.", "Furniture has 14 days.")
    assert section.asked_as == ("how many days do I have to return", "return time limit")


def test_what_designers_write_in_comments_is_never_part_of_the_text(pages: Path) -> None:
    assert all("asked" not in section.text and "<!--" not in section.text for section in load_pages(pages).sections)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("# No front matter\n## A\nText.\n", "no front matter"),
        ("---\ntitle: [\n---\n## A\nText.\n", "not valid YAML"),
        ("---\n- a\n---\n## A\nText.\n", "name: value"),
        ("---\ntitle: T\nupdated: 2026-01-01\n---\n## A\nText.\n", "Add a line 'owner: ...'"),
        ("---\ntitle: T\nowner: O\nupdated: last week\n---\n## A\nText.\n", "date such as 2026-11-02"),
        ("---\ntitle: T\nowner: O\nupdated: 2026-01-01\n---\nText.\n", "no sections"),
        ("---\ntitle: T\nowner: O\nupdated: 2026-01-01\n---\n## A\n\n## B\nText.\n", "section 'A' is empty"),
        ("---\ntitle: T\nowner: O\nupdated: 2026-01-01\n---\n## A\nText.\n## a\nText.\n", "Rename one"),
        ("---\ntitle: T\nowner: O\nupdated: 2026-01-01\n---\n## A\n<!-- asked as\nText.\n", "not closed"),
    ],
)
def test_a_mistake_in_a_page_names_the_file_and_the_remedy(pages: Path, text: str, remedy: str) -> None:
    (pages / "broken.md").write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"broken\.md: ") as caught:
        load_pages(pages)
    assert remedy in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [("not_covered.yml", "- a list\n"), ("not_covered.yml", "a: b\n"), ("lexicon.yml", "hinglish: [a]\n"),
     ("lexicon.yml", "wares: [a]\n"), ("lexicon.yml", "a: [\n")],
)
def test_a_mistake_beside_the_pages_names_the_file(pages: Path, name: str, text: str) -> None:
    (pages / name).write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=name):
        load_pages(pages)


def test_a_page_in_another_encoding_is_named(pages: Path) -> None:
    (pages / "latin.md").write_bytes("---\ntitle: Rück\n".encode("latin-1"))
    with pytest.raises(KnowledgeError, match=r"latin\.md: is not UTF-8"):
        load_pages(pages)


def test_an_empty_folder_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="no policy pages"):
        load_pages(tmp_path)


def test_the_version_changes_with_any_byte(pages: Path) -> None:
    before = version_of(pages)
    path = pages / "exceptions.md"
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert version_of(pages) != before


def test_sentences_end_at_full_stops_and_list_items_not_at_decimals() -> None:
    assert split_sentences("It is 2.5 kg. **Fine**\ntext?\n\n- One item\n- Second. Third!") == [
        "It is 2.5 kg.", "Fine text?", "One item", "Second.", "Third!",
    ]


def test_windows_line_ends_are_read(pages: Path) -> None:
    path = pages / "exceptions.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(load_pages(pages).sections) == 2


FIVE = {"eligible_items", "exceptions", "process_steps", "refund_methods", "return_window"}


def test_the_shop_has_its_five_pages_and_each_can_be_found_and_quoted() -> None:
    loaded = load_pages(ROOT / "policy_kb")
    assert {page.name for page in loaded.pages} >= FIVE
    without = [page.name for page in loaded.pages if not page.summary]
    assert without == [], "These pages need a line 'summary: ...' between the '---'."
    too_long = [section.key for section in loaded.sections if len(section.text) > 500]
    assert too_long == [], "Too long to quote whole: split these sections, or say it in fewer words."
    bare = [section.key for section in loaded.sections if len(section.asked_as) < 5]
    assert bare == [], "Write below these headings how customers ask: '<!-- asked as', 5 lines or more, '-->'."


def test_no_question_is_both_answered_and_not_covered() -> None:
    loaded = load_pages(ROOT / "policy_kb")
    asked: dict[str, str] = {}
    for section in loaded.sections:
        for phrase in section.asked_as:
            key = " ".join(phrase.lower().split())
            assert asked.setdefault(key, section.key) == section.key, f"{phrase!r} leads to two sections"
    assert set(asked) & {" ".join(question.lower().split()) for question in loaded.not_covered} == set()
