"""While the model is being trained, workers take the tests that need none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests import scheduling

QUICK, MODEL = "tests/test_shop.py::test_{}", "tests/chaos/test_chaos.py::test_{}"


class Worker:
    """Says what it was given."""

    def __init__(self) -> None:
        self.given: list[int] = []
        self.shutting_down = False

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += indices


def handed_out(monkeypatch: pytest.MonkeyPatch, trained: list[bool], tests: list[str]) -> list[int]:
    monkeypatch.setattr(scheduling, "_once_trained", [])
    monkeypatch.setattr(scheduling.training, "nobody_trains", lambda: trained.pop(0))
    options = SimpleNamespace(tx=["popen"], loadscopereorder=False)
    config: Any = SimpleNamespace(option=options, getvalue=vars(options).__getitem__)
    order, worker = scheduling.ModelFreeFirst(config), Worker()
    node: Any = worker
    order.add_node(node)
    order.add_node_collection(node, tests)
    order.schedule()
    while len(worker.given) < len(tests):
        order.mark_test_complete(node, worker.given[-1])
    return worker.given


def test_while_the_model_is_trained_the_tests_that_need_none_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    tests = [MODEL.format(1), MODEL.format(2), QUICK.format(1), MODEL.format(3), QUICK.format(2), QUICK.format(3)]
    assert handed_out(monkeypatch, [False] * 6, tests) == [2, 4, 5, 0, 1, 3]
    assert handed_out(monkeypatch, [False, True], tests) == [2, 0, 1, 3, 4, 5], "trained after the first"
    assert handed_out(monkeypatch, [True], tests) == [0, 1, 2, 3, 4, 5]


def test_who_needs_the_model_is_known_by_its_module() -> None:
    need = ["journeys/test_takeover_outage.py", "journeys/test_main_job.py", "journeys/test_new_shop_guide.py"]
    assert [name for name in need if not scheduling.needs_the_model(f"tests/{name}::test_it[a]")] == []
    assert not scheduling.needs_the_model("tests/journeys/test_desk_page.py::test_it")
    assert not scheduling.needs_the_model("tests/privacy/test_redaction.py::test_it")
