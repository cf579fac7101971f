"""A speech service behind OpenAI's transcription API: `POST {SPEECH_URL}/audio/transcriptions`.

Whisper's models write something for silence and noise too ("Thank you."). Where a service tells how sure it is
(`verbose_json`), what it calls no speech itself is not heard; OpenAI's newer models only know `json`.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import aiohttp

from connectors.media import audio
from connectors.media.abilities import NotReadable
from lenient_json import as_mapping, number, objects, parsed, text

log = logging.getLogger(__name__)

MAX_SECONDS = 180.0
MAX_CHARS = 3000
MAX_ANSWER_BYTES = 1024 * 1024
TIMEOUT_S, CONNECT_TIMEOUT_S = 18.0, 3.0
ATTEMPTS, RETRY_S = 2, 0.5
# Whisper's own rule for what it takes for silence.
_NO_SPEECH, _UNSURE = 0.6, -1.0


class SpeechService:
    """Hears voice notes. Made and used in one event loop."""

    max_bytes = 4 * 1024 * 1024  # of a format that does not say how long it is: three minutes and more
    at_once = 8

    def __init__(self, url: str, key: str | None, model: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url, self._key, self._model = f"{url.rstrip('/')}/audio/transcriptions", key, model
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_TIMEOUT_S)
        self._format = "verbose_json" if "whisper" in model.lower() else "json"
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"SpeechService({self._model})"

    async def words(self, data: bytes) -> str:
        """What is said. Raises NotReadable."""
        kind, seconds = audio.kind_of(data), audio.seconds_of(data)
        if kind is None:
            raise NotReadable("no_sound_file")
        if seconds is not None and seconds > MAX_SECONDS:
            raise NotReadable("too_long")
        for attempt in range(1, ATTEMPTS + 1):
            status, answer = await self._ask(data, *kind, self._format)
            if status == 400 and self._format != "json":
                status, answer = await self._ask(data, *kind, "json")
                self._format = "json" if status == 200 else self._format  # else it was the file
            if status == 200:
                return _heard(answer)
            log.warning("speech.refused status=%d", status)
            if attempt == ATTEMPTS or (400 <= status < 500 and status not in (408, 409, 429)):
                break
            await asyncio.sleep(RETRY_S)
        raise NotReadable("service_refused" if 400 <= status < 500 else "service_away")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _ask(self, data: bytes, extension: str, mime_type: str, shape: str) -> tuple[int, Mapping[str, Any]]:
        """HTTP status (0: no connection) and the JSON object of the answer."""
        form = aiohttp.FormData()
        form.add_field("file", data, filename=f"voice.{extension}", content_type=mime_type)
        form.add_field("model", self._model)
        form.add_field("response_format", shape)
        try:
            # Redirects are not followed: nobody else gets our key and our customers' voices.
            async with self._ready().post(self._url, data=form, allow_redirects=False) as answer:
                raw = bytearray()
                async for chunk in answer.content.iter_chunked(64 * 1024):
                    raw += chunk
                    if len(raw) > MAX_ANSWER_BYTES:
                        return answer.status, {}
                return answer.status, as_mapping(parsed(bytes(raw)))
        except asyncio.TimeoutError:
            raise NotReadable("too_slow") from None
        except (aiohttp.ClientError, OSError) as error:
            log.warning("speech.failed error=%s", type(error).__name__)
            return 0, {}

    def _ready(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
            self._session = aiohttp.ClientSession(timeout=self._timeout, headers=headers)
        return self._session


def _heard(answer: Mapping[str, Any]) -> str:
    segments = objects(answer.get("segments"))
    if segments and all(_is_silence(segment) for segment in segments):
        raise NotReadable("no_speech")
    words = " ".join(text(answer.get("text")).split())[:MAX_CHARS]
    if not any(character.isalnum() for character in words):
        raise NotReadable("no_speech")
    return words


def _is_silence(segment: Mapping[str, Any]) -> bool:
    none, sure = number(segment.get("no_speech_prob")), number(segment.get("avg_logprob"))
    return none is not None and sure is not None and none > _NO_SPEECH and sure < _UNSURE
