"""The connection that one call to a store goes over: to public addresses, and never for long."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self, cast

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from bridge.ports import StoreCallError
from bridge.public_addresses import is_public, look_up

CONNECT_SECONDS = 5.0


class Line:
    """One call's connection. It is hung up ``seconds`` after the call began, whatever the store
    does meanwhile: time-outs of single reads do not end an answer that drips.

    The address is looked up and checked here, and it is that address which is connected to: a name
    that leads elsewhere a moment later leads nobody astray.
    """

    def __init__(self, *, allow_private: bool, seconds: float) -> None:
        self._allow_private = allow_private
        self._seconds = seconds
        self._ends = 0.0
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._hang_up)
        self._timer.daemon = True
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self._ends = time.monotonic() + self._seconds
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if self._socket is not None:
            self._socket.close()

    @property
    def hung_up(self) -> bool:
        """Whether the call has taken too long."""
        return self._over.is_set()

    def dial(self, host: str, port: int) -> socket.socket:
        """A connection to ``host``. Raises :class:`StoreCallError`."""
        why = "no answer in time"
        for address in self._addresses(host):
            if self._over.is_set():
                break
            try:
                connected = socket.create_connection((address, port), self._patience)
            except OSError as error:
                why = f"no connection: {error.strerror or 'not in time'}"
                continue
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # A second handle, since TLS takes the first one for itself.
            self._socket = connected.dup()
            if self._over.is_set():
                # The timer found no connection to end.
                self._hang_up()
            return connected
        raise StoreCallError(why)

    @property
    def _patience(self) -> float:
        # Not 0: for a socket that is not to wait at all.
        return min(CONNECT_SECONDS, max(0.01, self._ends - time.monotonic()))

    def _addresses(self, host: str) -> list[str]:
        found: SimpleQueue[list[str] | Exception] = SimpleQueue()

        def ask() -> None:
            try:
                found.put(look_up(host))
            except (OSError, UnicodeError) as error:
                found.put(error)

        # Apart: the system's own look-up takes half a minute where name servers do not answer.
        threading.Thread(target=ask, name="look-up", daemon=True).start()
        try:
            addresses = found.get(timeout=self._patience)
        except Empty as error:
            raise StoreCallError("its name could not be looked up in time") from error
        if isinstance(addresses, Exception):
            raise StoreCallError("its name leads to no address") from addresses
        if not self._allow_private and not all(map(is_public, addresses)):
            raise StoreCallError("its address is not public")
        return addresses

    def _hang_up(self) -> None:
        self._over.set()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class LineAdapter(HTTPAdapter):
    """Makes requests over a :class:`Line`, with host name, SNI and certificate as ever."""

    def __init__(self, line: Line) -> None:
        self._line = line
        super().__init__()

    def get_connection_with_tls_context(
        self, request: PreparedRequest, *arguments: Any, **options: Any
    ) -> HTTPConnectionPool:
        """See :class:`requests.adapters.HTTPAdapter`, which offers it to those who derive."""
        pool = cast(
            HTTPConnectionPool,
            super().get_connection_with_tls_context(request, *arguments, **options),
        )
        kind = _Secure if pool.scheme == "https" else _Plain
        pool.ConnectionCls = partial(kind, self._line)  # type: ignore[assignment]  # it is only called
        return pool


class _Plain(HTTPConnection):
    def __init__(self, line: Line, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._line = line

    def _new_conn(self) -> socket.socket:
        return self._line.dial(self.host, self.port)


class _Secure(HTTPSConnection):
    def __init__(self, line: Line, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._line = line

    def _new_conn(self) -> socket.socket:
        return self._line.dial(self.host, self.port)
