"""Stock Rasa, to compare with: what the replacements stand in the place of, read before any is installed."""

from __future__ import annotations

import copy
import sys

from connectors.rasa_patches import speedups

ORIGINALS = [(owner, name, vars(owner).get(name)) for owner, name, _ in speedups.REPLACED]
SWITCH_INTERVAL_S = sys.getswitchinterval()


def back_to_stock() -> None:
    """Undo `speedups.install`."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    for owner, name, original in ORIGINALS:
        if original is not None:
            setattr(owner, name, original)
        elif name in vars(owner):  # inherited, in stock Rasa
            delattr(owner, name)
    for module in speedups.COPIES_FOR_DEBUG_ONLY:
        module.copy = copy
