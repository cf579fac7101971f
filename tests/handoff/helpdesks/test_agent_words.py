"""What an agent writes in a helpdesk, as the customer reads it on WhatsApp."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.helpdesks.agent_markdown import PREFORMATTED
from handoff.helpdesks.agent_words import whatsapp_words, words_and_pictures
from handoff.helpdesks.quoted_mail import html_without_history, without_history
from handoff.helpdesks.zendesk_events import fullest
from tests.costs import grows_with_length
from tests.examples import examples

MARKDOWN = {
    "**Done**, Asha: see [your invoice](https://shop.example/i/7).": "*Done*, Asha: see your invoice: https://shop.example/i/7.",
    "__Done__ and _soon_ and ~~never~~ and *now*": "*Done* and _soon_ and ~never~ and *now*",
    "***both***": "_*both*_",
    "**two\nlines**": "*two*\n*lines*",
    "foo**bar**baz": "foobarbaz",
    "# Refunds\nwithin 5 days": "*Refunds*\n\nwithin 5 days",
    "* one\n* two\n\n1. first\n2. second\n   - inner": "- one\n- two\n\n1. first\n2. second\n  - inner",
    "- a\n\n- b": "- a\n- b",
    "3. third\n4. fourth": "3. third\n4. fourth",
    "> you wrote\n\nI answer": "> you wrote\n\nI answer",
    "| size | fits |\n|---|---|\n| M | yes |": "size | fits\nM | yes",
    "https://shop.example/a_b_c*d*e?x=1&copy=2": "https://shop.example/a_b_c*d*e?x=1&copy=2",
    "**https://shop.example/t**": "https://shop.example/t",
    "[https://shop.example/t](https://shop.example/t)": "https://shop.example/t",
    "[mail us](mailto:help@shop.example) or [call](tel:+911234567)": "mail us: help@shop.example or call: +911234567",
    "**[here](https://shop.example/t)**": "*here*: https://shop.example/t",
    "![the label](https://shop.example/label.png)": "the label https://shop.example/label.png",
    "5 < 6, 2 * 3 * 4 and <your order number> <3": "5 < 6, 2 * 3 * 4 and <your order number> <3",
    "order_number_id stays, #10234 too": "order_number_id stays, #10234 too",
    "Regards\n---\nMeera": "Regards\n\n———\n\nMeera",
    "    four blanks are no code": "four blanks are no code",
    "[1]: https://shop.example/terms": "[1]: https://shop.example/terms",
    "`SAVE*10*` or\n```\nline  1\n  line 2\n```": "`SAVE*10*` or\n\n```line  1\n  line 2```",
    "a &amp; b &lt;ok&gt; c&nbsp;d": "a & b <ok> c d",
    "**नमस्ते** _जी_": "*नमस्ते* _जी_",
    "one\ntwo\n\nthree": "one\ntwo\n\nthree",
    "[](sizes) and [the chart](sizes.pdf)": "[](sizes) and [the chart](sizes.pdf)",
    "<p>Hello <b>Asha</b>,</p>\n<p>**we** refund</p>": "Hello *Asha*,\n\n*we* refund",
    "Hi [@Asha K](mention://user/12/Asha%20K), see [here](javascript:alert(1))": "Hi @Asha K, see here",
    "5*3*2 = 30, 2**8, a*b*c": "5*3*2 = 30, 2**8, a*b*c",
    "```\nline 1\n\n\nline 4\n```": "```line 1\n\n\nline 4```",
    "[a](https://shop.example/1)[b](https://shop.example/2) <https://shop.example/3>":
        "a: https://shop.example/1 b: https://shop.example/2 https://shop.example/3",
    "": "",
}  # fmt: skip

HTML = {
    '<p><a href="https://shop.example/t?a=1&amp;b=2">Track</a> &amp; relax:</p><ul><li>one</li><li>two</li></ul>':
        "Track: https://shop.example/t?a=1&b=2 & relax:\n\n- one\n- two",
    '<div class="zd-comment"><p dir="auto">Hi <strong>there</strong><br>line</p><p>&nbsp;</p><p>end</p></div>':
        "Hi *there*\nline\n\nend",
    "<ol><li>one</li><li>two<ul><li>inner</li></ul></li></ol>": "1. one\n2. two\n  - inner",
    "<div>\n  <p>hard-wrapped\n  words</p>\n</div>": "hard-wrapped words",
    "<em>soft</em> <del>gone</del> <u>plain</u> <code>A1</code>": "_soft_ ~gone~ plain `A1`",
    "<style>p {color: red}</style><script>alert(1)</script><p>seen</p><!-- not seen -->": "seen",
    '<a href="javascript:alert(1)">click</a> <a name="x">here</a>': "click here",
    '<a href="https://shop.example/"><img src="https://shop.example/i.png" alt="shop"></a>':
        "shop https://shop.example/i.png: https://shop.example/",
    "<table><tr><td>size</td><td>M</td></tr><tr><td>fits</td><td>yes</td></tr></table>": "size | M\nfits | yes",
    "<p>never <b>closed<p>and <i>more": "never *closed*\n\n*and _more_*",
    "<pre>a  b\nc</pre>": "```a  b\nc```",
    "<p>as here:</p><pre><code class='x'>if a &lt; b:\n\n    <b>*c*</b><br>d</code></pre><p>ok</p>":
        "as here:\n\n```if a < b:\n\n    *c*\nd```\n\nok",
    "<table><tr><td><p>size</p></td><td><div>M<br>L</div></td><td></td></tr><tr><td>fits<td>yes</table>":
        "size | M L |\nfits | yes",
    "<table><tr><td><p>a letter</p><p>in a frame</p></td></tr></table>": "a letter\n\nin a frame",
    "<details><summary>More</summary>here</details>": "More\nhere",
    "words</p></b></ul>": "words",
}  # fmt: skip


@pytest.mark.parametrize("written", MARKDOWN, ids=range(len(MARKDOWN)))
def test_markdown_arrives_as_whatsapp_writes_it(written: str) -> None:
    assert whatsapp_words(written) == MARKDOWN[written]


@pytest.mark.parametrize("written", HTML, ids=range(len(HTML)))
def test_html_arrives_without_tags_and_with_its_links(written: str) -> None:
    assert whatsapp_words(written) == HTML[written]


@pytest.mark.parametrize("written", [
    "*bold* _italic_ ~struck~ `code`", "- one\n- two", "1. one\n2. two", "> quoted", "```first line\n  second```",
    "tracking: https://shop.example/t_1_2", "👩🏽‍🔧 आपका ऑर्डर रास्ते में है",
])  # fmt: skip
def test_what_is_in_whatsapps_notation_already_passes_unchanged(written: str) -> None:
    assert whatsapp_words(written) == written


ZENDESK, FRESHDESK = (
    "https://shop.zendesk.com/attachments/token/a_b*c/?name=chart.png", "https://attachment.freshdesk.com/inline/attachment?token=x",
)  # fmt: skip


@pytest.mark.parametrize(("written", "words", "pictures"), [
    (f"As here:\n\n![]({ZENDESK})\n\nsee?", "As here:\n\nsee?", (ZENDESK,)),
    (f'<p>As here: <img src="{FRESHDESK}" class="inline-image"></p>', "As here:", (FRESHDESK,)),
    (f'<img src="{ZENDESK}">', "", (ZENDESK,)),
    ("![logo](https://shop.example/logo.png)", "logo https://shop.example/logo.png", ()),
    (f"see {ZENDESK}", f"see {ZENDESK}", ()),
    *[(f"![]({evil})", evil, ()) for evil in (
        "http://10.0.0.5/attachments/token/x", "https://evil.example/.zendesk.com/attachments/token/x",
        "https://shop.zendesk.com.evil.example/attachments/token/x", "https://a@evil.example/attachments/token/x",
    )],
])  # fmt: skip
def test_pictures_pasted_between_the_words_are_files_and_other_pictures_links(
    written: str, words: str, pictures: tuple[str, ...]
) -> None:
    assert words_and_pictures(written) == (words, pictures)


GMAIL_BELOW = (
    '<div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Mon, Marigold wrote:</div>'
    '<blockquote class="gmail_quote"><div>internal: be careful</div></blockquote></div>'
)
MAILS = {
    f'<div dir="ltr">It is <b>on its way</b>.<br>-- <br><div class="gmail_signature">Meera</div></div>{GMAIL_BELOW}':
        "It is *on its way*.\n--\nMeera",
    '<div class="gmail_quote"><blockquote class="gmail_quote">one?<div>deep</div></blockquote><div>yes</div>'
    '<blockquote class="gmail_quote">two?</blockquote><div>no</div></div>': "yes\nno",
    '<p>Done.</p><blockquote type="cite"><p>internal note</p></blockquote>': "Done.",
    '<div>Done.</div><div class="freshdesk_quote"><blockquote class="freshdesk_quote">old</blockquote></div>': "Done.",
    '<p class="MsoNormal">Dear Asha,<o:p></o:p></p><p><o:p>&nbsp;</o:p></p><ul><li>one<o:p></o:p></li></ul>'
    '<div style="border:none;border-top:solid #E1E1E1 1.0pt"><p><b>From:</b> x</p></div><p>internal</p>':
        "Dear Asha,\n\n- one",
    '<div>Done.</div><hr id="stopSpelling"><div id="divRplyFwdMsg"><b>From:</b> x</div><div>internal</div>': "Done.",
    "Done.\n\nOn Mon, 23 Nov 2026, Marigold <help@shop.example> wrote:\n> internal\n>\n> more": "Done.",
    "Done.\n\nEm seg., 23 de nov., Marigold <help@shop.example>\nescreveu:\n\n> interno": "Done.",
    "Done.\n\n-----Original Message-----\nFrom: a@shop.example\nSent: Monday\n\ninternal": "Done.",
    "Done.\n\n##- Please type your reply above this line -##\ninternal": "Done.",
}  # fmt: skip


@pytest.mark.parametrize("written", MAILS, ids=range(len(MAILS)))
def test_the_mail_that_an_answer_was_sent_with_does_not_reach_the_customer(written: str) -> None:
    assert whatsapp_words(written) == MAILS[written]


@pytest.mark.parametrize("written", [
    "You asked:\n\n> where is it\n> and when", "> only a quote by help@shop.example:\n> of somebody",
    "Here it is:\nOrder: 10234 of 2026-11-24\nColour: blue\nDelivery: Monday",
    "Reach us:\nMail: help@shop.example\nHours: 9:00 to 18:00\nPhone: +91 1234",
    "--\nMeera, Marigold Support", "-----Original Message-----\nFrom: a@b.example\nTo: c",
])  # fmt: skip
def test_what_an_agent_quotes_or_lists_of_their_own_accord_stays(written: str) -> None:
    assert whatsapp_words(written) == written


LETTERS = [*string.ascii_letters, *string.digits, *map(chr, range(ord("अ"), ord("ह") + 1))]
WORD = st.text(st.sampled_from(LETTERS), min_size=1, max_size=8)
TAGS = ["<b>", "</b>", "<p>", "<li>", "<br>", "</ul>", "<pre>", "</a>", "&amp;", "<unknown>"]
PIECE = WORD | st.sampled_from([
    "**", "*", "_", "~~", "`", "[", "](", ")", "\n", "\n\n", " ", "- ", "1. ", "> ", "# ", "|", "```", "\\", *TAGS,
])  # fmt: skip


@pytest.mark.slow
@settings(max_examples=examples(600), deadline=None)
@given(st.lists(PIECE, max_size=40))
def test_no_word_is_lost_or_turned_around_whatever_stands_between_them(pieces: list[str]) -> None:
    def letters(text: str) -> str:
        return re.sub("[^a-zA-Zअ-ह]", "", re.sub("|".join(TAGS), "", text))

    assert letters(whatsapp_words("".join(pieces))) == letters("".join(pieces))


@pytest.mark.parametrize("piece", ["@", "<div ", "a@b:\n", "<hr", "<pre>", "<pre></pre>", "5*"])
def test_the_mail_below_an_answer_is_looked_for_in_linear_time(piece: str) -> None:
    def look(text: str) -> None:
        without_history(html_without_history(text))
        PREFORMATTED.split(text)

    assert grows_with_length(look, piece, 60_000)


def test_hundreds_of_links_and_steps_stay_whole_and_in_order() -> None:
    links = [f"https://shop.example/help/{n}?step={n}_a_b" for n in range(1, 301)]
    shown = whatsapp_words("\n".join(f"{n}. **Step {n}**: [page]({link}) now" for n, link in enumerate(links, 1)))
    assert re.findall(r"https://\S+", shown) == links
    assert re.findall(r"\*Step (\d+)\*", shown) == [str(n) for n in range(1, 301)]
    assert "**" not in shown


def test_of_two_spellings_that_with_the_links_is_taken() -> None:
    html = '<p>see <a href="https://shop.example/t">here</a></p>'
    assert fullest("see here", html) == html
    assert fullest("see [here](https://shop.example/t)", html) == "see [here](https://shop.example/t)"
    assert fullest("", html) == html
