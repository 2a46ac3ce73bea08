"""What the views are made of. Each widget draws its own lines; none knows the engine's insides.

`Attempts(ring, desk, *, empty="", id=None)`
    The stream of attempts over a `tui.ring.Ring`: `desk.feed.ring` for all of them,
    `desk.feed.watch(request)` for one request's, with the models it skipped. `look(ring)` changes
    which, `tick()` paints what changed, `follow()` goes to its end and stays there, `freeze(when)`
    and `thaw()` hold the picture still.
`Board(desk, *, id=None)`
    Every chain with its models; `current` is the place under the cursor.
`ProviderKeys(desk, *, id=None)`
    A provider's keys by name and state; `show(provider, changed=)` paints what changed, `cursor` is the
    name under the cursor, `freeze()` and `thaw()` hold the picture still.
`Choice(desk, options, *, id=None)`
    One of a few.
`TopLine(desk, tabs, current)`, `StatusLine(desk)`, `KeyLine()`
    The lines that every view has; `tui.screens.view.View` composes them around a view's own body.
"""
