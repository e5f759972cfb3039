"""A file: all of it is checked before anything of it is taken, and nobody is locked for that."""

from __future__ import annotations

from inbox.importing.going_on import go_on, go_on_task
from inbox.importing.table import MOST_PROBLEMS, Problem, Table, Unreadable, read_table
from inbox.importing.taking import unknown_in
from inbox.models import Agent, FileImport
from inbox.wake import wake

WHAT = {"customers": "Customers", "orders": "Orders", "events": "Events"}


def begin(content: bytes, what: str, *, source: str, by: Agent | None, name: str = "") -> FileImport:
    """A worker takes it from here, and the sweeper where no worker does. Raises Unreadable, which names every line
    that is wrong; then nothing of it is taken."""
    run = _checked(content, what, source, by, name)
    wake(go_on_task, run.pk)
    return run


def take_file(content: bytes, what: str, *, source: str, by: Agent | None, name: str = "") -> FileImport:
    """The same, and waits for it. Whoever waits may go away: what is left is taken by a worker. Raises Unreadable."""
    run = _checked(content, what, source, by, name)
    while go_on(run.pk):
        pass
    run.refresh_from_db()
    return run


def _checked(content: bytes, what: str, source: str, by: Agent | None, name: str) -> FileImport:
    table = read_table(content, what)
    if what != "customers":
        _refuse_unknown(table, source)
    return FileImport.objects.create(
        what=what, source=source, name=name[:120], content=content, total=len(table.told), made_by=by
    )


def _refuse_unknown(table: Table, source: str) -> None:
    places = unknown_in(source, table.told)[:MOST_PROBLEMS]
    missing = [(table.lines[place], table.told[place].external_id) for place in places]
    if missing:
        raise Unreadable([Problem(line, f"Nobody is called {name} in {source}.") for line, name in missing])
