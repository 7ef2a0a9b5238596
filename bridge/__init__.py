"""The bridge: chat events in, presence out.

To follow one heartbeat, read in this order:

1. ``api/visitor.py``: where the request arrives and is checked;
2. ``services/ingest.py``: what is done with an event;
3. ``domain/``: what it means, as pure functions of events and ``now``;
4. ``ports/``, then ``liveness/`` and ``records/``: where the result is kept;
5. ``bootstrap.py``: which engines are behind the ports, chosen from ``settings.py``.
"""

__version__ = "0.1.0"
