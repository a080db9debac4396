"""Fixtures of the tests of data sets."""

import socket

import pytest


@pytest.fixture
def no_network(monkeypatch):
    """Whoever tries a connection fails at once: missing data are told without one."""

    def refuse(*args):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
