"""A stand-in for an OpenAI-compatible speech service, which hears what the twin's own voice notes say.

`POST /speech/v1/audio/transcriptions` as the assistant asks; any key is accepted. `PUT /speech/faults
{"faults": [...]}` makes the next answers fail, one each: server_error, rate_limited, refused, bad_file,
not_json, empty, silence, hang. `GET /speech/requests` shows what was asked.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from twin.whatsapp.media import words_of

MOUNT = "/speech/v1"
FAULTS = ("server_error", "rate_limited", "refused", "bad_file", "not_json", "empty", "silence", "hang")
HANG_S = 60.0
_STATUS = {"server_error": 500, "rate_limited": 429, "refused": 401, "bad_file": 400}


@dataclass
class SpeechStandIn:
    """The service. `requests` keeps what came, newest last, without the sound."""

    faults: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(f"{MOUNT}/audio/transcriptions", self.transcribe)
        app.router.add_put("/speech/faults", self.set_faults)
        app.router.add_get("/speech/requests", self.show_requests)

    async def set_faults(self, request: web.Request) -> web.Response:
        faults = list((await request.json()).get("faults") or [])
        if not set(faults) <= set(FAULTS):
            return web.json_response({"error": f"faults are of {', '.join(FAULTS)}"}, status=400)
        self.faults = faults
        return web.json_response({"faults": faults})

    async def show_requests(self, request: web.Request) -> web.Response:
        return web.json_response(self.requests)

    async def transcribe(self, request: web.Request) -> web.StreamResponse:
        """As OpenAI answers: `verbose_json` is for the Whisper models alone."""
        form = await request.post()
        file, shape = form.get("file"), str(form.get("response_format") or "json")
        if not isinstance(file, web.FileField) or not form.get("model"):
            return _error(400, "file and model are required")
        data = file.file.read()
        asked = {"model": form["model"], "response_format": shape, "filename": file.filename, "bytes": len(data)}
        self.requests.append(asked)
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            return _error(401, "no key")
        if shape == "verbose_json" and "whisper" not in str(form["model"]):
            return _error(400, "response_format 'verbose_json' is not compatible with this model")
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "hang":
            await asyncio.sleep(HANG_S)
        if fault in _STATUS:
            return _error(_STATUS[fault], fault)
        if fault == "not_json":
            return web.Response(text="<html>", content_type="text/html")
        words = "Thank you." if fault == "silence" else "" if fault == "empty" else words_of(data)
        answer: dict[str, Any] = {"text": words}
        if shape == "verbose_json":
            none, sure = (0.9, -1.4) if fault == "silence" else (0.01, -0.2)
            answer["segments"] = [{"text": words, "no_speech_prob": none, "avg_logprob": sure}] if words else []
        return web.json_response(answer)


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "invalid_request_error"}}, status=status)
