"""What operators are given to watch the assistant with names metrics, labels and log lines that there are."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

import yaml_files
from connectors import metrics
from connectors.message_bus.inbox import connect
from handoff.jobs.metrics import Metrics
from handoff.storage.database import Database
from settings import PROJECT_ROOT
from tests.contracts import source_tree

RULES_FILE = PROJECT_ROOT / "deploy/monitoring/alerts.yml"
GROUPS: list[dict[str, Any]] = yaml_files.read(RULES_FILE)["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
DASHBOARD: dict[str, Any] = json.loads((PROJECT_ROOT / "deploy/monitoring/dashboard.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [rule["expr"] for rule in RULES] + [target["expr"] for panel in PANELS for target in panel["targets"]]
RUNBOOK = (PROJECT_ROOT / "docs/runbook.md").read_text(encoding="utf-8")
PARAGRAPHS = dict(re.findall(r"^### (\w+)\n\n(.+?)(?=\n\n#|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
# Of these, every process that has them counts into the folder that /metrics is read from.
COUNTING = ("actions.llm.metrics", "actions.orders.lookup", "actions.self_service.performing",
            "conversation_log.ingest.writer", "worker.archiver", "worker.budget")  # fmt: skip
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


@pytest.fixture
async def exposed(redis_url: str, tmp_path: Path) -> dict[str, set[str]]:
    """Every metric of the product, with the names of its labels."""
    for name in COUNTING:
        importlib.import_module(name)
    found: dict[str, set[str]] = {}
    for metric in REGISTRY._collector_to_names:
        if str(getattr(metric, "_name", "")).startswith("assistant_"):
            for suffix in SUFFIXES[metric._type]:
                labels = {*metric._labelnames, *(["le"] if suffix == "_bucket" else [])}
                found[metric._name + suffix] = labels
    database = Database(f"sqlite:///{tmp_path}/takeovers.db")
    text = (await metrics.render(connect(redis_url), Metrics(database))).decode()
    database.close()
    for name, labels_of in re.findall(r"^(assistant_\w+?)(?:\{(.*)\})? ", text, re.MULTILINE):
        found.setdefault(name, set()).update(re.findall(r"(\w+)=", labels_of))
    return found


def test_rules_dashboard_and_runbook_name_only_metrics_and_labels_that_are_exposed(
    exposed: dict[str, set[str]],
) -> None:
    for query in QUERIES:
        assert set(re.findall(r"\bassistant_\w+", query)) <= set(exposed), query
    histograms = {name.removesuffix("_bucket") for name in exposed}  # as people name them
    assert set(re.findall(r"\bassistant_\w+", RUNBOOK)) <= {*exposed, *histograms}
    for query in QUERIES:
        for name, selector in re.findall(r"(assistant_\w+)\{([^}]*)\}", query):
            assert set(re.findall(r"(\w+)\s*[=!]", selector)) <= exposed[name], query
        possible = set.union(*(exposed[name] for name in re.findall(r"\bassistant_\w+", query)))
        for labels in re.findall(r"\bby \(([^)]*)\)", query):
            assert set(labels.replace(" ", "").split(",")) <= possible, query


def test_every_alert_has_its_paragraph_and_every_paragraph_its_alert() -> None:
    assert [rule["alert"] for rule in RULES] == list(PARAGRAPHS)
    for rule in RULES:
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
        said = PARAGRAPHS[rule["alert"]]
        assert "**Look at**" in said, rule["alert"]
        assert "**Do**" in said, rule["alert"]


def test_the_rules_have_the_shape_that_prometheus_reads() -> None:
    assert len({group["name"] for group in GROUPS}) == len(GROUPS)
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s")), rule
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert all(isinstance(value, str) for value in (rule["expr"], *rule["annotations"].values())), rule
        grouped = {label for labels in re.findall(r"\bby \(([^)]*)\)", rule["expr"]) for label in labels.split(", ")}
        assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= grouped, rule["alert"]
    for query in QUERIES:
        assert all(query.count(opening) == query.count(closing) for opening, closing in ("()", "[]", "{}")), query


def test_the_dashboard_has_panels_that_do_not_overlap_and_ask_the_chosen_source() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(panel["datasource"]["uid"] == "${source}" for panel in PANELS)


def test_the_runbook_names_only_log_lines_that_are_written() -> None:
    written = "\n".join(path.read_text(encoding="utf-8") for path in source_tree.modules().values())
    heads = {"inbox", "whatsapp", "partitions", "consumer", "orders", "action", "outbox", "handoff", "zendesk", "log",
             "metrics", "speech", "media", "self_service"}  # fmt: skip
    named = set(re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)[ `]", RUNBOOK))
    for event in (name for name in named if name.split(".")[0] in heads):
        assert f'"{event}' in written or f"{event} " in written, event


@pytest.mark.parametrize("outcome", ["answered", "failed"])
async def test_look_ups_in_the_orders_database_are_counted(outcome: str) -> None:
    from actions.orders.lookup import LOOKUPS, Orders
    from actions.orders.repository import OrdersUnavailable

    class Repository:
        def open_orders(self, phone: str) -> list[object]:
            if outcome == "failed":
                raise OrdersUnavailable
            return []

    before = LOOKUPS.labels(outcome)._value.get()
    try:
        await Orders(Repository()).open_orders("+919876543210")  # type: ignore[arg-type]
    except OrdersUnavailable:
        assert outcome == "failed"
    assert LOOKUPS.labels(outcome)._value.get() == before + 1
