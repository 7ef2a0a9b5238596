"""Live streams: what waits for each reader, how it is framed, and the connection it is written to.

:mod:`~bridge.live.fan_out` reads what changed and hands it to all who follow; the other modules do
not know what the items say. :mod:`bridge.api.streaming` puts the parts together.
"""
