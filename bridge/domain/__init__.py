"""What the presence rules mean, and nothing else.

Pure: every function takes the time it needs as a parameter (``now`` or ``at``, aware UTC); no
clock, no socket, no database, and nothing imported but the standard library. Read
:mod:`~bridge.domain.events` first, then :mod:`~bridge.domain.page` (one tab),
:mod:`~bridge.domain.presence` (one conversation) and :mod:`~bridge.domain.notes` (the words that
an agent reads); then :mod:`~bridge.domain.takeover`, :mod:`~bridge.domain.demand` and
:mod:`~bridge.domain.messages`.
"""
