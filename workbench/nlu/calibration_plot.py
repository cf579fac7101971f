"""The calibration plot as an SVG: confidence from left to right, the share of right answers from below."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.nlu.held_out_report import CalibrationBin

_SIDE, _LEFT, _TOP, _BELOW = 280, 46, 12, 40
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def plot(bins: Sequence[CalibrationBin]) -> str:
    """One dot a bin, the diagonal of perfect calibration, and axes with numbers."""
    dots = "".join(
        f'<circle cx="{_x(part.confidence):.1f}" cy="{_y(part.share):.1f}" r="{3 + part.count**0.5 / 2:.1f}" '
        f'fill="var(--good)" fill-opacity=".75"><title>{part.count} phrases: sure {part.confidence:.2f}, '
        f"right {part.share:.2f}</title></circle>"
        for part in bins
    )
    ticks = "".join(
        f'<line x1="{_x(tick)}" y1="{_y(0)}" x2="{_x(tick)}" y2="{_y(0) + 4}" stroke="var(--soft)"/>'
        f'<text x="{_x(tick)}" y="{_y(0) + 17}" text-anchor="middle">{tick:g}</text>'
        f'<line x1="{_x(0) - 4}" y1="{_y(tick)}" x2="{_x(0)}" y2="{_y(tick)}" stroke="var(--soft)"/>'
        f'<text x="{_x(0) - 8}" y="{_y(tick) + 4}" text-anchor="end">{tick:g}</text>'
        for tick in _TICKS
    )
    middle = _y(0.5)
    return (
        f'<svg width="{_x(1) + 16:.0f}" height="{_y(0) + _BELOW:.0f}" role="img" aria-label="calibration plot">'
        f'<rect x="{_x(0)}" y="{_y(1)}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="var(--line)"/>'
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="var(--soft)" stroke-dasharray="4"/>'
        f'{ticks}{dots}<text x="{_x(0.5)}" y="{_y(0) + 35}" text-anchor="middle">how sure</text>'
        f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">how often right</text>'
        "</svg>"
    )


def _x(share: float) -> float:
    return _LEFT + share * _SIDE


def _y(share: float) -> float:
    return _TOP + (1 - share) * _SIDE
