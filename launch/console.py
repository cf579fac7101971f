"""What the launcher says on the terminal: steps, children's lines, and failures with their remedy."""

import sys
import threading

_lock = threading.Lock()


class LaunchError(RuntimeError):
    """The product cannot start; the message names the remedy."""


def say(text: str) -> None:
    """A step of the launcher."""
    _print(f"▸ {text}")


def done(text: str) -> None:
    """A step that succeeded."""
    _print(f"✓ {text}")


def fail(text: str) -> None:
    """A failure with its remedy, on standard error."""
    with _lock:
        print(f"✗ {text}", file=sys.stderr, flush=True)


def child_line(name: str, line: str) -> None:
    """A line that a child process printed; JSON as it is, for whoever collects it."""
    _print(line if line.startswith("{") else f"  {name:<8}│ {line}")


def _print(text: str) -> None:
    # Children's lines arrive from threads; a closed pipe (`make run | head`) is not worth a traceback.
    with _lock:
        try:
            print(text, flush=True)
        except BrokenPipeError:
            sys.stdout = sys.stderr
