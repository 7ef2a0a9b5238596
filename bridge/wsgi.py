"""What gunicorn serves: ``bridge.wsgi:app``.

Imported in the worker, after gevent has patched it and never in the master: psycopg chooses how to
wait when it is first imported.
"""

import sys

from bridge import background, bootstrap
from bridge.app import create_app
from bridge.errors import UnavailableError
from bridge.logs import reason_of
from bridge.settings import Settings, SettingsError
from bridge.times import utc_now

_GIVE_UP = 3
"""Gunicorn's master ends with a worker that ends with this; any other it starts again."""


def _end(reason: str) -> SystemExit:
    print(f"bridge: {reason}", file=sys.stderr, flush=True)  # noqa: T201 - as the command line does
    return SystemExit(_GIVE_UP)


try:
    _settings = Settings.load()
    bootstrap.check(_settings)
    _bridge = bootstrap.build(_settings)
    background.start(_bridge, utc_now)
except SettingsError as error:
    raise _end(str(error)) from None
except UnavailableError as error:
    raise _end(f"{error.detail} ({reason_of(error)})") from None
app = create_app(_settings, _bridge)
