"""Reviewing in the terminal: a group of messages, a number or a name of an intent, the next group."""

from collections.abc import Sequence

from rich.columns import Columns
from rich.console import Console
from rich.markup import escape

from conversation_log.report.review_queue import Cluster, Wording
from workbench.review.labels import Added, AlreadyThere, Outcome
from workbench.review.sitting import Review
from workbench.review.training_phrase import as_training_phrase

SHOWN = 6
HELP = (
    "A number or a name labels the first wording; with `*` behind it, all that are shown. `h` before it: to the "
    "held-out set. `e` edits the wording, `o` takes the wordings one by one, `s` or Enter skips, `q` ends, `?` helps."
)


def talk(review: Review, console: Console) -> None:
    """Until every cluster is dealt with, `q`, or the end of input."""
    intents = review.labels.choices()
    _print_intents(console, intents)
    for number, cluster in enumerate(review.clusters, 1):
        show(console, cluster, number, review)
        if not _deal_with(review, console, intents, cluster.wordings):
            return


def show(console: Console, cluster: Cluster, number: int, review: Review) -> None:
    """One cluster: how often, why it is here, what the assistant took it for, and its wordings."""
    why = ", ".join(f"{reason} {count}" for reason, count in cluster.reasons.most_common())
    taken = ", ".join(f"{intent} {count}" for intent, count in cluster.intents.most_common(3))
    console.rule(f"{number} of {len(review.clusters)} · {cluster.count} messages, last {cluster.latest:%Y-%m-%d}")
    console.print(f"[dim]{escape(why)}; taken for {escape(taken)}[/]", soft_wrap=True)
    if review.guess is not None:
        intent, confidence = review.guess(cluster.wordings[0].text)
        console.print(f"[dim]today's model: {escape(intent)} {confidence:.2f}[/]")
    for wording in cluster.wordings[:SHOWN]:
        times = f" [dim]({len(wording.cases)} times)[/]" if len(wording.cases) > 1 else ""
        console.print(f"  • {escape(wording.text)}{times}", soft_wrap=True)
    if len(cluster.wordings) > SHOWN:
        console.print(f"  [dim]… and {len(cluster.wordings) - SHOWN} more wordings[/]")


def _deal_with(review: Review, console: Console, intents: Sequence[str], wordings: Sequence[Wording]) -> bool:
    """Ask until these wordings are labelled or skipped. False: the designer has enough."""
    texts = [wording.text for wording in wordings[:SHOWN]]
    while True:
        answer = _ask(console, "label> ")
        if answer is None or answer == "q":
            return False
        if answer == "?":
            console.print(HELP)
            _print_intents(console, intents)
        elif answer == "e":
            console.print(f"now: {escape(as_training_phrase(texts[0]))}", soft_wrap=True)
            texts = [_ask(console, "as> ") or texts[0]]
        elif answer == "o" and len(wordings) > 1:
            return all(_one(review, console, intents, wording) for wording in wordings)
        elif answer in ("", "s") or _label(review, console, intents, answer, texts):
            review.done_with(wordings)
            return True


def _one(review: Review, console: Console, intents: Sequence[str], wording: Wording) -> bool:
    console.print(f"  • {escape(wording.text)}", soft_wrap=True)
    return _deal_with(review, console, intents, [wording])


def _label(review: Review, console: Console, intents: Sequence[str], answer: str, texts: Sequence[str]) -> bool:
    """Carry out one answer. False when it was not understood or nothing could be written."""
    held_out = answer.startswith("h ")
    everything = answer.endswith("*")
    intent = _intent(answer.removeprefix("h ").rstrip("* "), intents)
    if intent is None:
        console.print(f"[red]{escape(answer)} is neither a number nor the name of one intent.[/] {HELP}")
        return False
    outcomes = [review.label(text, intent, held_out) for text in (texts if everything else texts[:1])]
    for outcome in outcomes:
        console.print(_said(outcome, intent), soft_wrap=True)
    return any(isinstance(outcome, Added | AlreadyThere) for outcome in outcomes)


def _intent(answer: str, intents: Sequence[str]) -> str | None:
    """By its number in the list, its name, or the beginning of it that no other has."""
    if answer.isdigit():
        return intents[int(answer) - 1] if 1 <= int(answer) <= len(intents) else None
    beginning = [intent for intent in intents if answer and intent.startswith(answer)]
    return answer if answer in intents else beginning[0] if len(beginning) == 1 else None


def _said(outcome: Outcome, intent: str) -> str:
    phrase = escape(f'"{outcome.phrase}"')
    if isinstance(outcome, Added):
        return f"[green]added[/] {phrase} as {intent}: {escape(outcome.place)}"
    if isinstance(outcome, AlreadyThere):
        return f"[yellow]already there[/] {phrase} as {intent}: {escape(outcome.place)}"
    return f"[red]not added[/] {phrase}: {escape(outcome.reason)}"


def _print_intents(console: Console, intents: Sequence[str]) -> None:
    console.print(Columns([f"[bold]{number}[/] {intent}" for number, intent in enumerate(intents, 1)], padding=(0, 2)))
    console.print(f"[dim]{HELP}[/]")


def _ask(console: Console, prompt: str) -> str | None:
    try:
        return console.input(f"[bold]{prompt}[/]").strip()
    except EOFError:
        console.print()
        return None
