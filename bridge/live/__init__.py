"""Live streams: what waits for each reader, how it is framed, and the connection it is written to.

Nothing here knows what the items say. :mod:`bridge.api.streaming` puts the parts together.
"""
