"""The commands. `main` is the command `standby`."""

from tui.cli.entry import main as main
