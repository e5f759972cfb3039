"""PostgreSQL as Django knows it, but for two things that every message and every page would pay for.

Whether a pooled connection is alive is looked at, not asked: a server that went away has closed its end, or said that
it would. Asking costs a round trip.

Statements for whose answer nobody waits (`rows.send`) travel with the next one, or with the COMMIT: PostgreSQL calls
it a pipeline. They are carried out one after the other, in the order in which they were sent.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import DataError
from django.db.backends.postgresql import base
from psycopg import Connection, ServerCursor

Parameters = Sequence[Any] | Mapping[str, Any]
Execute = Callable[[str, Any, bool, dict[str, Any]], Any]


class Answer:
    """What a statement will have returned. Asking for it waits for it, and for all that were sent before."""

    def __init__(self, wrapper: DatabaseWrapper) -> None:
        self.wrapper = wrapper
        self.cursor: Any = None

    def arrived(self) -> Any:
        """The cursor, to be read from. Raises what went wrong with this statement or one before it."""
        if self.cursor is None:
            self.wrapper.hurry()
        assert self.cursor is not None, "It was asked in a transaction that was rolled back."
        return self.cursor

    def rows(self) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.arrived().fetchall()
        return found


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.waiting: list[tuple[str, Parameters, Answer | None]] = []
        self.execute_wrappers.append(self._with_those_waiting)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        while True:
            connection: Connection[Any] = super().get_new_connection(conn_params)
            if self.pool is None or not (connection.closed or has_news(connection)):
                return connection
            connection.close()
            self.pool.putconn(connection)  # which makes another one in its place

    def send(self, sql: str, parameters: Parameters, answer: Answer | None = None) -> None:
        """Outside a transaction it leaves at once, and alone: what is found wrong at the end of a transaction would be
        found after the last answer there, and psycopg would wait for ever."""
        self.validate_no_broken_transaction()
        if self.in_atomic_block:
            self.waiting.append((sql, parameters, answer))
            return
        cursor = self.cursor()
        _execute(cursor, sql, parameters)
        if answer:
            answer.cursor = cursor

    def ask(self, sql: str, parameters: Parameters) -> Answer:
        answer = Answer(self)
        self.send(sql, parameters, answer)
        return answer

    def hurry(self) -> None:
        """Those that wait leave without company."""
        with self.together():
            pass

    @contextmanager
    def together(self) -> Iterator[None]:
        """Those that wait leave; what the body executes goes with them, and is answered when the body is left."""
        waiting, self.waiting = self.waiting, []
        if not waiting:
            yield
            return
        self.ensure_connection()
        make = self.cursor if self.queries_logged else self.connection.cursor  # which costs half as much
        with self.wrap_database_errors, self.connection.pipeline():
            shared = make()
            for sql, parameters, answer in waiting:
                cursor = make() if answer else shared
                _execute(cursor, sql, parameters)
                if answer:
                    answer.cursor = cursor
            yield

    def _with_those_waiting(self, execute: Execute, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if not self.waiting:
            return execute(sql, parameters, many, context)
        if many or isinstance(context["cursor"].cursor, ServerCursor):  # those know no company
            self.hurry()
            return execute(sql, parameters, many, context)
        with self.together():
            return execute(sql, parameters, many, context)

    def _commit(self) -> None:
        with self.together():
            super()._commit()  # type: ignore[misc]

    def _rollback(self) -> None:
        self.waiting.clear()
        super()._rollback()  # type: ignore[misc]

    def _savepoint_rollback(self, sid: str) -> None:
        self.waiting.clear()  # sent since the savepoint, which all before had left with
        super()._savepoint_rollback(sid)  # type: ignore[misc]

    def close(self) -> None:
        self.waiting.clear()
        super().close()


def _execute(cursor: Any, sql: str, parameters: Parameters) -> None:
    """What cannot even be sent is an error of the database's kind too: a COMMIT rolls back for no other."""
    try:
        cursor.execute(sql, parameters)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(str(error)) from error


def has_news(connection: Connection[Any]) -> bool:
    """Nobody asked anything, so what can be read is a farewell (or a new setting; then one too many is closed)."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
