"""What operators are told when the database or the archive fails: what it is, and what to do about it.

The drivers' own messages are kept back. They quote rows, addresses with passwords, and C++ source files.
"""

import re
from collections.abc import Iterable

from redis.exceptions import RedisError
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

Remedies = Iterable[tuple[str, str]]

_OF_DATABASES: Remedies = (
    (r"no space left|is full|could not extend|out of disk", "its disk is full. Free some space; what waits in Redis "
     "is written then"),
    (r"password|access denied|authentication|role .* does not exist", "it refuses the user or the password in "
     "CONVERSATION_DATABASE_URL"),
    (r"translate host name|name or service|server host|getaddrinfo", "its host is not known. Correct "
     "CONVERSATION_DATABASE_URL"),
    (r"database \".*\" does not exist|unknown database", "the server has no such database. Create it, or correct "
     "CONVERSATION_DATABASE_URL"),
    (r"refused|could not connect|can't connect|time.?out|timed out|closed|starting up|shutting down|terminat|gone away|"
     r"lost connection|unreachable", "it does not answer. Start it, or correct host and port in "
     "CONVERSATION_DATABASE_URL"),
    (r"not a database|malformed", "the file is not a SQLite database, or is damaged. Put a backup in its place, or "
     "name another file in CONVERSATION_DATABASE_URL"),
    (r"unable to open|errno", "the file cannot be opened. Whoever runs this needs to read and write it and its folder"),
    (r"read.?only", "it may only be read. Whoever runs this needs to write it and its folder"),
    (r"disk i/o error", "its disk is full or failing. Free some space, then look at the disk"),
    (r"locked", "another program holds it. Close that program, or try again in a minute"),
    (r"permission denied|denied to user", "its user may not do that. Grant it all rights on the log's tables"),
    (r"no such table|does not exist|doesn't exist", "it lacks tables. Run `python -m conversation_log migrate`"),
)  # fmt: skip
_OF_ARCHIVES: Remedies = (
    (r"no space left|errno 28|quota", "its disk is full. Free some space; nothing is deleted from the database "
     "before it is safely archived"),
    (r"no.?such.?bucket|bucket.* not (?:found|exist)|status: 404", "there is no such bucket. Create it, or correct "
     "ARCHIVE_URL"),
    (r"access.?denied|forbidden|status 40[13]|status: 40[13]|invalid.?access|signature|credential|unauthenticated|"
     r"permission.?denied for|unauthorized|token", "it refuses the credentials. {credentials}"),
    (r"network.?connection|resolve host|could.?n.t connect|could not connect|curl|time.?out|timed out|unavailable|"
     r"retry", "it does not answer. Check the network, and AWS_REGION, AWS_ENDPOINT_URL or those in ARCHIVE_URL"),
    (r"permission denied|errno 13|read-only|errno 30", "it may not be written. Whoever runs this needs to write "
     "there"),
    (r"errno 20|errno 21|not a directory", "the path is not a folder. Correct ARCHIVE_URL"),
    (r"errno 2\b|no such file|does not exist|not found", "a file disappeared while it was read (the archive or an "
     "erasure is at work). Run this again"),
    (r"parquet|magic bytes|corrupt|thrift|decompress|zstd|deserializ", "a file in it is damaged. Put it back from a "
     "backup: its manifest in manifests/ holds its hash"),
)  # fmt: skip
_CREDENTIALS = {
    "s3": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role, that may list, read, write "
    "and delete there",
    "gs": "Name the key file of a service account with Storage Object Admin on the bucket in "
    "GOOGLE_APPLICATION_CREDENTIALS",
    "file": "Whoever runs this needs to read and write there",
}


def explained(error: Exception, url: str) -> str:
    """What keeps a command from its work and what to do, without what drivers say of rows and passwords."""
    if isinstance(error, SQLAlchemyError):
        return of_database(error, url)
    if isinstance(error, RedisError):
        return "Redis stopped answering. Start it again (or correct REDIS_URL) and run this once more."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'The output'} cannot be written: {error.strerror}."
    return str(error) or type(error).__name__


def of_database(error: BaseException, url: str | URL) -> str:
    """A sentence on what is wrong with the conversation database and what to do."""
    cause = getattr(error, "orig", None) or error
    found = _first(_OF_DATABASES, str(cause)) or f"it failed ({type(cause).__name__}). Its own log says more"
    return f"The conversation database ({_place(url)}) cannot be used: {found}."


def of_archive(error: BaseException, scheme: str) -> str:
    """A sentence on what is wrong with the archive and what to do. `scheme` is ARCHIVE_URL's: file, s3, gs."""
    found = _first(_OF_ARCHIVES, str(error)) or f"it failed ({type(error).__name__})"
    return f"The archive (ARCHIVE_URL, {scheme}://) cannot be used: {found.format(credentials=_CREDENTIALS[scheme])}."


def _first(remedies: Remedies, said: str) -> str | None:
    return next((remedy for pattern, remedy in remedies if re.search(pattern, said, re.IGNORECASE)), None)


def _place(url: str | URL) -> str:
    """Where a database is, without user, password and options."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return "CONVERSATION_DATABASE_URL"
    if parsed.get_backend_name() == "sqlite":
        return str(parsed.database or "in memory")
    port = f":{parsed.port}" if parsed.port else ""
    return f"{parsed.get_backend_name()} {parsed.database or ''} at {parsed.host or 'this machine'}{port}"
