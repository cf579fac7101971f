"""All checks of the designers' files: those that need no model take a second or two."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from components.conversation.examples import read_follow_ups
from components.escalation.examples import read_folder
from workbench.checks.changed_figures import changed_figures
from workbench.checks.contradictions import contradicted, trained_and_held_out, twice, under_two_intents
from workbench.checks.domain import domain_findings
from workbench.checks.findings import Finding, nearest
from workbench.checks.nlu_files import phrase_findings
from workbench.checks.pages_and_settings import settings_findings
from workbench.checks.project import read_project
from workbench.checks.rules_and_stories import dialogue_findings
from workbench.checks.skill_words import skill_findings
from workbench.checks.variations import wrong_variations
from workbench.nlu.phrases import PROJECT_ROOT, read_phrases


def file_findings(root: Path = PROJECT_ROOT) -> list[Finding]:
    """What is wrong with the files by themselves, by file and line."""
    project = read_project(root)
    found = [*project.findings, *settings_findings(root), *changed_figures(root), *escalation_findings(root)]
    found += follow_up_findings(root, project.names("intents") if project.domain else [])
    if project.domain:  # without it every name would be unknown
        in_domain = [*domain_findings(project), *skill_findings(project)]
        found += [*in_domain, *dialogue_findings(project), *phrase_findings(project)]
        if not in_domain:
            found += wrong_variations(project.domain)
    if not any(finding.place.startswith("data/nlu") and finding.blocking for finding in found):
        found += _phrases(root)
    return sorted(set(found), key=lambda finding: _order(finding.place))


def model_findings(root: Path = PROJECT_ROOT) -> list[Finding]:
    """Phrases that are nearly trained on and held out, and phrases that the model contradicts.

    Raises NoTrainedModel.
    """
    from workbench.nlu.trained_nlu import TrainedNlu  # slow to import, and the other checks should not be

    nlu = TrainedNlu.newest(root / "models")
    training = read_phrases(root / "data" / "nlu")
    nearly = trained_and_held_out(training, read_phrases(root / "tests" / "nlu" / "held_out"))
    phrases = {(phrase.intent, phrase.text): phrase.place for phrase in training}
    messages = {(one.reason, one.text): _place(root, one.file, one.line) for one in read_folder(root)[0]}
    return [*nearly, *contradicted(phrases, nlu.model), *contradicted(messages, nlu.reasons.classifier, "examples")]


def follow_up_findings(root: Path, intents: Sequence[str]) -> list[Finding]:
    """Everything wrong with data/follow_ups."""
    written, mistakes = read_follow_ups(root)
    found = [
        Finding("bad follow-up", _place(root, one.file, one.line), one.problem, one.remedy)
        for one in mistakes
    ]
    unknown = {one.intent: one for one in written if intents and one.intent not in intents}
    return found + [
        Finding("unknown intent", _place(root, one.file, one.line), f"{name} is not an intent of domain.yml",
                nearest(name, list(intents), "add it under `intents`"))
        for name, one in unknown.items()
    ]  # fmt: skip


def escalation_findings(root: Path) -> list[Finding]:
    """Everything wrong with data/escalation."""
    return [
        Finding("bad escalation example", _place(root, one.file, one.line), one.problem, one.remedy)
        for one in read_folder(root)[2]
    ]


def _place(root: Path, file: Path, line: int) -> str:
    return f"{file.relative_to(root)}:{line}"


def _phrases(root: Path) -> Iterator[Finding]:
    try:
        training = read_phrases(root / "data" / "nlu")
    except (yaml.YAMLError, StopIteration, RuntimeError):
        return
    yield from under_two_intents(training)
    yield from twice(training)


def _order(place: str) -> tuple[str, int]:
    file, _, line = place.rpartition(":")
    return (file, int(line)) if line.isdigit() else (place, 0)
