"""The command line: ``python -m bridge COMMAND``.

Errors go to stderr in one line; exit code 2 for wrong use, 1 for failure.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bridge import __version__, arguments
from bridge.settings import Settings, SettingsError

if TYPE_CHECKING:
    from bridge.bootstrap import Bridge

_CONFIGURATION = Path(__file__).parent / "gunicorn.conf.py"
_DEMO_FOLDER = Path(".demo")
_VALUES_A_LINE = 10_000


class CommandError(Exception):
    """A command failed; the message is the one line that says why."""


def main(given: Sequence[str] | None = None) -> int:
    """Run the command that ``given``, or ``sys.argv``, names; returns the exit code.

    Raises :class:`SystemExit` with 2 for wrong use, and with 0 after ``--help`` and ``--version``.
    """
    parsed = _parser().parse_args(given)
    # Imported late: gunicorn's worker has to patch before anything imports psycopg.
    from bridge.errors import BridgeError, UnavailableError
    from bridge.logs import reason_of

    try:
        command: Callable[[argparse.Namespace], None] = parsed.command
        command(parsed)
    except (SettingsError, CommandError) as error:
        return _fail(str(error))
    except UnavailableError as error:
        return _fail(f"{error.detail} ({reason_of(error)})")
    except BridgeError as error:
        return _fail(error.detail)
    return 0


def _fail(reason: str) -> int:
    print(f"bridge: {' '.join(reason.split())}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = arguments.OneLineParser(
        prog="python -m bridge",
        description="Chat Presence Bridge: whether the visitor of a chat is still there.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(
        name: str, command: Callable[[argparse.Namespace], None], text: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        added.set_defaults(command=command)
        return added

    add("serve", _serve, "serve on $PORT with gunicorn, as the Procfile does")
    add("demo", _demo, "serve a demo store on $PORT, with a database in .demo")
    add("migrate", _migrate, "bring the database up to date")
    add("openapi", _openapi, "print openapi.json")
    add("purge", _purge, "remove what is older than RETENTION_DAYS")
    add("reencrypt", _reencrypt, "encrypt anew what BRIDGE_OLD_SECRET_KEY still encrypts")
    site = commands.add_parser("site", help="add, list and rotate sites").add_subparsers(
        title="commands", required=True, metavar="COMMAND"
    )
    added = site.add_parser("add", help="add a site", description="Add a site.")
    _add_name(added, "the store's name")
    added.add_argument(
        "--url",
        type=arguments.store_url,
        required=True,
        metavar="U",
        help="its address; the first allowed origin",
    )
    _add_json(added)
    added.set_defaults(command=_site_add)
    listed = site.add_parser("list", help="list the sites", description="List the sites.")
    _add_json(listed)
    listed.set_defaults(command=_site_list)
    rotated = site.add_parser(
        "rotate",
        help="give a site a new secret",
        description="Give a site a new secret. The old one works for 24 more hours.",
    )
    _add_site(rotated, "ID")
    _add_json(rotated)
    rotated.set_defaults(command=_site_rotate)
    pair = add("pair", _pair, "print a pairing code, without a store")
    _add_site(pair, "SITE")
    _add_name(pair, "the agent's name")
    _add_json(pair)
    devices = add("devices", _devices, "list a site's devices")
    _add_site(devices, "SITE")
    _add_json(devices)
    return parser


def _add_site(parser: argparse.ArgumentParser, metavar: str) -> None:
    parser.add_argument("site", type=arguments.site_id, metavar=metavar, help="the site's id, st_…")


def _add_name(parser: argparse.ArgumentParser, whose: str) -> None:
    parser.add_argument("--name", type=arguments.name, required=True, metavar="N", help=whose)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


# ------------------------------------------------------------------------------- serving


def _serve(_parsed: argparse.Namespace) -> None:
    settings = Settings.load()
    _check_port(settings.port)
    _prepare(settings)
    _run_gunicorn(settings)


def _bridge(settings: Settings) -> Bridge:
    """The bridge over a database that is up to date."""
    from bridge import bootstrap

    _prepare(settings)
    return bootstrap.build(settings)


def _prepare(settings: Settings) -> None:
    """Raises :class:`SettingsError` if the database is not up to date, or of another key."""
    from bridge import bootstrap

    _migrate_sqlite(settings)
    bootstrap.check(settings)


def _migrate_sqlite(settings: Settings) -> None:
    """SQLite is brought up to date here; a database that others share is not."""
    from bridge import bootstrap

    if settings.database_url.startswith("sqlite"):
        bootstrap.migrate(settings)


def _check_port(port: int) -> None:
    """Say in one line what gunicorn would say in a dozen, after five tries."""
    with socket.socket() as probe:
        # As gunicorn will: connections that just ended do not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            reason = (error.strerror or "not available").lower()
            raise CommandError(
                f"PORT {port} cannot be used: {reason}. Set PORT to another."
            ) from error


def _run_gunicorn(settings: Settings) -> None:
    sys.stdout.flush()
    # Gunicorn reads it by itself, and takes an empty value for a wrong one.
    os.environ["WEB_CONCURRENCY"] = str(settings.web_concurrency)  # noqa: TID251 - see above
    command = [sys.executable, "-m", "gunicorn", "-c", str(_CONFIGURATION), "bridge.wsgi:app"]
    os.execv(sys.executable, command)  # noqa: S606 - our own interpreter, no shell


def _demo(_parsed: argparse.Namespace) -> None:
    _DEMO_FOLDER.mkdir(mode=0o700, exist_ok=True)
    database = (_DEMO_FOLDER / "bridge.db").resolve()
    os.environ.update(  # noqa: TID251 - handed to the server process that takes this one's place
        {
            "BRIDGE_DEMO": "1",
            "BRIDGE_SECRET_KEY": _demo_key(_DEMO_FOLDER / "secret-key"),
            "DATABASE_URL": f"sqlite:///{database}",
            "ALLOW_PRIVATE_STORES": "1",
        }
    )
    settings = Settings.load(demo=True)
    _check_port(settings.port)
    _prepare(settings)
    url = f"http://localhost:{settings.port}"
    _add_demo_site(settings, url)
    print(
        f"""
  The demo store   {url}/demo/        chat there: change pages, sign in, buy something, leave
  What agents see  {url}/demo/agent   open it beside the store and watch
  The API          {url}/docs

  Its data is in {_DEMO_FOLDER}/ and goes when you remove that folder. Ctrl+C ends the demo.
"""
    )
    _run_gunicorn(settings)


def _demo_key(path: Path) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), encoding="ascii")
    return path.read_text(encoding="ascii")


def _add_demo_site(settings: Settings, url: str) -> None:
    from bridge import bootstrap
    from bridge.demo import DemoSite, connection
    from bridge.times import utc_now

    bridge = bootstrap.build(_without_demo(settings))
    if not bridge.records.sites():
        bridge.sites.add("Demo store", url, utc_now())
    site, name, _ = bridge.records.sites()[0]
    found = bridge.records.site(site)
    shop = DemoSite(site, found.secrets[0].key if found else b"")
    with bridge.records.begin(site) as work:
        bridge.sites.connect(work, connection(shop, name, settings.port), utc_now())
    bridge.database.dispose()


def _without_demo(settings: Settings) -> Settings:
    from dataclasses import replace

    return replace(settings, demo=False)


# --------------------------------------------------------------------------- maintenance


def _migrate(_parsed: argparse.Namespace) -> None:
    from bridge import bootstrap

    settings = Settings.load()
    bootstrap.migrate(settings)
    # In the release phase a wrong key does no harm yet.
    bootstrap.check(settings)
    print("The database is up to date.")


def _openapi(_parsed: argparse.Namespace) -> None:
    from bridge.api import openapi

    print(openapi.to_text(openapi.document()), end="")


def _purge(_parsed: argparse.Namespace) -> None:
    from bridge.times import utc_now

    settings = Settings.load()
    purged = _bridge(settings).retention.purge(settings.retention_days, utc_now())
    print(f"Removed {purged} conversations.")


def _reencrypt(_parsed: argparse.Namespace) -> None:
    from bridge import bootstrap

    settings = Settings.load()
    if settings.old_secret_key == settings.secret_key:
        raise CommandError(
            "BRIDGE_OLD_SECRET_KEY is the same as BRIDGE_SECRET_KEY: set BRIDGE_SECRET_KEY to a "
            "new one first."
        )
    _migrate_sqlite(settings)
    renewed, unreadable = 0, []
    for column in bootstrap.reencrypt(settings):
        if column.complete or column.read % _VALUES_A_LINE == 0:
            print(f"{column.column}: {column.renewed} of {column.read} encrypted anew", flush=True)
        if column.complete:
            renewed += column.renewed
        if column.complete and column.unreadable:
            unreadable.append(f"{column.column}: {column.unreadable}")
    if unreadable:
        raise CommandError(
            "Neither BRIDGE_SECRET_KEY nor BRIDGE_OLD_SECRET_KEY can read some values "
            f"({', '.join(unreadable)}): set BRIDGE_OLD_SECRET_KEY to the key that they were "
            "encrypted with, and run this again."
        )
    print(
        f"{renewed} encrypted anew: all is encrypted with BRIDGE_SECRET_KEY. "
        "BRIDGE_OLD_SECRET_KEY can be removed now."
    )


def _site_add(parsed: argparse.Namespace) -> None:
    from bridge.services.sites import connection_string
    from bridge.times import utc_now

    settings = Settings.load()
    added = _bridge(settings).sites.add(parsed.name, parsed.url, utc_now())
    line = connection_string(_public_url(settings), added.id, added.secret)
    _print(
        parsed,
        {"site": added.id, "secret": added.secret, "connection_string": line},
        f"Added {added.id}. Paste this line into the plugin's settings:\n\n  {line}\n",
    )


def _public_url(settings: Settings) -> str:
    return settings.public_url or f"http://localhost:{settings.port}"


def _site_list(parsed: argparse.Namespace) -> None:
    sites = _bridge(Settings.load()).records.sites()
    _print(
        parsed,
        {"sites": [{"site": site, "name": name, "url": url} for site, name, url in sites]},
        "\n".join(f"{site}  {name}  {url}" for site, name, url in sites) or "No sites yet.",
    )


def _site_rotate(parsed: argparse.Namespace) -> None:
    from bridge.services.sites import connection_string
    from bridge.times import utc_now

    settings = Settings.load()
    secret = _bridge(settings).sites.rotate(parsed.site, utc_now())
    if secret is None:
        raise CommandError(f"There is no site {parsed.site}.")
    line = connection_string(_public_url(settings), parsed.site, secret)
    _print(
        parsed,
        {"site": parsed.site, "secret": secret, "connection_string": line},
        f"The old secret works for 24 more hours. The new line:\n\n  {line}\n",
    )


def _pair(parsed: argparse.Namespace) -> None:
    from bridge.api.store import app_link
    from bridge.ports import Agent
    from bridge.services.pair import RIGHTS
    from bridge.times import rfc3339, utc_now

    settings = Settings.load()
    bridge = _bridge(settings)
    if bridge.records.site(parsed.site) is None:
        raise CommandError(f"There is no site {parsed.site}.")
    agent = Agent(f"cli:{parsed.name.strip().casefold()}"[:128], parsed.name)
    with bridge.records.begin(parsed.site) as work:
        offer = bridge.services.devices.offer(work, agent, RIGHTS, utc_now())
    url = app_link(_public_url(settings), offer.code)
    _print(
        parsed,
        {"code": offer.code, "url": url, "expires_at": rfc3339(offer.expires_at)},
        f"Code: {offer.code}  (works once, for 10 minutes)\nLink: {url}",
    )


def _devices(parsed: argparse.Namespace) -> None:
    from bridge.times import rfc3339

    bridge = _bridge(Settings.load())
    if bridge.records.site(parsed.site) is None:
        raise CommandError(f"There is no site {parsed.site}.")
    found = [
        {
            "id": device.id,
            "agent": device.agent.name,
            "label": device.label,
            "last_seen_at": rfc3339(device.last_seen_at),
        }
        for device in bridge.records.devices(parsed.site)
    ]
    lines = [
        f"{each['id']}  {each['agent']}  {each['label']}  {each['last_seen_at']}" for each in found
    ]
    _print(parsed, {"devices": found}, "\n".join(lines) or "No devices yet.")


def _print(parsed: argparse.Namespace, answer: dict[str, object], text: str) -> None:
    print(json.dumps(answer) if parsed.json else text)
