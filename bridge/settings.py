"""What the environment decides, read once and checked before anything else is touched.

This is the only module that reads ``os.environ``. ``VARIABLES`` is the one list of names, defaults
and meanings; the documentation is tested against it.
"""

import math
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

SECRET_KEY_CHARACTERS: Final = 32
_LAST_PORT: Final = 65_535
_MAKE_ONE: Final = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'
_DAY_SECONDS: Final = 86_400.0
# After the scheme: user and password, host, port, database, options. Each may be missing: the
# driver has defaults, or takes it from the options.
_POSTGRESQL: Final = re.compile(
    r"(?:[^:/@?]*(?::[^@]*)?@)?"
    r"(?:\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[^][:/@?#\s]*)(?::(?P<port>[0-9]{1,5}))?"
    r"(?:/[^/?#\s]*(?:\?.*)?)?"
)


class SettingsError(Exception):
    """A variable is missing or wrong; the message is one line that says which, why and what to do.

    It never quotes a secret, nor an address that may carry a password.
    """


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: its name, its default as it would be written, and its meaning."""

    name: str
    default: str | None
    meaning: str


VARIABLES: Final = (
    Variable("PORT", "8000", "The TCP port to listen on."),
    Variable(
        "BRIDGE_SECRET_KEY",
        None,
        "Encrypts secrets at rest. Required outside the demo; at least 32 characters.",
    ),
    Variable(
        "BRIDGE_OLD_SECRET_KEY",
        None,
        "The one before, while BRIDGE_SECRET_KEY is being replaced: it only decrypts.",
    ),
    Variable(
        "DATABASE_URL",
        "sqlite:///bridge.db",
        "sqlite:///, postgres:// or postgresql://. SQLite is refused where DYNO is set.",
    ),
    Variable("REDIS_URL", None, "Redis for several processes; not supported by this version yet."),
    Variable("WEB_CONCURRENCY", "1", "Worker processes. More than one needs REDIS_URL."),
    Variable(
        "PUBLIC_URL",
        None,
        "The bridge's own address, such as https://bridge.example.com; else the request's.",
    ),
    Variable("TRUSTED_PROXY_HOPS", "0", "How many proxies' forwarding headers to believe."),
    Variable("ALLOW_PRIVATE_STORES", "0", "1 lets store and push addresses be private."),
    Variable("PRESENCE_GRACE_SECONDS", "15", "How long a change of pages may take (P1, P4)."),
    Variable(
        "HEARTBEAT_ACTIVE_SECONDS",
        "10",
        "Heartbeat interval of a page in demand (D2).",
    ),
    Variable("HEARTBEAT_IDLE_SECONDS", "60", "Heartbeat interval of a page without stream (D2)."),
    Variable(
        "WATCH_LEASE_SECONDS",
        "45",
        "How long a watch lasts unless renewed (D4).",
    ),
    Variable(
        "TAKEOVER_IDLE_MINUTES",
        "30",
        "When an abandoned takeover ends by itself (T3).",
    ),
    Variable("RETENTION_DAYS", "365", "How long conversations are kept; 0 keeps all."),
    Variable(
        "METRICS_TOKEN",
        None,
        "Opens GET /metrics to whoever bears it; not used by this version yet.",
    ),
    Variable("BRIDGE_DEMO", "0", "Set to 1 by the `demo` command for its own server process."),
)

_DEFAULTS: Final = {variable.name: variable.default for variable in VARIABLES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The environment, checked and typed. Fields that hold secrets stay out of ``repr``."""

    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)
    old_secret_key: str | None = field(default=None, repr=False)
    port: int = 8000
    redis_url: str | None = field(default=None, repr=False)
    web_concurrency: int = 1
    public_url: str | None = None
    trusted_proxy_hops: int = 0
    allow_private_stores: bool = False
    presence_grace_seconds: float = 15.0
    heartbeat_active_seconds: float = 10.0
    heartbeat_idle_seconds: float = 60.0
    watch_lease_seconds: float = 45.0
    takeover_idle_minutes: float = 30.0
    retention_days: float = 365.0
    metrics_token: str | None = field(default=None, repr=False)
    demo: bool = False

    @classmethod
    def load(cls, *, demo: bool = False) -> Self:
        """Read this process's environment; see ``from_environment``."""
        return cls.from_environment(os.environ, demo=demo)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, demo: bool = False) -> Self:
        """Check ``environ`` and return it typed. An empty value counts as unset.

        Args:
            environ: names to values, as in ``os.environ``.
            demo: whether this is the demo, which may do without ``BRIDGE_SECRET_KEY``: then a
                random one is made, which lasts as long as these settings do.

        Raises:
            SettingsError: for the first variable that is missing or wrong. Several processes
                without what they need to agree are refused before anything else is looked at.
        """
        read = _Reader(environ)
        web_concurrency = read.whole_number("WEB_CONCURRENCY", least=1, most=1000)
        redis_url = read.text("REDIS_URL")
        _check_processes(web_concurrency, redis_url)
        demo = demo or read.flag("BRIDGE_DEMO")
        return cls(
            secret_key=_secret_key(read.text("BRIDGE_SECRET_KEY"), demo=demo),
            old_secret_key=_old_secret_key(read.text("BRIDGE_OLD_SECRET_KEY")),
            database_url=_database_url(
                read.required("DATABASE_URL"), disk_vanishes=bool(environ.get("DYNO"))
            ),
            port=read.whole_number("PORT", least=1, most=_LAST_PORT),
            redis_url=redis_url,
            web_concurrency=web_concurrency,
            public_url=_public_url(read.text("PUBLIC_URL")),
            trusted_proxy_hops=read.whole_number("TRUSTED_PROXY_HOPS", least=0, most=10),
            allow_private_stores=read.flag("ALLOW_PRIVATE_STORES"),
            presence_grace_seconds=read.duration("PRESENCE_GRACE_SECONDS", most=_DAY_SECONDS),
            heartbeat_active_seconds=read.duration("HEARTBEAT_ACTIVE_SECONDS", most=_DAY_SECONDS),
            heartbeat_idle_seconds=read.duration("HEARTBEAT_IDLE_SECONDS", most=_DAY_SECONDS),
            watch_lease_seconds=read.duration("WATCH_LEASE_SECONDS", most=_DAY_SECONDS),
            takeover_idle_minutes=read.duration("TAKEOVER_IDLE_MINUTES", most=_DAY_SECONDS / 60),
            retention_days=read.duration("RETENTION_DAYS", most=36_500.0, zero_allowed=True),
            metrics_token=read.text("METRICS_TOKEN"),
            demo=demo,
        )


class _Reader:
    """Takes variables out of an environment, falling back to the defaults of ``VARIABLES``."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or _DEFAULTS[name]

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise SettingsError(f"{name} is not set: set it")
        return value

    def whole_number(self, name: str, *, least: int, most: int) -> int:
        value = self.required(name)
        # int() would also take "1_0", "+1" and other scripts' digits.
        if re.fullmatch(r"[0-9]{1,9}", value) and least <= int(value) <= most:
            return int(value)
        raise SettingsError(
            f"{name} is {_quoted(value)}: set it to a whole number from {least} to {most}"
        )

    def duration(self, name: str, *, most: float, zero_allowed: bool = False) -> float:
        value = self.required(name)
        # The pattern keeps out what float() takes besides: signs, exponents, "nan" and "inf".
        if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
            number = float(value)
            if (number > 0 or zero_allowed) and number <= most:
                return number
        lower = "from 0" if zero_allowed else "greater than 0 and"
        raise SettingsError(
            f"{name} is {_quoted(value)}: set it to a number {lower} up to {math.trunc(most)}"
        )

    def flag(self, name: str) -> bool:
        value = self.required(name)
        if value not in {"0", "1"}:
            raise SettingsError(f"{name} is {_quoted(value)}: set it to 0 or 1")
        return value == "1"


def _check_processes(web_concurrency: int, redis_url: str | None) -> None:
    if redis_url is not None:
        raise SettingsError(
            "REDIS_URL is set, but this version of the bridge cannot use Redis yet: "
            "unset REDIS_URL and set WEB_CONCURRENCY=1"
        )
    if web_concurrency > 1:
        raise SettingsError(
            f"WEB_CONCURRENCY is {web_concurrency}, but several processes can agree on who is "
            "present only through Redis, and REDIS_URL is not set: "
            "set WEB_CONCURRENCY=1, or add Redis"
        )


def _secret_key(value: str | None, *, demo: bool) -> str:
    if value is None:
        if demo:
            return secrets.token_urlsafe(SECRET_KEY_CHARACTERS)
        raise SettingsError(f"BRIDGE_SECRET_KEY is not set: make one with {_MAKE_ONE}")
    if len(value) < SECRET_KEY_CHARACTERS:
        raise SettingsError(
            f"BRIDGE_SECRET_KEY has {len(value)} characters, at least {SECRET_KEY_CHARACTERS} are "
            f"needed: make one with {_MAKE_ONE}"
        )
    return value


def _old_secret_key(value: str | None) -> str | None:
    # It may be the same as the present one: where variables are set one by one, and each restarts
    # the bridge, this one has to come first.
    if value is not None and len(value) < SECRET_KEY_CHARACTERS:
        raise SettingsError(
            f"BRIDGE_OLD_SECRET_KEY has {len(value)} characters, and no key has fewer than "
            f"{SECRET_KEY_CHARACTERS}: set it to the former BRIDGE_SECRET_KEY, or remove it"
        )
    return value


def _database_url(value: str, *, disk_vanishes: bool) -> str:
    scheme, separator, rest = value.partition("://")
    if separator and scheme == "sqlite":
        if not rest.startswith("/") or rest in {"/", "/:memory:"}:
            raise SettingsError(
                "DATABASE_URL names no file for SQLite: "
                "set it to sqlite:///bridge.db, or to sqlite://// and an absolute path"
            )
        if disk_vanishes:
            raise SettingsError(
                "DATABASE_URL is SQLite, but DYNO is set and that disk vanishes at each restart: "
                "add PostgreSQL and set DATABASE_URL to its postgres:// address"
            )
        if "?" in rest:
            raise SettingsError("DATABASE_URL has options, and SQLite takes none: leave out the ?…")
        return value
    if separator and scheme in {"postgres", "postgresql", "postgresql+psycopg"}:
        parts = _POSTGRESQL.fullmatch(rest)
        if parts is None or not 1 <= int(parts["port"] or 1) <= _LAST_PORT:
            raise SettingsError(
                "DATABASE_URL is not well-formed: set it to one like "
                "postgres://user:password@host:5432/database, other characters than letters, "
                "digits, - and _ in user and password written as %XX"
            )
        return f"postgresql+psycopg://{rest}"
    raise SettingsError(
        "DATABASE_URL begins with none of sqlite:///, postgres:// and postgresql://: "
        "set it to one of these"
    )


def _public_url(value: str | None) -> str | None:
    if value is None:
        return None
    if not re.fullmatch(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?", value):
        raise SettingsError(
            "PUBLIC_URL is not a plain http or https address: "
            "set it to one like https://bridge.example.com, without path or password"
        )
    return value.rstrip("/")


def _quoted(value: str) -> str:
    """A value on one line, however long it is and whatever it holds."""
    return repr(value if len(value) <= 40 else f"{value[:40]}…")
