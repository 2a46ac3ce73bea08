from __future__ import annotations

from tui.commands import BY_NAME, COMMANDS, acts, bindings, key_label, remapped

ONE_AT_A_TIME = ("stop_probe", "clear_filter", "all_engines")
"""What Esc does on the board: it stops a probe, then clears the filter, then shows all engines."""


def test_no_two_commands_have_the_same_name() -> None:
    assert len(BY_NAME) == len(COMMANDS)


def test_default_keys_do_not_clash_where_commands_meet() -> None:
    for place in ("board", "list"):
        keys = [
            key
            for command in COMMANDS
            if command.place in ("app", place, "list") and command.name not in ONE_AT_A_TIME
            for key in command.keys
        ]
        assert len(keys) == len(set(keys))
        assert not {"escape"} & set(keys)


def test_the_hands_of_a_terminal_user_find_their_keys() -> None:
    found = {key: command.name for command in COMMANDS for key in command.keys}
    wanted = {
        "j": "down",
        "k": "up",
        "g": "top",
        "G": "end",
        "f": "follow",
        "space": "pause",
        "b": "bench",
        "u": "unbench",
        "p": "probe",
        "n": "new_prompt",
        "1": "view_board",
        "2": "view_prompt",
        "q": "quit",
    }
    assert {key: found[key] for key in wanted} == wanted


def test_what_changes_something_is_marked() -> None:
    assert acts("bench")
    assert acts("unbench")
    assert acts("new_prompt")
    assert acts("probe")
    assert not acts("keys")
    assert not acts("pause")
    assert not acts("quit")
    assert not acts("no_such_action")


def test_keys_are_remapped_by_the_commands_name() -> None:
    keymap, faults = remapped({"bench": "B", "pause": "P", "follow": "ctrl+F", "quit": "!, x"})
    assert keymap == {"bench": "B", "pause": "P", "follow": "ctrl+f", "quit": "exclamation_mark,x"}
    assert faults == []


def test_keys_may_be_swapped() -> None:
    keymap, faults = remapped({"bench": "u", "unbench": "b"})
    assert keymap == {"bench": "u", "unbench": "b"}
    assert faults == []


def test_a_key_that_another_command_has_stays_with_it() -> None:
    keymap, faults = remapped({"bench": "u"})
    assert keymap == {}
    assert "unbench" in faults[0]


def test_dropping_one_clash_does_not_make_another() -> None:
    # `pause` takes b, which bench was to leave for q; but q is quit's, so bench keeps b.
    keymap, faults = remapped({"pause": "b", "bench": "q"})
    assert keymap == {}
    assert len(faults) == 2


def test_an_unknown_command_is_told_with_a_guess() -> None:
    keymap, faults = remapped({"banch": "x", "pause": ""})
    assert keymap == {}
    assert "did you mean bench?" in faults[0]
    assert "dashboard.keys.pause" in faults[1]


def test_keys_are_shown_as_people_write_them() -> None:
    labels = [
        key_label(key) for key in ("space", "ctrl+b", "question_mark", "G", "f1", "escape", "shift+tab")
    ]
    assert labels == ["Space", "^b", "?", "G", "F1", "Esc", "Shift+Tab"]


def test_bindings_carry_the_name_so_that_a_keymap_finds_them() -> None:
    assert {binding.id for binding in bindings("app")} == {
        command.name for command in COMMANDS if command.place == "app"
    }
