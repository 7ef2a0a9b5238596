"""How events are written to a stream: the event stream format of the HTML standard."""

from typing import Final

COMMENT: Final = b":\n\n"
"""What a reader ignores and a proxy does not: it keeps an idle connection from being closed."""


def frame(event: str, data: bytes, id: int | None = None) -> bytes:
    """One event, as bytes.

    Args:
        event: its name, without a line break.
        data: JSON in UTF-8. A line break in it, which JSON allows between values, is kept.
        id: the revision to resume after (S3); None if it is not to be resumed from.
    """
    head = b"" if id is None else b"id: %d\n" % id
    lines = b"\ndata: ".join(data.splitlines())
    return b"%sevent: %s\ndata: %s\n\n" % (head, event.encode(), lines)
