"""What is said of exceptions that no socket of a test raises reliably."""

from __future__ import annotations

import errno
import socket
import ssl

import httpx
import pytest

from engine.unreachable import unreachable

PLACE = "api.test:443"
SECRET = "sk-in-the-text"


def raised_from(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "what", "words"),
    [
        (OSError(errno.ENETUNREACH, SECRET), "connection", "the network is unreachable"),
        (OSError(errno.EHOSTUNREACH, SECRET), "connection", "no route to the host"),
        (OSError(errno.EMFILE, SECRET), "connection", "too many files open; see `ulimit -n`"),
        (socket.gaierror(socket.EAI_AGAIN, SECRET), "connection", "name servers do not answer"),
        (ConnectionResetError(SECRET), "connection", "broke while the request was being sent"),
        (ssl.SSLError(1, SECRET), "connection", "handshake failed"),
        (httpx.ConnectTimeout(SECRET), "timeout", "no connection to api.test:443 within 3s"),
        (httpx.WriteError(SECRET), "connection", "broke while the request was being sent"),
        (httpx.LocalProtocolError(SECRET), "connection", "a header holds what HTTP does not allow"),
        (RuntimeError(SECRET), "connection", "the connection to api.test:443 failed"),
        (
            raised_from(httpx.ConnectTimeout(SECRET), ConnectionRefusedError(errno.ECONNREFUSED, SECRET)),
            "connection",
            "connection refused",
        ),
        (
            ExceptionGroup(SECRET, [ConnectionRefusedError(errno.ECONNREFUSED, SECRET), OSError(SECRET)]),
            "connection",
            "connection refused",
        ),
    ],
)
def test_each_kind_of_exception_has_its_words_and_none_of_its_own(
    error: Exception, what: str, words: str
) -> None:
    signal = unreachable(error, PLACE, 3.0)
    assert signal.what == what
    assert words in signal.message
    assert "api.test:443" in signal.message
    assert SECRET not in signal.message
    assert signal.__cause__ is None
    assert signal.__context__ is None


def test_a_read_that_times_out_after_the_connection_stood_is_no_timeout_of_connecting() -> None:
    assert unreachable(httpx.ReadTimeout(SECRET), PLACE).what == "connection"


def test_a_chain_that_bites_its_tail_comes_to_an_end() -> None:
    first, second = RuntimeError(), RuntimeError()
    first.__cause__, second.__context__ = second, first
    assert unreachable(first, PLACE).what == "connection"


def test_what_the_caller_was_handling_is_no_cause() -> None:
    ambient = ConnectionRefusedError(errno.ECONNREFUSED, SECRET)
    error = httpx.ReadError(SECRET)
    error.__context__ = ambient
    assert "refused" in unreachable(error, PLACE).message
    assert "refused" not in unreachable(error, PLACE, ambient=ambient).message
