"""Signals as a process of ours wants them, whatever started it.

A shell without job control starts background commands (`make test &`, a script, cron) with SIGINT ignored, and
children inherit that: such a process cannot be stopped by Ctrl-C. Every command of ours calls `restore` first.
"""

import signal
from typing import Any

_OURS: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


def restore() -> None:
    """Let SIGINT and SIGTERM through where they were ignored or blocked. SIGHUP stays ignored under nohup."""
    for number, handler in _OURS.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _OURS)
