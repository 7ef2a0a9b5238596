"""The guard of conftest.py works: a test that reaches out fails."""

import socket

import pytest


def test_connecting_to_another_machine_fails() -> None:
    with socket.socket() as outside, pytest.raises(RuntimeError, match=r"reach 192\.0\.2\.1"):
        outside.connect(("192.0.2.1", 80))


def test_looking_up_a_name_fails() -> None:
    with pytest.raises(RuntimeError, match=r"look up shop\.example"):
        socket.getaddrinfo("shop.example", 443)


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
