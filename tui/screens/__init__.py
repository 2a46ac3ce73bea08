"""The views and the dialogs.

A view is a subclass of `tui.screens.view.View`, made as `View(desk)` where `desk` is the
`tui.desk.Desk` that everything on the screen works with: `desk.source`, `desk.feed` (rings of
attempts, figures, what the status line tells), `desk.health` (states, chains, who serves), `desk.probes`,
`desk.glyphs`, `desk.read_only`, `desk.now()`. A view names itself in `NAME`, gives its body in
`compose_body()`, and paints what changed in `tick(drained)`, eight times a second while it is shown.
Its keys come from the table in `tui.commands`.
"""
