"""Which files of a folder are pages, and what is written in them, in whatever encoding a help centre exported it."""

import codecs
import os
import re
from pathlib import Path

MARKDOWN, TEXT, HTML = "markdown", "text", "html"
KINDS = {".md": MARKDOWN, ".markdown": MARKDOWN, ".txt": TEXT, ".html": HTML, ".htm": HTML}
MAX_PAGE_MB = 1  # of text
MAX_FILE_MB = 10  # of a saved page with its scripts and pictures
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(rb"<meta\b[^>]*?\bcharset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml[^>]*?encoding=[\"']([\w.:-]+)", re.I)
_MAX_DECLARED_BYTES = 4096
_AS_BROWSERS_DO = {"iso8859-1": "cp1252", "ascii": "cp1252"}


class KnowledgeError(Exception):
    """The pages cannot be used. The message names the file and the remedy."""


class NotReadableError(Exception):
    """A page cannot be read; the message says why, and the remedy."""


def page_paths(folder: Path) -> list[Path]:
    """The pages of a folder and of those below it, in order; none where there is no folder. Raises KnowledgeError.

    What begins with a dot is left out, and the pictures and frames that browsers save beside a page.
    """
    paths: list[Path] = []
    for below, folders, names in os.walk(folder, onerror=_refused):
        folders[:] = [name for name in folders if not (name.startswith((".", "__")) or name.endswith("_files"))]
        paths += [Path(below, name) for name in names if is_page(Path(name))]
    return sorted(paths)


def is_page(path: Path) -> bool:
    """Whether a file is one of the pages, by its name."""
    return path.suffix.lower() in KINDS and not path.name.startswith((".", "~"))


def name_of(path: Path, folder: Path) -> str:
    """The page's name: its file's below the folder, without the ending."""
    return path.relative_to(folder).with_suffix("").as_posix()


def kind_of(path: Path) -> str:
    """MARKDOWN, TEXT or HTML, by the file's ending."""
    return KINDS[path.suffix.lower()]


def read_text(path: Path) -> str:
    """What is written in a file, lines ended by line feeds. Raises KnowledgeError."""
    try:
        megabytes = path.stat().st_size / 1_000_000
        if megabytes > MAX_FILE_MB:
            raise KnowledgeError(f"{path.name}: has {megabytes:.1f} MB, at most {MAX_FILE_MB}. Split it.")
        written = path.read_bytes()
    except OSError as error:
        raise KnowledgeError(f"{path.name}: cannot be read ({error.strerror}). Correct its permissions.") from None
    text = _decoded(path, written)
    if "\0" in text:
        raise KnowledgeError(f"{path.name}: is no text. Save its words as Markdown, plain text or HTML.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(path: Path, written: bytes) -> str:
    """UTF-8, else what the file itself says: a byte order mark, or the charset of a saved page."""
    for mark, encoding in _BOMS:
        if written.startswith(mark):
            return written[len(mark) :].decode(encoding, "replace")
    try:
        return written.decode("utf-8")
    except UnicodeDecodeError:
        said = _DECLARED.search(written[:_MAX_DECLARED_BYTES]) if kind_of(path) == HTML else None
    try:
        if said:
            name = codecs.lookup((said[1] or said[2]).decode("ascii")).name
            return written.decode(_AS_BROWSERS_DO.get(name, name))
    except (LookupError, UnicodeError):
        pass
    raise KnowledgeError(f"{path.name}: is not UTF-8 text. Save it as UTF-8.")


def _refused(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        name = Path(str(error.filename)).name
        raise KnowledgeError(f"{name}: cannot be read ({error.strerror}). Correct its permissions.") from None
