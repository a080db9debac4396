"""Fixtures of the tests of data sets."""

import dataclasses
import socket

import pytest
import requests

from optexp_jax.datasets import MNIST, FashionMNIST, fetching


@pytest.fixture(autouse=True, scope="session")
def any_images():
    """Made-up images may stand in the files of MNIST and Fashion-MNIST."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in (MNIST, FashionMNIST):
            patch.setattr(kind, "_files", dataclasses.replace(kind._files, digests=()))
        yield


@pytest.fixture
def no_network(monkeypatch):
    """Whoever tries a connection fails at once: missing data are told without one."""

    def refuse(*args):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def disconnected(monkeypatch):
    """No machine is connected, wherever the test runs."""

    def refuse(*args, **kwargs):
        raise requests.ConnectionError("no route")

    monkeypatch.setattr(requests, "get", refuse)
    monkeypatch.setattr(fetching, "_RETRIES", 0)
