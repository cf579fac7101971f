#!/usr/bin/env python3
"""Known vulnerabilities of the locked packages, less those accepted with a reason (accepted_findings.tsv).

Needs the network and pip-audit (`pip install pip-audit`), so it runs in a workflow of its own and in no test. Exit
status 1 for a finding that nobody explained, and for an explanation whose time is over.
"""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ACCEPTED = HERE / "accepted_findings.tsv"
ALL = "*"


@dataclass(frozen=True)
class Accepted:
    """One line: the finding (a CVE, GHSA or PYSEC number, or ALL of the package) is explained until a day."""

    package: str
    version: str
    finding: str
    until: dt.date
    reason: str


def read(path: Path = ACCEPTED) -> list[Accepted]:
    """The lines. Raises ValueError naming the one that is not of the form."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("#"):
            try:
                package, version, finding, until, reason = line.split("\t")
                found.append(Accepted(package, version, finding, dt.date.fromisoformat(until), reason))
            except ValueError as error:
                raise ValueError(f"{path.name}:{number}: five columns, the fourth a day: {error}") from None
    return found


def unexplained(report: dict[str, Any], accepted: Iterable[Accepted], today: dt.date) -> Iterator[str]:
    """What pip-audit's JSON report holds beyond the accepted findings, a line each."""
    valid = {(one.package, one.version, one.finding) for one in accepted if one.until >= today}
    for package in report.get("dependencies", []):
        name, version = package["name"], package.get("version", "")
        for finding in package.get("vulns", []):
            names = {finding["id"], *finding.get("aliases", []), ALL}
            if not any((name, version, one) in valid for one in names):
                fixed = ", ".join(finding.get("fix_versions", [])) or "nowhere"
                yield f"{name} {version}: {', '.join(sorted(names - {ALL}))}; fixed in {fixed}"


def main() -> int:
    accepted, today = read(), dt.datetime.now(dt.timezone.utc).date()
    wrong = [f"{one.package} {one.finding}: accepted until {one.until}" for one in accepted if one.until < today]
    for lock in sorted(HERE.parent.glob("requirements*.lock")):
        asked = [sys.executable, "-m", "pip_audit", "--format", "json", "--no-deps", "--disable-pip", "--requirement"]
        answer = subprocess.run([*asked, lock], capture_output=True, text=True, timeout=900)
        if not answer.stdout.strip():
            print(answer.stderr, file=sys.stderr)
            return 2
        wrong += [f"{lock.name}: {line}" for line in unexplained(json.loads(answer.stdout), accepted, today)]
    print("\n".join(wrong) or f"Nothing beyond the {len(accepted)} accepted findings.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
