"""What a bridge tells the store, and what the store then knows."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from tests.servers.wordpress import WordPress, php_text
from tests.wordpress.recording_bridge import signed_headers
from tests.wordpress.test_session_route import route


def in_seconds(seconds: float) -> str:
    """A time from now, as the wire writes it."""
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_id(prefix: str) -> str:
    return prefix + secrets.token_hex(8)


def started(conversation: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "takeover.started",
        "conversation": conversation,
        "agent": {"id": "1", "name": "Sam", "avatar_url": None},
        "expires_at": in_seconds(1800),
        "at": in_seconds(0),
        **fields,
    }


def released(conversation: str, note: str | None = None) -> dict[str, Any]:
    call = started(conversation, type="takeover.released", handoff_note=note, expires_at=None)
    return call | {"agent": None}


def message(conversation: str, text: str, message_id: str = "m_1") -> dict[str, Any]:
    said = {"id": message_id, "text": text, "at": in_seconds(0)}
    return started(conversation, type="message.created", message=said, expires_at=None)


def call(
    wordpress: WordPress,
    said: dict[str, Any] | bytes,
    headers: dict[str, str] | None = None,
    call_id: str | None = None,
) -> requests.Response:
    """Make one call as the bridge does; ``headers`` take the place of what would be signed."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    signed = signed_headers(body, call_id or new_id("b_"))
    return requests.post(
        route(wordpress, "bridge"),
        data=body,
        headers=signed if headers is None else headers,
        timeout=30,
    )


def is_taken_over(wordpress: WordPress, conversation: str) -> bool:
    hook = "chat_presence_bridge_is_taken_over"
    known: bool = json.loads(
        wordpress.php(
            f"echo wp_json_encode( apply_filters( '{hook}', false, {php_text(conversation)} ) );"
        )
    )
    return known
