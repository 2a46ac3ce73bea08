"""Finding and reading the configuration file.

Importing this module reads no YAML and imports none: `import engine` is measured, and a program that
builds its configuration in code never needs a parser.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from engine.config.model import Config
from engine.errors import ConfigError, Fault
from engine.places import expanded

VARIABLE = "STANDBY_CONFIG"
GROUPS_VARIABLE = "MODEL_FALLBACK_GROUPS"
_ENVIRONMENT = "environment"
_INIT = "`standby init` writes one, `standby paths` says where it is looked for"
_SAMPLE = "sample_config.yaml"


def user_config_path() -> Path:
    """Where the user's own configuration stands, whether or not it is there."""
    import platformdirs  # noqa: PLC0415 - who names a file needs none of it

    return platformdirs.user_config_path("standby", appauthor=False) / "config.yaml"


def sample_path() -> Path:
    """The configuration that comes with the program; every provider in it is simulated."""
    package = Path(__file__).resolve().parents[1]
    packaged = package / _SAMPLE
    # In a checkout it stands beside the package; the wheel carries it inside.
    return packaged if packaged.is_file() else package.parent / _SAMPLE


def find_config(path: str | Path | None = None) -> Path:
    """The file to read.

    Args:
        path: What the user asked for; None leaves it to `STANDBY_CONFIG`, then to the user's
            configuration folder, then to the packaged sample.

    Returns:
        The file. One that was asked for need not exist: reading it says so.
    """
    asked = path or os.environ.get(VARIABLE)
    if asked:
        return Path(expanded(str(asked)))
    own = user_config_path()
    try:
        os.lstat(own)
    except (FileNotFoundError, NotADirectoryError):
        return sample_path()
    except OSError:
        pass  # it may well be there: reading it says what is wrong
    return own


def load_config(path: str | Path | None = None) -> Config:
    """Reads and checks a configuration.

    Args:
        path: The file; None as for `find_config`.

    Raises:
        ConfigError: The file can't be read, or has faults; all of them are in it.
    """
    file = find_config(path)
    # Named by the variable, a missing file puzzles: nobody typed that path just now.
    named_by = f" (named by {VARIABLE})" if not path and os.environ.get(VARIABLE) else ""
    text = _read_text(file, named_by)
    return parse_config(text, file, groups=os.environ.get(GROUPS_VARIABLE, ""))


def parse_config(text: str, path: str | Path, *, groups: str = "") -> Config:
    """Checks the text of a configuration.

    Args:
        text: YAML.
        path: Where it came from; faults carry it, and relative paths in the text are relative to its folder.
        groups: More groups, as the environment variable has them: a JSON array of arrays.

    Raises:
        ConfigError: It has faults; all of them are in it.
    """
    from engine.config.faults import Faults  # noqa: PLC0415 - a program without a file needs no YAML
    from engine.config.nodes import read_nodes  # noqa: PLC0415 - a program without a file needs no YAML
    from engine.config.schema import check_nodes  # noqa: PLC0415 - a program without a file needs no YAML
    from engine.config.schema_groups import variable_spot  # noqa: PLC0415 - a program without a file needs no YAML

    faults, elsewhere = Faults(str(path)), Faults(_ENVIRONMENT)
    config = None
    with suppress(ConfigError):  # one fault too many, or no YAML to go on with: all that was found is kept
        more = variable_spot(groups, GROUPS_VARIABLE, elsewhere)
        config = check_nodes(read_nodes(text, faults), faults, Path(path).absolute(), more)
    if config is None or faults or elsewhere:
        raise ConfigError([*faults.error().faults, *elsewhere.error().faults])
    return config


def _read_text(file: Path, named_by: str) -> str:
    from engine.config.nodes import MOST_BYTES, TOO_LARGE  # noqa: PLC0415 - a program without a file needs no YAML

    try:
        with file.open("rb") as opened:
            # One byte more than allowed is enough to refuse it: the file may be endless.
            raw = opened.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ConfigError([Fault(str(file), 0, 0, "", _why_unreadable(error) + named_by)]) from None
    if len(raw) > MOST_BYTES:
        raise ConfigError([Fault(str(file), 1, 1, "file", TOO_LARGE)])
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        what = "is not UTF-8 from here on; save it as UTF-8"
        raise ConfigError([Fault(str(file), line, column, "file", what)]) from None


def _why_unreadable(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"no such file; {_INIT}"
    if isinstance(error, IsADirectoryError):
        return f"is a directory; name the file in it, or {_INIT}"
    if isinstance(error, PermissionError):
        return (
            "can't be read: permission denied; make it readable for this user, or name another with --config"
        )
    if isinstance(error, OSError) and error.strerror:
        return f"can't be read: {error.strerror}"
    return f"is no path of a file; {_INIT}"
