"""The benchmark's picture."""

from pathlib import Path
from typing import Any


def draw(results: dict[str, Any], path: Path) -> None:
    """Turns per second as bars, milliseconds over the conversation's length as lines."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (rates, lengths) = pyplot.subplots(1, 2, figsize=(10, 4))
    names = [name.removeprefix("turns/s, ") for name in results if name.startswith("turns/s, ")]
    for offset, side in enumerate(("stock", "ours")):
        values = [results[f"turns/s, {name}"][side] for name in names]
        bars = rates.bar([n + offset * 0.4 for n in range(len(names))], values, 0.38, label=side)
        rates.bar_label(bars, fmt="%.0f")
        measured = results["ms per turn"][side]
        lengths.plot(list(measured), list(measured.values()), marker="o", label=side)
    rates.set_xticks([n + 0.2 for n in range(len(names))], names)
    rates.set_ylabel("turns per second")
    lengths.set_xscale("log")
    lengths.set_yscale("log")
    lengths.set_xlabel("turn of the conversation")
    lengths.set_ylabel("ms per turn")
    lengths.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
