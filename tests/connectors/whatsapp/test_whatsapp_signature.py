"""Only bodies that Meta signed are believed."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.whatsapp.webhook.signature import is_genuine, sign

SECRET = "app-secret"
BODY = b'{"object":"whatsapp_business_account"}'


def test_sign_is_hmac_sha256_over_the_raw_bytes() -> None:
    expected = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
    assert sign(BODY, SECRET) == f"sha256={expected}"


@given(st.binary(max_size=300), st.text(min_size=1, max_size=40))
def test_what_was_signed_is_genuine_with_that_secret_and_no_other(body: bytes, secret: str) -> None:
    header = sign(body, secret.encode("utf-8", "replace").decode())
    secret = secret.encode("utf-8", "replace").decode()
    assert is_genuine(body, [header], secret)
    assert not is_genuine(body, [header], secret + "x")


@given(st.binary(min_size=1, max_size=100), st.integers(min_value=0), st.integers(1, 255))
def test_a_changed_byte_breaks_the_signature(body: bytes, position: int, flip: int) -> None:
    header = sign(body, SECRET)
    changed = bytearray(body)
    changed[position % len(body)] ^= flip
    assert not is_genuine(bytes(changed), [header], SECRET)


@given(st.text(max_size=90))
def test_an_arbitrary_header_is_refused_without_raising(header: str) -> None:
    assert not is_genuine(BODY, [header], SECRET)


GOOD = sign(BODY, SECRET)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="missing"),
        pytest.param([""], id="empty"),
        pytest.param([GOOD, GOOD], id="twice"),
        pytest.param([GOOD.removeprefix("sha256=")], id="without its prefix"),
        pytest.param([GOOD.upper()], id="upper case"),
        pytest.param(["sha256=" + GOOD.removeprefix("sha256=").upper()], id="upper-case digits"),
        pytest.param([GOOD[:-1]], id="truncated"),
        pytest.param([GOOD + "\n"], id="trailing line break"),
        pytest.param([" " + GOOD], id="leading blank"),
        pytest.param(["sha1=" + hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest()], id="sha1"),
        pytest.param(["sha256=" + "é" * 64], id="non-ASCII"),
        pytest.param(["sha256=" + "\udce9" * 64], id="undecodable bytes"),
        pytest.param(["sha256=" + "٣" * 64], id="other digits"),
        pytest.param([GOOD + "," + GOOD], id="joined by a proxy"),
    ],
)
def test_a_header_of_any_other_form_is_refused(headers: list[str]) -> None:
    assert not is_genuine(BODY, headers, SECRET)


def test_an_empty_secret_matches_nothing() -> None:
    assert not is_genuine(BODY, [sign(BODY, "")], "")
