"""The engine's public face."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import engine

SOURCE = Path(engine.__file__)


def _imported_for_type_checkers() -> dict[str, str]:
    (block,) = (node for node in ast.parse(SOURCE.read_text()).body if isinstance(node, ast.If))
    return {
        alias.name: str(node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_what_type_checkers_see_is_what_there_is() -> None:
    assert _imported_for_type_checkers() == engine._MODULE_OF


def test_every_public_name_can_be_had_and_is_no_module_of_the_same_name() -> None:
    for name in ("classify", *engine._MODULE_OF):
        assert not isinstance(getattr(engine, name), ModuleType)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(engine, "Egnine")


def _modules_after(code: str) -> set[str]:
    listing = f"{code}\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_whole_engine_pulls_in_neither_textual_nor_rich_nor_tui() -> None:
    package = SOURCE.parent
    names = [
        ".".join(("engine", *path.relative_to(package).with_suffix("").parts))
        for path in package.rglob("*.py")
    ]
    code = "import " + ", ".join(name.removesuffix(".__init__") for name in names)
    loaded = _modules_after(code)
    assert "engine.transport" in loaded
    assert not {name.partition(".")[0] for name in loaded} & {"textual", "rich", "tui"}


def test_importing_the_face_loads_no_http_stack_and_no_yaml() -> None:
    assert not _modules_after("from engine import Engine, load_config") & {"httpx", "aiohttp", "yaml"}
