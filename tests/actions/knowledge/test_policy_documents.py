"""Pages are read, and a designer's mistake is named with file and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.knowledge.pages.documents import KnowledgeError, load_pages, read_page, version_of
from actions.knowledge.pages.sentences import split_sentences


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


@pytest.mark.parametrize(("name", "encoding", "text"), [
    ("a.html", "cp1252", '<html><head><meta charset="iso-8859-1"></head><body><h1>Café</h1><p>É “bom”.</p>'),
    ("a.htm", "cp1252", '<meta http-equiv=Content-Type content="text/html; charset=windows-1252"><h1>Café</h1>'
     "É “bom”."),
    ("a.html", "shift_jis", '<meta charset="shift_jis"><h1>配送</h1><p>三日です。</p>'),
    ("a.txt", "utf-16", "Café\n\nÉ “bom”.\n"),
    ("a.md", "utf-8-sig", "# Café\r\rÉ “bom”.\r"),
])
def test_a_page_is_read_in_the_encoding_that_it_names(tmp_path: Path, name: str, encoding: str, text: str) -> None:
    (tmp_path / name).write_bytes(text.encode(encoding))
    (section,) = read_page(tmp_path / name).sections
    assert (section.heading, section.text) in (("Café", "É “bom”."), ("配送", "三日です。"))


def test_pages_of_folders_below_are_named_by_their_place(tmp_path: Path) -> None:
    for name in ("a.md", "help/Delivery/a.html", ".git/a.md", "a_files/saved.html", "help/old.MD", "help/notes.pdf"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# Title\n\nText.\n" if name.lower().endswith("md") else "<h1>T</h1><p>Text.", encoding="utf-8")
    before = version_of(tmp_path)
    assert [page.name for page in load_pages(tmp_path).pages] == ["a", "help/Delivery/a", "help/old"]
    (tmp_path / "help" / "Delivery" / "a.html").write_text("<h1>T</h1><p>Other.", encoding="utf-8")
    assert version_of(tmp_path) != before


def test_two_files_of_one_name_are_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "fees.md").write_text("# Fees\n\nText.\n", encoding="utf-8")
    (tmp_path / "fees.html").write_text("<p>Text.", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"fees\.md: has the name of fees\.html\. Rename"):
        load_pages(tmp_path)


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


SAVED = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>Postage – Oak Help Centre</title></head><body>
<header><a href="/">Oak</a><nav><ul><li>Home</li></ul></nav></header>{main}<footer>© Oak</footer>
<script>if (a < b) document.write("<p>Never.</p>")</script></body></html>"""
QUESTION = ("Postage?", ("It is £3.", "It is free from £40."))


@pytest.mark.parametrize("main", [
    # a help centre's article with what stands around it
    '<main><ol class="breadcrumbs"><li>Oak</li></ol><div class="article-sidebar"><h3>More</h3>How?</div><article>'
    '<header><h1>Postage?</h1></header><p>It is <b>£3</b>.\nIt is free from £40.</p><div class="article-votes">'
    'Helpful? <button>Yes</button></div></article><section class="related-articles"><h3>Related</h3>More</section>'
    "</main>",
    # questions that unfold
    '<h1>FAQ</h1><h2><button aria-expanded="false" aria-controls="c">Postage?</button></h2>'
    '<div id="c" style="display:none" aria-hidden="true"><p>It is £3.</p><p>It is free from £40.</p></div>',
    '<div><a data-toggle="collapse" href="#c">Postage?</a></div><div id="c">It is £3. It is free from £40.</div>',
    '<h1>FAQ</h1><div role="heading" aria-level="2">Postage?</div><div>It is £3.<br>It is free from £40.</div>',
    # lines and items of one paragraph
    "<h1>FAQ</h1><div><b>Postage?</b><br>It is £3.<br>It is free from £40.<br><br></div>",
    "<h1>FAQ</h1><ol><li><p><strong>Postage?</strong></p><p>It is £3.</p><p>It is free from £40.</p></li></ol>",
    # as word processors save
    '<p><span style="font-weight:700">Postage?</span></p><p><span>It is </span><span>£3.</span></p><![if !x]><p>It is '
    "free from £40.<o:p></o:p><![endif]></p>",
    # laid out by a table, and all in a form
    "<table><tr><td class=menu></td><td><h2>Postage?</h2><p>It is £3.<p>It is free from £40.</td></tr></table>",
    '<form id="aspnetForm"><h1>Postage?</h1><p>It is £3.</p><p>It is free from £40.</p></form>',
])
def test_of_a_saved_page_only_what_it_says_is_read(tmp_path: Path, main: str) -> None:
    assert read(tmp_path, SAVED.format(main=main), "page.html")[-1:] == [QUESTION]


def test_a_saved_page_without_headings_has_the_title_of_its_window(tmp_path: Path) -> None:
    assert read(tmp_path, SAVED.format(main="<p>Only this.</p>"), "page.html") == [("Postage", ("Only this.",))]


def test_links_to_other_places_of_the_page_are_no_answer(tmp_path: Path) -> None:
    text = "# Help\n\n- [Postage?](#postage)\n- [Returns?](#returns)\n\n## Postage?\n\nIt is £3.\n"
    assert read(tmp_path, text) == [("Postage?", ("It is £3.",))]


@pytest.mark.parametrize(("rows", "sentences"), [
    ("<tr><td><p><b>Land</b></p><td><p><b>Fee</b></p></tr><tr><td><p>DE</p><td><p>€4</p></tr>", ("DE — Fee: €4",)),
    ("<tr><td>Land<td>Fee<tr><td>DE<td>€4<tr><td>FR<td>€5", ("DE — Fee: €4", "FR — Fee: €5")),
    ("<tr><th>DE<td>€4<tr><th>FR<td>€5", ("DE — €4", "FR — €5")),
    ("<tr><th rowspan=2>Land<th colspan=2>Fee<tr><th>small<th>big"
     "<tr><td rowspan=2>DE<td>€4<td>€6<tr><td colspan=2>free",
     ("DE — Fee small: €4; Fee big: €6", "DE — Fee small: free; Fee big: free")),
    ("<tr><th>Land<th>Fee<tr><td>DE<td><ul><li>€4</li><li>€6</li></ul>", ("DE — Fee: €4 €6",)),
])
def test_a_cell_stands_beside_its_own_row_and_column(tmp_path: Path, rows: str, sentences: tuple[str, ...]) -> None:
    assert read(tmp_path, f"<h1>Abroad</h1><table>{rows}</table>", "page.html") == [("Abroad", sentences)]


def test_short_lines_alone_are_the_headings_of_plain_text(tmp_path: Path) -> None:
    text = ("Postage\n\nIt is £3.\n\n2) Returns\nYou have 30 days for them.\n\nIN THE SHOP\nFree.\n\n"
            "A line goes on\nin the next one.\n\nWe keep:\n- earrings\n- cream\n")  # fmt: skip
    assert read(tmp_path, text, "page.txt") == [
        ("Postage", ("It is £3.",)), ("Returns", ("You have 30 days for them.",)),
        ("IN THE SHOP", ("Free.", "A line goes on in the next one.", "We keep: earrings; cream.")),
    ]  # fmt: skip
    items = "Rings\n\nCream\n\nBread\n\nThey stay with you."
    assert [heading for heading, _ in read(tmp_path, items, "list.txt")] == ["list"]


def test_a_page_with_many_megabytes_of_script_and_pictures_is_read_at_once(tmp_path: Path) -> None:
    picture = f'<img src="data:image/png;base64,{"A" * 3_000_000}">'
    main = f"<h1>Postage?</h1>{picture}<p>It is £3. It is free from £40.</p><script>{'x=1;' * 500_000}</script>"
    assert read(tmp_path, SAVED.format(main=main), "page.html") == [QUESTION]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text"), [
    ("page.html", "<h1>T</h1>" + f"<p>{'Some words here. ' * 20}</p>" * 3_200),
    ("page.txt", "Some words here. " * 80_000),
], ids=["html", "text"])
def test_a_page_with_more_than_a_megabyte_of_text_is_refused(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(KnowledgeError, match=rf"{name}: has more than 1 MB of text\. Split it\."):
        read(tmp_path, text, name)
