"""Rows of models by statements of our own: what every message does, and would pay for.

Django works out each statement anew, which costs more than PostgreSQL needs to carry it out. These are worked out once.
The models stay what they are: their fields convert the values, as in `save` and in `raw`. No signals are sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from django.contrib.postgres.fields import ArrayField
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models import Field, GeneratedField, Model

from config.database.base import Answer as Answer
from config.database.base import DatabaseWrapper, Parameters

Row = TypeVar("Row", bound=Model)
# What these hold goes to PostgreSQL as it is.
PLAIN = {
    models.BigAutoField,
    models.BigIntegerField,
    models.BooleanField,
    models.CharField,
    models.DateTimeField,
    models.ForeignKey,
    models.PositiveIntegerField,
    models.PositiveSmallIntegerField,
    models.SmallIntegerField,
    models.TextField,
    models.UUIDField,
    ArrayField,
}


def send(sql: str, parameters: Parameters) -> None:
    """A statement for whose answer nobody waits: it travels with the next one, or with the COMMIT."""
    _database().send(sql, parameters)


def ask(sql: str, parameters: Parameters) -> Answer:
    """The same, and what it returns may be read later."""
    return _database().ask(sql, parameters)


def _database() -> DatabaseWrapper:
    return cast("DatabaseWrapper", connections[DEFAULT_DB_ALIAS])


def hurry() -> None:
    """What was sent is done now. Raises what is wrong with it."""
    _database().hurry()


def fetch(model: type[Row], sql: str, parameters: Parameters) -> list[Row]:
    """As `model.objects.raw`: instances, with what else was selected as attributes."""
    with _database().cursor() as cursor:
        cursor.execute(named(model, sql), parameters)
        return made(model, cursor)


@cache
def named(model: type[Model], sql: str) -> str:
    """With the model's columns for `{columns}` or `{alias.columns}`. A prepared statement with a star in it ends when a
    migration adds a column."""
    fields = [str(field.column) for field in model._meta.concrete_fields]

    def spelled(match: re.Match[str]) -> str:
        return ", ".join(f'{match[1] or ""}"{column}"' for column in fields)

    return re.sub(r"\{(\w+\.)?columns\}", spelled, sql)


def made(model: type[Row], cursor: Any) -> list[Row]:
    """Instances of what a statement that was sent has found."""
    result = cursor.pgresult  # its names at once: `description` makes an object of each column
    make = _maker(model, tuple(map(result.fname, range(result.nfields))))
    return [make(row) for row in cursor.fetchall()]


@cache
def _maker(model: type[Row], columns: tuple[bytes, ...]) -> Callable[[Sequence[Any]], Row]:
    database = _database()
    places = {column.decode(): at for at, column in enumerate(columns)}
    fields = [field for field in model._meta.concrete_fields if field.column in places]
    own = [places.pop(str(field.column)) for field in fields]
    names = [field.attname for field in fields]
    converters = [(at, convert) for at, field in enumerate(fields) for convert in field.get_db_converters(database)]

    def make(row: Sequence[Any]) -> Row:
        values = [row[at] for at in own]
        for at, convert in converters:
            values[at] = convert(values[at], None, database)
        instance = model.from_db(DEFAULT_DB_ALIAS, names, values)
        for name, at in places.items():
            setattr(instance, name, row[at])
        return instance

    return make


def insert(instance: Model) -> None:
    """Stores a new row and takes over the id it was given, as `save(force_insert=True)`. One whose id was reserved is
    sent, and nobody waits for it."""
    if instance.pk is not None:
        insert_later(instance)
        return
    sql, fields = _insert(type(instance), has_key=False)
    with _database().cursor() as cursor:
        cursor.execute(sql, _values(instance, fields, is_new=True))
        (instance.pk,) = cursor.fetchone()
    instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS


def insert_later(instance: Model) -> None:
    """Sends a new row, whose id is known or nobody needs."""
    sql, fields = _insert(type(instance), has_key=instance.pk is not None)
    send(sql, _values(instance, fields, is_new=True))
    instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS


def update_later(instance: Model, names: Iterable[str]) -> None:
    """Sends the fields of a row that the caller knows to be there, as `save(update_fields=names)`."""
    sql, fields = _update(type(instance), tuple(sorted(names)))
    send(sql, [*_values(instance, fields, is_new=False), instance.pk])


@cache
def _insert(model: type[Model], *, has_key: bool) -> tuple[str, list[Field[Any, Any]]]:
    fields = [
        field
        for field in model._meta.local_concrete_fields
        if (has_key or not field.primary_key) and not isinstance(field, GeneratedField)
    ]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join(_place(field) for field in fields)
    table, key = model._meta.db_table, model._meta.pk.column
    return f'INSERT INTO "{table}" ({columns}) VALUES ({places}) RETURNING "{key}"', fields  # noqa: S608  no input


@cache
def _update(model: type[Model], names: tuple[str, ...]) -> tuple[str, list[Field[Any, Any]]]:
    fields = [cast("Field[Any, Any]", model._meta.get_field(name)) for name in names]
    changes = ", ".join(f'"{field.column}" = {_place(field)}' for field in fields)
    table, key = model._meta.db_table, model._meta.pk.column
    return f'UPDATE "{table}" SET {changes} WHERE "{key}" = %s', fields  # noqa: S608  no input


def _place(field: Field[Any, Any]) -> str:
    """Arrays say of what they are: an empty one would not."""
    return f"%s::{field.db_type(_database())}" if hasattr(field, "get_placeholder") else "%s"


def _values(instance: Model, fields: list[Field[Any, Any]], *, is_new: bool) -> list[Any]:
    database = _database()
    return [
        getattr(instance, field.attname)
        if type(field) in PLAIN
        else field.get_db_prep_save(field.pre_save(instance, is_new), database)
        for field in fields
    ]
