"""What gunicorn serves: ``bridge.wsgi:app``.

Imported in the worker, after gevent has patched it and never in the master: psycopg chooses how to
wait when it is first imported.
"""

from bridge import background
from bridge.app import create_app
from bridge.bootstrap import build
from bridge.settings import Settings
from bridge.times import utc_now

_settings = Settings.load()
_bridge = build(_settings)
background.start(_bridge, utc_now)
app = create_app(_settings, _bridge)
