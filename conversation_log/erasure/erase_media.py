"""Erasing the copies of a customer's files, which the takeovers' part keeps at `MEDIA_URL`: a folder a customer."""

from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

import buckets
from conversation_log.model.identities import Identities
from conversation_log.storage.database import LogUnavailable
from privacy.pseudonyms import folder_of


def erase(media_url: str | None, known: Identities) -> dict[str, int]:
    """Delete the customer's files. Returns what → how many. Raises LogUnavailable."""
    if not media_url:
        return {}
    removed = 0
    try:
        filesystem, root = buckets.file_system(media_url)
        for name in known.names | known.customers:
            folder = f"{root.rstrip('/')}/{folder_of(name)}"
            found = filesystem.get_file_info(fs.FileSelector(folder, recursive=True, allow_not_found=True))
            files = [info.path for info in found if info.type == fs.FileType.File]
            if found:
                filesystem.delete_dir(folder)
            removed += len(files)
    except (pa.ArrowInvalid, OSError) as error:
        # Arrow's message may repeat the URI, and s3:// ones may hold a key.
        raise LogUnavailable(
            f"The customer's files (MEDIA_URL, {urlsplit(media_url).scheme}://) could not be deleted "
            f"({type(error).__name__}). Remedy: correct MEDIA_URL or its credentials, and run this again."
        ) from None
    return {"files": removed}
