"""A replay as one page that needs nothing else: no script, no network; personal data replaced, customers nameless."""

from collections.abc import Iterable
from html import escape

from conversation_log.report.html_page import document, tiled
from workbench.replay.answers import KINDS, Answer
from workbench.replay.playing import Replayed, ReplayedTurn
from workbench.replay.tally import Tally, clipped, line_of, words_of


def page(tally: Tally, title: str) -> str:
    """The page. `title` says what was played with what."""
    tiles = [(kind, str(tally.kinds[kind])) for kind in KINDS if tally.kinds[kind]]
    tiles = [("turns played", str(tally.turns)), ("would change", str(tally.changed)), *tiles]
    remarks = (f"<p>{escape(remark)}</p>" for remark in tally.remarks)
    body = "".join((tiled(tiles), *remarks, *map(_conversation, tally.kept)))
    return document("What would change", title, body)


def _conversation(replayed: Replayed) -> str:
    began = f"{replayed.conversation.began:%Y-%m-%d %H:%M} UTC"
    model = f", model {replayed.conversation.model}" if replayed.conversation.model else ""
    head = _row("th", ("the customer wrote", "then", "now", "what changes"))
    return (
        f"<section><h2>{escape(began + model)}</h2><table class=\"words\"><thead>{head}</thead>"
        f"<tbody>{''.join(map(_turn, replayed.turns))}</tbody></table></section>"
    )


def _turn(turn: ReplayedTurn) -> str:
    changes = ", ".join(turn.changed) or ("not compared: the orders have moved on" if turn.moved_on else "")
    cells = [_cell(clipped(turn.logged.text)), _answer(turn.logged.answer), _answer(turn.now), _cell(changes)]
    return f"<tr class='{'changed' if turn.changed else 'same'}'>{''.join(cells)}</tr>"


def _answer(answer: Answer) -> str:
    return f"<td><b>{escape(line_of(answer))}</b><br>{_lines(words_of(answer))}</td>"


def _cell(text: str) -> str:
    return f"<td>{_lines(text)}</td>"


def _lines(text: str) -> str:
    return "<br>".join(map(escape, text.splitlines()))


def _row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
