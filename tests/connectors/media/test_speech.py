"""What is said in a voice note, as an OpenAI-compatible service hears it; the twin's answers as OpenAI does."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import web

from connectors.media import audio, speech
from connectors.media.abilities import NotReadable
from connectors.media.speech import SpeechService
from twin.speech import SpeechStandIn
from twin.whatsapp.media import voice_note

NOTE = voice_note("where is my order 10234?", 3)


@dataclass
class Service:
    """The stand-in, and where it is."""

    stand_in: SpeechStandIn
    url: str

    def asked_by(self, model: str = "whisper-1", key: str | None = "sk-1", timeout_s: float = 1.0) -> SpeechService:
        return SpeechService(self.url, key, model, timeout_s)


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    monkeypatch.setattr(speech, "RETRY_S", 0.01)

    async def elsewhere(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/speech/v1/audio/transcriptions")

    app, stand_in = web.Application(), SpeechStandIn()
    stand_in.add_to(app)
    app.router.add_post("/moved/audio/transcriptions", elsewhere)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield Service(stand_in, f"http://127.0.0.1:{runner.addresses[0][1]}/speech/v1")
    await runner.cleanup()


async def heard(service: SpeechService, data: bytes = NOTE) -> str:
    """The words, or why there are none."""
    try:
        return await service.words(data)
    except NotReadable as reason:
        return f"not readable: {reason}"
    finally:
        await service.close()


@pytest.mark.parametrize("model", ["whisper-1", "gpt-4o-mini-transcribe"])
async def test_a_voice_note_is_heard_by_models_of_either_kind(service: Service, model: str) -> None:
    assert await heard(service.asked_by(model)) == "where is my order 10234?"
    (asked,) = service.stand_in.requests
    assert (asked["model"], asked["filename"], asked["bytes"]) == (model, "voice.ogg", len(NOTE))


async def test_a_service_that_refuses_the_longer_answer_is_asked_for_the_short_one(service: Service) -> None:
    asks = service.asked_by("gpt-4o-transcribe")
    asks._format = "verbose_json"
    assert await heard(asks) == "where is my order 10234?"


async def test_a_file_that_the_service_cannot_read_changes_nothing_for_the_next(service: Service) -> None:
    asks = service.asked_by()
    service.stand_in.faults = ["bad_file"] * 2
    with pytest.raises(NotReadable, match="service_refused"):
        await asks.words(NOTE)
    assert await heard(asks) == "where is my order 10234?"
    assert [one["response_format"] for one in service.stand_in.requests] == ["verbose_json", "json", "verbose_json"]


@pytest.mark.parametrize(("faults", "outcome"), [
    (["server_error"], "where is my order 10234?"), (["rate_limited"], "where is my order 10234?"),
    (["server_error"] * 2, "not readable: service_away"), (["refused"], "not readable: service_refused"),
    (["not_json"], "not readable: no_speech"), (["empty"], "not readable: no_speech"),
    (["silence"], "not readable: no_speech"),
])  # fmt: skip
async def test_failures_of_the_service_are_no_words(service: Service, faults: list[str], outcome: str) -> None:
    service.stand_in.faults = faults
    assert await heard(service.asked_by()) == outcome


async def test_a_service_that_hangs_or_is_not_there_is_left(service: Service) -> None:
    service.stand_in.faults = ["hang"]
    assert await heard(service.asked_by(timeout_s=0.1)) == "not readable: too_slow"
    assert await heard(SpeechService("http://127.0.0.1:1", None, "whisper-1")) == "not readable: service_away"


async def test_key_and_voice_do_not_follow_a_redirect(service: Service) -> None:
    moved = SpeechService(service.url.replace("/speech/v1", "/moved"), "sk-1", "whisper-1")
    assert await heard(moved) == "not readable: service_away"
    assert service.stand_in.requests == []


@pytest.mark.parametrize(("data", "outcome"), [
    (b"\x89PNG\r\n\x1a\n", "no_sound_file"), (b"", "no_sound_file"), (voice_note("too much", 181), "too_long"),
])  # fmt: skip
async def test_what_is_no_sound_or_too_long_is_not_sent_to_the_service(
    service: Service, data: bytes, outcome: str
) -> None:
    assert await heard(service.asked_by(), data) == f"not readable: {outcome}"
    assert service.stand_in.requests == []


MP4 = b"\x00\x00\x00\x18ftypM4A \x00\x00mvhd" + struct.pack(">IIIII", 0, 0, 0, 1000, 7500) + bytes(20)


@pytest.mark.parametrize(("data", "extension", "seconds"), [
    (voice_note("x", 7), "ogg", 7.0), (MP4, "m4a", 7.5), (b"ID3\x04", "mp3", None), (b"#!AMR\n", "amr", None),
    (b"RIFF\0\0\0\0WAVEfmt ", "wav", None), (b"OggS", "ogg", None), (MP4[:24], "m4a", None),
])  # fmt: skip
def test_a_sound_file_is_told_by_its_bytes(data: bytes, extension: str, seconds: float | None) -> None:
    kind = audio.kind_of(data)
    assert kind is not None
    assert (kind[0], audio.seconds_of(data)) == (extension, seconds)


def test_neither_key_nor_address_shows() -> None:
    assert repr(SpeechService("https://u:p@x.example", "sk-secret", "whisper-1")) == "SpeechService(whisper-1)"
