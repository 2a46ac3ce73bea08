"""The URL of a Redis store: what it may hold, and that its password shows nowhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from engine.store.base import StoreRefused
from engine.store.redis import RedisStore
from engine.store.redis_link import read_url
from tests.store import redis_server
from tests.store.patience import PATIENCE_S
from tests.store.redis_server import Server
from tests.store.redis_stage import Impostor, listening, opened, patient, put, trouble

CERTIFICATE = Path(__file__).parents[1] / "upstream" / "selfsigned.pem"
PASSWORD = "s3cr3t/with?#@:% in"


@pytest.fixture
def server() -> Iterator[Server]:
    with redis_server.running(requirepass=PASSWORD) as server:
        yield server


def said(error: BaseException | None) -> str:
    """All that an error can show, with everything that hangs on to it."""
    if error is None:
        return ""
    own = f"{error!r} {error} {error.args!r} {error.__dict__!r} {getattr(error, '__notes__', '')}"
    return own + said(error.__context__) + said(error.__cause__)


def test_a_password_is_sent_and_not_shown(server: Server) -> None:
    with opened(server.url.replace("//", f"//:{quote(PASSWORD, safe='')}@")) as store:
        put(store, "a/b", "text")
        assert store.name == server.url
        assert "s3cr3t" not in f"{store!r} {vars(store)} {vars(store._link)}"
        server.stop()
        assert "s3cr3t" not in said(trouble(store.rows))


@pytest.mark.parametrize("user", ["", "somebody"])
def test_a_wrong_password_is_told_and_not_shown(server: Server, user: str) -> None:
    error = trouble(patient(server.url.replace("//", f"//{user}:s3cr3t-but-wrong@")).open)
    assert "refuses the user or the password" in str(error)
    assert "s3cr3t" not in said(error)
    assert error.__context__ is None


def test_a_password_that_is_missing_is_told(server: Server) -> None:
    assert "refuses the user or the password, or wants some" in str(trouble(patient(server.url).open))


def test_a_password_that_nobody_asked_for_is_told() -> None:
    with redis_server.running() as server:
        error = trouble(patient(server.url.replace("//", "//:s3cr3t@")).open)
        assert "refuses the user or the password" in str(error)
        assert "s3cr3t" not in said(error)


@pytest.mark.parametrize(
    "answer",
    [
        b"-ERR unknown command 'AUTH', with args beginning with: 's3cr3t-x' \r\n",
        b"-ERR why s3cr3t-x\r\n",
        b"s3cr3t-x\r\n",
    ],
)
def test_a_server_that_repeats_the_password_does_not_get_it_shown(answer: bytes) -> None:
    with listening(Impostor(answer, hangs_up=False)) as server:
        error = trouble(patient(f"redis://:s3cr3t-x@127.0.0.1:{server.port}").open)
        assert "s3cr3t" not in said(error)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:s3cr3t/more@host/0",
        "redis://:s3cr3t?more@host/0",
        "redis://:s3cr3t#more@host/0",
        "redis://:12/s3cr3t@host/0",
        "redis://user:12?s3cr3t@host",
        "redis://user:12#s3cr3t@host",
        "redis://user:pass:s3cr3t",
        "redis://host:s3cr3t/0",
        "redis://[s3cr3t/0",
        "redis://host/s3cr3t",
        "redis://:s3cr3t@/0",
        "rediss://",
        "s3cr3t",
        "http://:s3cr3t@host/0",
        "unix:///s3cr3t",
        "redis://host/0?protocol=s3cr3t",
        "redis://host/0?ssl_check_hostname=yes&socket_timeout=9",
        "redis://host/0?db=1",
    ],
)
def test_a_url_that_makes_no_sense_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(StoreRefused) as caught:
        RedisStore(url)
    assert "s3cr3t" not in said(caught.value)


def test_a_password_that_can_not_be_sent_is_not_shown() -> None:
    with listening(Impostor(b"+OK\r\n", hangs_up=False)) as server:
        error = trouble(patient(f"redis://:s3cr3t-\udc80@127.0.0.1:{server.port}").open)
        assert "s3cr3t" not in said(error)


def test_an_option_that_tls_does_not_have_is_told() -> None:
    error = trouble(patient("rediss://127.0.0.1:1/0?ssl_typo=1&password=s3cr3t").open)
    assert isinstance(error, StoreRefused)
    assert str(error).endswith(": ssl_typo")
    assert "s3cr3t" not in said(error)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("redis://host", "redis://host"),
        (" redis://user:pass@Host:7000/3?username=me\n", "redis://host:7000/3"),
        ("rediss://[::1]:7000/0?ssl_cert_reqs=none", "rediss://[::1]:7000/0"),
    ],
)
def test_the_name_is_the_url_without_what_opens_it(url: str, name: str) -> None:
    assert RedisStore(url).name == name


def test_tls_is_spoken_and_certificates_are_checked() -> None:
    options = {"tls_cert_file": str(CERTIFICATE), "tls_key_file": str(CERTIFICATE)}
    with redis_server.running(**options, tls_auth_clients="no") as server:
        port = server.serve_tls()
        url = f"rediss://127.0.0.1:{port}/0"
        with opened(f"{url}?ssl_ca_certs={CERTIFICATE}") as store, opened(server.url) as other:
            put(store, "a/b", "text")
            assert store.hint() is not None
            put(other, "a/b", "more")
            assert store.changed()
            assert not store.changed()
        assert "TLS does not come about" in str(trouble(patient(url).open))
        assert "not speak TLS" in str(trouble(RedisStore(f"rediss://127.0.0.1:{server.port}/0").open))
        assert "rediss://" in str(trouble(patient(f"redis://127.0.0.1:{port}/0").open))


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("rediss://host", True),
        ("rediss://host?ssl_ca_certs=/ca.pem&ssl_cert_reqs=required", True),
        ("rediss://host?ssl_check_hostname=false", False),
        ("rediss://host?ssl_cert_reqs=none", None),
        ("redis://host", None),
    ],
)
def test_the_name_in_a_certificate_is_checked_unless_that_is_turned_off(
    url: str, checked: bool | None
) -> None:
    assert read_url(url, 1.0).options.get("ssl_check_hostname") is checked


_WITHOUT_REDIS = """
import sys
sys.modules["redis"] = None
from engine.store.base import StoreRefused
try:
    import engine.store.redis
except StoreRefused as error:
    assert "pip install 'standby[redis]'" in str(error), error
    assert error.__context__ is None
    sys.exit(7)
"""


def test_without_the_package_it_is_told_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", _WITHOUT_REDIS], check=False, timeout=PATIENCE_S)
    assert done.returncode == 7
