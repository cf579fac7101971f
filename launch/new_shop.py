"""`python -m launch.new_shop DIR` (`make new-shop DIR=../oak`): begins the folder of a shop."""

import sys
from pathlib import Path

import signals
from launch.console import LaunchError, done, fail, say

TEMPLATE = Path(__file__).parent / "shop_template"
"""What the folder begins as. In its README {name} and {folder} stand for the folder."""


def write(folder: Path) -> list[Path]:
    """Write the files of a new shop, parents as well. Raises LaunchError for a folder that is not empty."""
    if folder.exists() and not folder.is_dir():
        raise LaunchError(f"{folder} is a file. Remedy: name a new folder, such as DIR=../oak.")
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise LaunchError(f"{folder} is not empty. Remedy: name a new or an empty folder, such as DIR=../oak.")
        written = []
        for source in sorted(path for path in TEMPLATE.rglob("*") if path.is_file()):
            path = folder / source.relative_to(TEMPLATE)
            text = source.read_text(encoding="utf-8").replace("{name}", folder.name).replace("{folder}", str(folder))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
        return written
    except OSError as error:
        raise LaunchError(
            f"{folder} cannot be written: {error.strerror}. Remedy: a folder that you may write to."
        ) from None


def main(arguments: list[str] | None = None) -> int:
    """The command. Exit status 1 where nothing was begun."""
    signals.restore()
    given = [one for one in (sys.argv[1:] if arguments is None else arguments) if one.strip()]
    if len(given) != 1 or given[0].startswith("-"):
        fail("Which folder? Remedy: make new-shop DIR=../oak (without blanks).")
        return 1
    folder = Path(given[0]).expanduser().resolve()
    try:
        written = write(folder)
    except LaunchError as error:
        fail(str(error))
        return 1
    done(f"Began a shop in {folder}: {', '.join(str(path.relative_to(folder)) for path in written)}")
    say(f"Edit them, then: SHOP_DIR={folder} make check")
    return 0


if __name__ == "__main__":
    sys.exit(main())
