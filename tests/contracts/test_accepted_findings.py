"""What is accepted of the locked packages' known holes is explained, and hides nothing else."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.contracts import source_tree

ROOT = Path(__file__).resolve().parents[2]
LOCKED = {
    tuple(pin) for lock in ROOT.glob("requirements*.lock")
    for pin in re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock.read_text(), re.MULTILINE)
}  # fmt: skip
IMPORTED_AS = {"scikit-learn": "sklearn", "sentry-sdk": "sentry_sdk"}
TODAY = dt.date(2026, 11, 29)


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    """`.ci/audit.py`, which is in no package."""
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["audit"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def test_each_accepted_finding_is_of_a_locked_package_and_has_a_reason_and_a_date(audit: ModuleType) -> None:
    accepted = audit.read()
    assert accepted
    assert len({(one.package, one.finding) for one in accepted}) == len(accepted), "twice"
    for one in accepted:
        assert (one.package, one.version) in LOCKED, f"{one.package} {one.version} is not locked (any more)"
        assert one.finding == audit.ALL or re.fullmatch(r"(CVE|GHSA|PYSEC)-[\w-]+", one.finding), one
        assert len(one.reason.split()) >= 8, f"{one.package}: why?"


def test_only_a_package_that_we_never_import_is_accepted_as_a_whole(audit: ModuleType) -> None:
    ours = "\n".join(path.read_text(encoding="utf-8") for path in source_tree.modules().values())
    for one in audit.read():
        name = IMPORTED_AS.get(one.package, one.package.replace("-", "_"))
        if one.finding == audit.ALL:
            assert not re.search(rf"^\s*(import|from) {name}\b", ours, re.MULTILINE), one


def report(*findings: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": [{"name": "keras", "version": "2.12.0", "vulns": list(findings)}]}


@pytest.mark.parametrize(("package", "version", "finding", "until", "explained"), [
    ("keras", "2.12.0", "CVE-1", dt.date.max, True), ("keras", "2.12.0", "*", TODAY, True),
    ("keras", "2.12.0", "CVE-1", dt.date(2026, 11, 28), False), ("keras", "2.12.0", "CVE-2", dt.date.max, False),
    ("keras", "2.13.0", "*", dt.date.max, False), ("aiohttp", "2.12.0", "*", dt.date.max, False),
])  # fmt: skip
def test_a_finding_counts_unless_it_is_explained_of_this_version_and_for_today(
    audit: ModuleType, package: str, version: str, finding: str, until: dt.date, explained: bool
) -> None:
    accepted = [audit.Accepted(package, version, finding, until, "why")]
    found = report({"id": "GHSA-x", "aliases": ["CVE-1"], "fix_versions": ["2.13.1"]})
    left = list(audit.unexplained(found, accepted, TODAY))
    assert left == ([] if explained else ["keras 2.12.0: CVE-1, GHSA-x; fixed in 2.13.1"])


@pytest.mark.parametrize("line", ["keras\t2.12.0\t*\tsoon\twhy", "keras 2.12.0 * 2027-05-31 why", ""])
def test_a_line_of_another_form_is_named(audit: ModuleType, tmp_path: Path, line: str) -> None:
    (tmp_path / "accepted.tsv").write_text(f"# package\n{line}\n")
    with pytest.raises(ValueError, match=r"accepted\.tsv:2"):
        audit.read(tmp_path / "accepted.tsv")
