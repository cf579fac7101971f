"""Notifications read."""

from __future__ import annotations

from typing import Any

from connectors.whatsapp.webhook.payloads import Notification, parse_notification
from tests.connectors.whatsapp.whatsapp_bodies import OUR_NUMBER, as_bytes


def parse(body: Any) -> Notification:
    return parse_notification(as_bytes(body), OUR_NUMBER)
