"""Bar charts as inline SVG: no script, readable in light and dark, a tooltip on every bar."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 1040
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 10, 26


@dataclass(frozen=True)
class Series:
    """One colour of a stacked chart; `style` is the CSS class of its bars."""

    name: str
    style: str
    values: Sequence[float]


def columns(labels: Sequence[str], series: Sequence[Series], height: int = 230) -> str:
    """Upright stacked bars over labelled places, with a scale."""
    highest = _nice(max((sum(values) for values in zip(*(s.values for s in series), strict=True)), default=0))
    plot_width, plot_height = WIDTH - _LEFT - _RIGHT, height - _TOP - _BOTTOM
    step = plot_width / max(len(labels), 1)
    bar = max(1.0, min(step * 0.78, 46.0))
    parts = [_scale(highest, plot_height)]
    every = math.ceil(len(labels) / max(1, plot_width // 76))
    for place, label in enumerate(labels):
        middle = _LEFT + step * (place + 0.5)
        base = float(_TOP + plot_height)
        for one in series:
            tall = plot_height * one.values[place] / highest
            if tall > 0:
                base -= tall
                tip = f"{label}: {one.values[place]:g} {one.name}"
                parts.append(_bar(middle - bar / 2, base, bar, tall, one.style, tip))
        if place % every == 0:
            parts.append(f'<text x="{middle:.1f}" y="{height - 8}" text-anchor="middle">{escape(label)}</text>')
    return _svg(height, parts)


def rows(labels: Sequence[str], series: Sequence[Series], notes: Sequence[str]) -> str:
    """Lying stacked bars, one a label, each with a note at its end."""
    highest = max((sum(values) for values in zip(*(s.values for s in series), strict=True)), default=0) or 1
    line, text_width, note_width = 26, 210, 170
    plot_width = WIDTH - text_width - note_width
    parts = []
    for place, label in enumerate(labels):
        top = place * line + 4
        start = float(text_width)
        at = f'x="{text_width - 10}" y="{top + 13}"'
        parts.append(f'<text class="label" {at} text-anchor="end">{escape(label)}</text>')
        for one in series:
            wide = plot_width * one.values[place] / highest
            if wide > 0:
                parts.append(_bar(start, top, wide, line - 9, one.style, f"{label}: {one.values[place]:g} {one.name}"))
                start += wide
        parts.append(f'<text x="{start + 8:.1f}" y="{top + 13}">{escape(notes[place])}</text>')
    return _svg(len(labels) * line + 6, parts)


def legend(series: Sequence[Series]) -> str:
    """The colours' names."""
    keys = "".join(f'<span><i class="{one.style}"></i>{escape(one.name)}</span>' for one in series)
    return f'<p class="legend">{keys}</p>'


def _svg(height: int, parts: list[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{"".join(parts)}</svg>'


def _bar(x: float, y: float, width: float, height: float, style: str, tip: str) -> str:
    shape = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="1.5"'
    return f'<rect class="{style}" {shape}><title>{escape(tip)}</title></rect>'


def _scale(highest: float, plot_height: int) -> str:
    parts = []
    for step in range(5):
        value = highest * step / 4
        y = _TOP + plot_height * (1 - step / 4)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    return "".join(parts)


def _nice(value: float) -> float:
    """The next number that four equal steps divide into round ones."""
    if value <= 4:
        return 4
    unit = 10 ** math.floor(math.log10(value))
    return next(step * unit for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if step * unit >= value)
