"""Makes the pictures in docs/ from the running program: `python -m tests.pictures [FOLDER]`.

The dashboard runs on the packaged sample, in real time, until its incident is under way.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from engine import Engine, load_config, sample_path
from tui.app import StandbyApp

_SIZE = (120, 34)
_LONGEST_WAIT_S = 60.0
_A_WHILE_S = 4.0


async def take(folder: Path) -> Path:
    """Waits for the sample's incident and writes `dashboard.svg` into the folder."""
    with tempfile.TemporaryDirectory() as state:
        store = f"sqlite:{Path(state) / 'standby.db'}"
        engine = Engine(replace(load_config(sample_path()), store=store), watch=False)
        app = StandbyApp(engine)
        async with app.run_test(size=_SIZE) as pilot:
            async with asyncio.timeout(_LONGEST_WAIT_S):
                while not engine.is_benched("acme/large"):
                    await pilot.pause(0.1)
            await pilot.pause(_A_WHILE_S)
            picture = folder / "dashboard.svg"
            picture.write_text(_self_contained(app.export_screenshot(title="standby")), encoding="utf-8")
    return picture


def _self_contained(svg: str) -> str:
    """Without the fonts that Textual would have fetched from elsewhere; the reader's own will do."""
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return svg.replace("font-family: Fira Code", "font-family: Fira Code, Menlo, Consolas, DejaVu Sans Mono")


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    target.mkdir(exist_ok=True)
    print(asyncio.run(take(target)))
