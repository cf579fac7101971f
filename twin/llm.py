"""A simulated Anthropic Messages API and OpenAI's chat completions.

It understands nothing. It answers with the first sentences of the first section that it is given, cited as the real
APIs cite, refuses what they refuse, and fails on request: `PUT /llm/fault {"fault": name, "times": n}` makes the next
n answers fail in that way (`times` absent: all, `fault` null: none any more). `GET /llm/requests` shows what was asked.
Asked to read a conversation (a JSON schema of `commands`), it says those of `PUT /llm/commands {"commands": [...]}`,
each a name or an object, or else that it cannot tell.

`python -m twin.llm --port 8090` serves it alone; any key is accepted, as `Authorization: Bearer` or `x-api-key`.
"""

import argparse
import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

FAULTS = (
    "rate_limited", "overloaded", "server_error", "hang", "slow", "malformed", "not_json", "empty", "refusal",
    "max_tokens", "wrong_citation", "hallucinated_number", "hallucinated_claim", "no_citation", "not_covered", "huge",
)  # fmt: skip
HANG_S = 60.0
SLOW_S = 4.0
MAX_KEPT = 1000
SENTENCES = 2
_REMOVED = ("temperature", "top_p", "top_k")
_SECTION = re.compile(r'<section number="(\d+)"[^>]*>\n(.*?)\n</section>', re.S)
Refusing = Callable[[int, str], web.Response]
Answering = Callable[[dict[str, Any], "str | None", "list[Any] | None"], dict[str, Any]]
_STATUS = {"rate_limited": 429, "overloaded": 529, "server_error": 500}


@dataclass
class LlmStandIn:
    """Both APIs with one set of faults. `requests` keeps the bodies that came, newest last."""

    fault: str | None = None
    times: int | None = None
    commands: list[Any] | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)

    def add_to(self, app: web.Application) -> None:
        """Routes as the SDKs call them (`base_url` of OpenAI ends in /v1), and the switchboard."""
        app.router.add_post("/v1/messages", self.messages)
        app.router.add_post("/v1/chat/completions", self.completions)
        app.router.add_get("/llm/fault", self.show_fault)
        app.router.add_put("/llm/fault", self.set_fault)
        app.router.add_put("/llm/commands", self.set_commands)
        app.router.add_get("/llm/requests", self.show_requests)

    async def set_fault(self, request: web.Request) -> web.Response:
        """Choose how the next answers fail."""
        body = await request.json()
        if body.get("fault") not in (None, *FAULTS):
            return web.json_response({"error": f"fault must be null or one of {', '.join(FAULTS)}"}, status=400)
        self.fault, self.times = body.get("fault"), body.get("times")
        return web.json_response({"fault": self.fault, "times": self.times})

    async def show_fault(self, request: web.Request) -> web.Response:
        return web.json_response({"fault": self.fault, "times": self.times})

    async def set_commands(self, request: web.Request) -> web.Response:
        """What to say that a message means."""
        self.commands = (await request.json()).get("commands")
        return web.json_response({"commands": self.commands})

    async def show_requests(self, request: web.Request) -> web.Response:
        """The bodies that came, oldest first."""
        return web.json_response(self.requests)

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """Anthropic's Messages API."""
        return await self._answered(request, ("model", "max_tokens", "messages"), _anthropic_error, _anthropic_answer)

    async def completions(self, request: web.Request) -> web.StreamResponse:
        """OpenAI's chat completions."""
        return await self._answered(request, ("model", "messages"), _openai_error, _openai_answer)

    async def _answered(
        self, request: web.Request, required: tuple[str, ...], refused: Refusing, answer: Answering
    ) -> web.StreamResponse:
        body = await request.json()
        self._keep(body)
        if not _key(request):
            return refused(401, "no key")
        problem = _unacceptable(body, required)
        if problem:
            return refused(400, problem)
        fault = await self._next_fault()
        if fault in _STATUS:
            return refused(_STATUS[fault], fault)
        if fault in ("hang", "not_json", "malformed"):
            return await _broken(fault)
        return web.json_response(answer(body, fault, self.commands))

    def _keep(self, body: dict[str, Any]) -> None:
        self.requests.append(body)
        del self.requests[:-MAX_KEPT]

    async def _next_fault(self) -> str | None:
        fault = self.fault
        if fault and self.times is not None:
            self.times -= 1
            if self.times <= 0:
                self.fault, self.times = None, None
        if fault == "slow":
            await asyncio.sleep(SLOW_S)
        return fault


def make_llm_app(stand_in: LlmStandIn | None = None) -> web.Application:
    """The simulator as a server of its own."""
    app = web.Application()
    (stand_in or LlmStandIn()).add_to(app)
    return app


def _key(request: web.Request) -> bool:
    bearer = request.headers.get("Authorization", "")
    return bool(request.headers.get("x-api-key")) or bearer.startswith("Bearer ")


def _unacceptable(body: dict[str, Any], required: tuple[str, ...]) -> str | None:
    for name in required:
        if name not in body:
            return f"{name}: Field required"
    for name in _REMOVED:
        if name in body:
            return f"{name}: not supported by this model"
    return None


async def _broken(fault: str) -> web.StreamResponse:
    if fault == "hang":
        await asyncio.sleep(HANG_S)
    if fault == "malformed":
        return web.json_response({"id": "msg_0", "content": [{"type": "text"}], "choices": [{"message": None}]})
    return web.Response(text="<html>upstream went away</html>", content_type="application/json")


def _anthropic_error(status: int, message: str) -> web.Response:
    kinds = {401: "authentication_error", 400: "invalid_request_error", 529: "overloaded_error"}
    kind = kinds.get(status, "api_error")
    return web.json_response({"type": "error", "error": {"type": kind, "message": message}}, status=status)


def _openai_error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "api_error", "code": None}}, status=status)


def _reading(body: dict[str, Any], fault: str | None, commands: list[Any] | None) -> str | None:
    """The answer to a request to read a conversation, None for any other request."""
    anthropic = (body.get("output_config") or {}).get("format") or {}
    openai = (body.get("response_format") or {}).get("json_schema") or {}
    schema = anthropic.get("schema") or openai.get("schema") or {}
    if "commands" not in schema.get("properties", {}):
        return None
    if fault == "hallucinated_claim":
        commands = ["transfer_money"]
    if fault == "huge":
        commands = ["greet"] * 10_000
    said = [{"name": one} if isinstance(one, str) else one for one in commands or ["cannot_tell"]]
    return json.dumps({"commands": [{"order": "", "question": "", **one} for one in said]})


def _anthropic_answer(body: dict[str, Any], fault: str | None, commands: list[Any] | None) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    found = _search_results(body)
    reading = _reading(body, fault, commands)
    if reading is not None:
        content = [] if fault in ("empty", "refusal") else [{"type": "text", "text": reading, "citations": None}]
    elif found and fault not in ("empty", "refusal", "not_covered"):
        content = [_cited_block(found[0], place, fault) for place in range(min(SENTENCES, len(found[0]["content"])))]
    elif fault not in ("empty", "refusal"):
        content = [{"type": "text", "text": "NOT_COVERED", "citations": None}]
    return {
        "id": "msg_standin",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": {"refusal": "refusal", "max_tokens": "max_tokens"}.get(fault or "", "end_turn"),
        "stop_sequence": None,
        "usage": {"input_tokens": len(json.dumps(body)) // 4, "output_tokens": 40},
    }


def _search_results(body: dict[str, Any]) -> list[dict[str, Any]]:
    content = body["messages"][-1]["content"]
    return [block for block in content if isinstance(block, dict) and block.get("type") == "search_result"]


def _cited_block(found: dict[str, Any], place: int, fault: str | None) -> dict[str, Any]:
    sentence = found["content"][place]["text"]
    citation = {
        "type": "search_result_location",
        "cited_text": sentence,
        "source": found["source"],
        "title": found["title"],
        "search_result_index": 7 if fault == "wrong_citation" else 0,
        "start_block_index": place,
        "end_block_index": place + 1,
    }
    text = _distorted(sentence, fault) + " "
    return {"type": "text", "text": text, "citations": None if fault == "no_citation" else [citation]}


def _distorted(sentence: str, fault: str | None) -> str:
    if fault == "hallucinated_number":
        return sentence + " You have 365 days for this."
    if fault == "hallucinated_claim":
        return sentence + " Our founder personally guarantees a bonus voucher."
    if fault == "huge":
        return " ".join([sentence] * 20_000)
    return sentence


def _openai_answer(body: dict[str, Any], fault: str | None, commands: list[Any] | None) -> dict[str, Any]:
    reply, refusal, finish = _reading(body, fault, commands) or _openai_reply(body, fault), None, "stop"
    if fault == "refusal":
        reply, refusal = None, "I can't help with that."
    elif fault == "max_tokens":
        reply, finish = '{"covered": true, "answer": "You ha', "length"
    elif fault == "empty":
        reply = ""
    message = {"role": "assistant", "content": reply, "refusal": refusal}
    return {
        "id": "chatcmpl-standin",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": {"prompt_tokens": len(json.dumps(body)) // 4, "completion_tokens": 40, "total_tokens": 0},
    }


def _openai_reply(body: dict[str, Any], fault: str | None) -> str | None:
    sections = _SECTION.findall(_user_text(body))
    if not sections or fault == "not_covered":
        return json.dumps({"covered": False, "answer": "", "quotes": []})
    sentences = re.split(r"(?<=[.!?])\s+", sections[0][1])[:SENTENCES]
    quotes = [{"section": 1, "quote": sentence} for sentence in sentences]
    if fault == "wrong_citation":
        quotes = [{"section": 1, "quote": "words that stand on no page of the shop"}]
    if fault == "no_citation":
        quotes = []
    answer = " ".join(_distorted(sentence, fault) for sentence in sentences)
    return json.dumps({"covered": True, "answer": answer, "quotes": quotes})


def _user_text(body: dict[str, Any]) -> str:
    content = body["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content if isinstance(part, dict))


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m twin.llm", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--host", default="127.0.0.1")
    options = parser.parse_args()
    web.run_app(make_llm_app(), host=options.host, port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
