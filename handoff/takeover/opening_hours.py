"""When people answer."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

_HORIZON_DAYS = 60


@dataclass(frozen=True)
class Span:
    """Minutes after midnight: open from the first, closed at the second."""

    opens: int
    closes: int


@dataclass(frozen=True)
class Opening:
    """When people answer next. `days` is 0 for later today, 1 for tomorrow."""

    at: dt.datetime
    days: int


@dataclass(frozen=True)
class BusinessHours:
    """Spans by weekday (0 is Monday) in the shop's time zone; `switch` is a file that says open or closed meanwhile."""

    zone: ZoneInfo
    spans: Mapping[int, tuple[Span, ...]]
    holidays: frozenset[dt.date] = frozenset()
    switch: Path | None = None

    def open_at(self, moment: float) -> bool:
        """Whether somebody answers at this time (epoch seconds)."""
        switched = self._switched()
        if switched is not None:
            return switched
        local = dt.datetime.fromtimestamp(moment, self.zone)
        minute = local.hour * 60 + local.minute
        return any(span.opens <= minute < span.closes for span in self._on(local.date()))

    def next_opening(self, moment: float) -> dt.datetime | None:
        """When somebody answers next, in the shop's time; None within two months means never."""
        local = dt.datetime.fromtimestamp(moment, self.zone)
        for days in range(_HORIZON_DAYS):
            date = local.date() + dt.timedelta(days=days)
            for span in sorted(self._on(date), key=lambda span: span.opens):
                opening = dt.datetime.combine(
                    date, dt.time(span.opens // 60, span.opens % 60), tzinfo=self.zone
                )
                if opening > local:
                    return opening
        return None

    def closed_until(self, moment: float) -> Opening | None:
        """When people answer next, or None when they do now (or never say)."""
        opens = None if self.open_at(moment) else self.next_opening(moment)
        if opens is None:
            return None
        return Opening(opens, (opens.date() - dt.datetime.fromtimestamp(moment, self.zone).date()).days)

    def _switched(self) -> bool | None:
        """What the switch says; None without one, or when it says something else."""
        try:
            said = self.switch.read_text(encoding="utf-8").strip().lower() if self.switch else ""
        except (OSError, ValueError):
            return None
        return {"open": True, "closed": False}.get(said)

    def _on(self, date: dt.date) -> tuple[Span, ...]:
        return () if date in self.holidays else self.spans.get(date.weekday(), ())
