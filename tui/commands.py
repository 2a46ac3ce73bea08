"""The one table of commands: it feeds keys, the line of keys, help and palette, and tells what acts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal

from textual.binding import Binding
from textual.keys import _character_to_key

Place = Literal["app", "board", "prompt", "list", "filter", "replay"]
"""Where a command works: everywhere, in one view, in a list or the filter's line if it has the focus, or in a
recording's board."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something an operator can do.

    Attributes:
        name: What the configuration calls it; its action is the method `action_<name>`.
        keys: Default keys, in Textual's names; the first one is shown.
        label: A word or two for the line of keys.
        help: One sentence.
        place: Where it works.
        acts: Whether it changes something, so that `--read-only` hides it.
        rank: Place on the line of keys, lowest first; 0 leaves it out.
    """

    name: str
    keys: tuple[str, ...]
    label: str
    help: str
    place: Place
    acts: bool = False
    rank: int = 0


COMMANDS: Final = (
    Command("bench", ("b",), "Bench", "Take the model under the cursor out of play.", "board", True, 2),
    Command("unbench", ("u",), "Unbench", "Bring the model under the cursor back.", "board", True, 3),
    Command("stop_probe", ("escape",), "Stop probe", "Stop a probe that is under way.", "board", False, 2),
    Command("probe", ("p",), "Probe", "Ask the model under the cursor for a few tokens.", "board", True, 4),
    Command("pause", ("space",), "Pause", "Hold the view still, or let it go on.", "board", False, 5),
    Command("follow", ("f",), "Follow", "Go to the end of the attempts and stay there.", "board", False, 8),
    Command(
        "engine",
        ("E",),
        "Engine",
        "Show the attempts of one engine; states and figures stay those of all.",
        "board",
        False,
        7,
    ),
    Command(
        "all_engines", ("escape",), "All engines", "Show the attempts of all engines.", "board", False, 3
    ),
    Command("filter", ("/",), "Filter", "Show only what holds some words.", "board", False, 6),
    Command("clear_filter", ("escape",), "Show all", "Show all again, whatever it holds.", "board", False, 3),
    Command("keys", ("K",), "Keys", "Show or hide the keys of the model's provider.", "board", False, 7),
    Command("next_pane", ("tab",), "Other pane", "Move between the panes.", "board", False, 9),
    Command("new_prompt", ("n",), "New prompt", "Send a prompt of your own.", "app", True, 6),
    Command("send", ("enter",), "Send", "Send the prompt.", "prompt", True, 2),
    Command("cancel", ("escape",), "Cancel", "Stop the request; what came stays.", "prompt", False, 3),
    Command("leave", ("escape",), "Board", "Back to the board; what was typed stays.", "prompt", False, 4),
    Command("newline", ("ctrl+j",), "New line", "Break the line of the prompt.", "prompt", False, 9),
    Command("options", ("ctrl+o",), "Options", "System prompt, tokens, temperature.", "prompt", False, 10),
    Command("view_board", ("1",), "Board", "Every chain with its models.", "app", False, 8),
    Command("view_prompt", ("2",), "Prompt", "A prompt of your own and its attempts.", "app", True, 10),
    Command("help", ("?", "f1"), "Help", "What the keys do here.", "app", False, 6),
    Command("palette", ("ctrl+p", ":"), "Commands", "Find any command by a few letters.", "app"),
    Command("quit", ("q",), "Quit", "Leave.", "app", False, 1),
    Command("keep_filter", ("enter",), "Keep", "Keep what is looked for, and go back.", "filter", False, 2),
    Command("drop_filter", ("escape",), "Show all", "Show all again, and go back.", "filter", False, 3),
    Command("slower", ("-", "<"), "Slower", "Play the recording at half the speed.", "replay", False, 5),
    Command("faster", ("+", ">"), "Faster", "Play the recording at twice the speed.", "replay", False, 5),
    Command("back", ("left",), "10s back", "Ten seconds back.", "replay", False, 6),
    Command("forward", ("right",), "10s on", "Ten seconds on.", "replay", False, 6),
    Command("back_far", ("shift+left",), "1m back", "A minute back.", "replay", False, 10),
    Command("forward_far", ("shift+right",), "1m on", "A minute on.", "replay", False, 10),
    Command("to_start", ("home",), "Start", "To the recording's beginning.", "replay", False, 9),
    Command("to_end", ("end",), "Its end", "To the recording's end.", "replay", False, 9),
    Command("down", ("j", "down"), "Down", "One line down.", "list"),
    Command("up", ("k", "up"), "Up", "One line up.", "list"),
    Command("top", ("g", "home"), "Top", "To the first line.", "list"),
    Command("end", ("G", "end"), "End", "To the last line.", "list"),
    Command("page_down", ("pagedown", "ctrl+d"), "Page down", "One page down.", "list"),
    Command("page_up", ("pageup", "ctrl+u"), "Page up", "One page up.", "list"),
)

BY_NAME: Final[Mapping[str, Command]] = {command.name: command for command in COMMANDS}


def bindings(*places: Place) -> list[Binding]:
    """What a screen or a widget binds for the commands of some places."""
    return [
        Binding(
            ",".join(map(_key_name, command.keys)),
            command.name,
            command.label,
            id=command.name,
            priority=command.place == "replay",  # Home and End are the recording's there, not the list's
        )
        for command in COMMANDS
        if command.place in places
    ]


def acts(action: str) -> bool:
    """Whether an action is one that `--read-only` hides."""
    command = BY_NAME.get(action)
    return command is not None and command.acts


def remapped(keys: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The keys of a configuration as Textual wants them.

    Args:
        keys: Command → key, or several separated by commas; a character, or a name as `ctrl+b`.

    Returns:
        A keymap, and what can't be done: names of no command, and keys that another command has.
    """
    keymap: dict[str, str] = {}
    faults: list[str] = []
    for name, key in keys.items():
        if name not in BY_NAME:
            near = get_close_matches(name, BY_NAME, n=1)
            hint = f", did you mean {near[0]}?" if near else f"; there are {', '.join(BY_NAME)}"
            faults.append(f"dashboard.keys: there is no command {name!r}{hint}")
        elif not (names := [_key_name(part) for part in _parts(key)]):
            faults.append(f"dashboard.keys.{name}: no key is given")
        else:
            keymap[name] = ",".join(names)
    # Once more after each one dropped: what kept its old key may now be in another's way.
    while clash := next(((name, taken) for name in keymap if (taken := _clash(name, keymap))), None):
        name, taken = clash
        faults.append(f"dashboard.keys.{name}: {keys[name]!r} is the key of {taken}, too; it stays as it was")
        del keymap[name]
    return keymap, faults


def _parts(key: str) -> Iterable[str]:
    return [","] if key.strip() == "," else filter(None, map(str.strip, key.split(",")))


def _key_name(key: str) -> str:
    return _character_to_key(key) if len(key) == 1 else key.lower()


def _clash(name: str, keymap: Mapping[str, str]) -> str | None:
    """Another command that would have the same key at the same time."""
    wanted = set(keymap[name].split(","))
    for other in COMMANDS:
        if other.name != name and _may_meet(BY_NAME[name].place, other.place):
            current = keymap.get(other.name, ",".join(other.keys))
            if wanted & set(current.split(",")):
                return other.name
    return None


def _may_meet(one: Place, other: Place) -> bool:
    if "filter" in (one, other):  # the line that has the focus comes before what is around it
        return one == other
    return {one, other} not in ({"board", "prompt"}, {"replay", "prompt"}, {"replay", "list"})


_SHOWN: Final[Mapping[str, str]] = {
    "space": "Space",
    "escape": "Esc",
    "enter": "Enter",
    "tab": "Tab",
    "pagedown": "PgDn",
    "pageup": "PgUp",
}


def key_label(key: str) -> str:
    """A key's name as a person writes it: `^b`, `Space`, `?`."""
    if len(key) == 1:
        return key
    *modifiers, last = key.split("+")
    if last in _SHOWN:
        last = _SHOWN[last]
    elif len(last) > 1:
        last = _CHARACTERS.get(last, last.capitalize())
    prefix = "".join("^" if modifier == "ctrl" else f"{modifier.capitalize()}+" for modifier in modifiers)
    return prefix + last


def character_of(key: str) -> str | None:
    """What a key types; None for one that types nothing."""
    return key if len(key) == 1 else " " if key == "space" else _CHARACTERS.get(key)


_CHARACTERS: Final[Mapping[str, str]] = {
    _character_to_key(character): character for character in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
}
