"""Pages are read, and a designer's mistake is named with file and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.knowledge.pages.documents import KnowledgeError, load_pages, read_page, version_of
from actions.knowledge.pages.page_reading import split_sentences

ROOT = Path(__file__).resolve().parents[3]


def test_a_page_comes_with_title_and_sections(pages: Path) -> None:
    loaded = load_pages(pages)
    page = next(page for page in loaded.pages if page.name == "return_window")
    assert page.title == "Return window"
    (section,) = page.sections
    assert section.heading == "How many days there are"
    assert section.sentences == ("You have 30 days from delivery to return clothing.", "Furniture has 14 days.")
    assert section.asked_as == ()


def test_what_designers_write_in_comments_helps_finding_and_is_never_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("## A\n<!-- asked as\n- how so\nwhy\n-->\nText.\n<!-- a note -->\n", encoding="utf-8")
    (section,) = read_page(path).sections
    assert (section.text, section.asked_as) == ("Text.", ("how so", "why"))


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("---\ntitle: [\n---\n## A\nText.\n", "not valid YAML"),
        ("# Only a heading\n\n## And another\n", "is empty"),
        ("", "is empty"),
        ("## A\n<!-- asked as\nText.\n", "not closed"),
    ],
)
def test_a_mistake_in_a_page_names_the_file_and_the_remedy(pages: Path, text: str, remedy: str) -> None:
    (pages / "broken.md").write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"broken\.md: ") as caught:
        load_pages(pages)
    assert remedy in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [("lexicon.yml", "hinglish: [a]\n"), ("lexicon.yml", "- a\n"), ("lexicon.yml", "a: [\n")],
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
    too_long = [section.key for section in loaded.sections if len(section.text) > 500]
    assert too_long == [], "Too long to quote whole: split these sections, or say it in fewer words."


def read(folder: Path, text: str, name: str = "some_page.md") -> list[tuple[str, tuple[str, ...]]]:
    """Heading and sentences of every section of a page with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return [(section.heading, section.sentences) for section in read_page(path).sections]


FEES = ("How much?", ("It costs €4,90.", "Pick-up is free."))


@pytest.mark.parametrize("text", [
    "# Fees\n\n## How much?\n\nIt costs €4,90. Pick-up is free.\n",
    "Fees\n====\n\nHow much?\n---------\nIt costs €4,90.\nPick-up is free.\n",
    "# Fees\n\n**How much?**\n\nIt costs €4,90. Pick-up is free.\n",
    "# Fees\n\n**How much?** It costs €4,90. Pick-up is free.\n",
    "# Fees\n\n**How much?**\nIt costs €4,90.\nPick-up is free.\n",
    "# Fees\n\n##### How much?\n- It costs €4,90.\n- Pick-up is free.\n",
    "# Fees\n\nHow much?\n\nIt costs €4,90. Pick-up is free.\n",
    "# Fees\n\nQ: How much?\nA: It costs €4,90. Pick-up is free.\n",
    "---\ntitle: Fees\n---\n\n## How much?\n\n<!-- a note -->\nIt costs €4,90. **Pick-up** is free.\n",
    "<!doctype html><html><head><title>x</title><script>a('<p>no</p>')</script></head><body><nav>Home</nav>"
    "<h1>Fees</h1><div><h3>How much?</h3>\n\n      <p>It costs &euro;4,90.</p><p>Pick-up is <b>free</b>.</div></body>",
    "<h1>Fees</h1><details><summary>How much?</summary>It costs €4,90.<br>Pick-up is free.</details>",
    "<h1>Fees</h1><dl><dt>How much?</dt><dd>It costs €4,90.</dd><dd>Pick-up is free.</dd></dl>",
    "# Fees\n\n<div class='faq'>\n<h4>How much?</h4>\n\nIt costs €4,90. *Pick-up* is free.\n\n</div>\n",
])
def test_a_page_is_read_as_a_shop_has_it(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == [FEES]


TABLES = [
    "## Abroad\n\n| Country | Return fee | Refund |\n| --- | --: | --- |\n| Germany | €4,90 | 5 days |\n"
    "| Brazil | R$ 27,40 | — |\n",
    "<h2>Abroad</h2><table><thead><tr><th>Country<th>Return fee<th>Refund</tr></thead><tbody>"
    "<tr><td>Germany</td><td>€4,90</td><td>5 days</td></tr><tr><td>Brazil</td><td>R$ 27,40</td><td>—</td></tr></table>",
]


@pytest.mark.parametrize("text", TABLES)
def test_a_table_is_read_row_by_row_with_its_headings(tmp_path: Path, text: str) -> None:
    rows = ("Germany — Return fee: €4,90; Refund: 5 days", "Brazil — Return fee: R$ 27,40; Refund: —")
    assert read(tmp_path, text) == [("Abroad", rows)]


def test_the_title_is_the_first_heading_or_the_files_name(tmp_path: Path) -> None:
    assert read(tmp_path, "No heading at all.", "gift-cards.md") == [("gift cards", ("No heading at all.",))]
    assert read(tmp_path, "# Delivery\nBy van.\n## When\nMondays.\n") == [
        ("Delivery", ("By van.",)), ("When", ("Mondays.",)),
    ]


def test_a_heading_used_twice_names_two_sections(tmp_path: Path) -> None:
    text = "# Help\n## Chairs\n### How long?\n5 days.\n## Rugs\n### How long?\n9 days.\n"
    assert [heading for heading, _ in read(tmp_path, text)] == ["How long?", "How long? (2)"]
    assert [section.above for section in read_page(tmp_path / "some_page.md").sections] == [("Chairs",), ("Rugs",)]


def test_short_items_are_read_with_the_words_that_open_their_list(tmp_path: Path) -> None:
    text = "## No\nWe do not take back:\n\n- earrings\n- opened cream\n\n[Ask us](https://shop.example/ask).\n"
    assert read(tmp_path, text) == [
        ("No", ("We do not take back: earrings; opened cream.", "Ask us (https://shop.example/ask).")),
    ]
