from typing import Any

from django.db import migrations, transaction

from customers.identities import NotAnAddress, normalise

OTHERWISE_WRITTEN = """SELECT id, kind, scope, value FROM customers_identity
    WHERE kind IN ('phone', 'whatsapp') AND (value LIKE '+54%%' OR value LIKE '+55%%' OR value LIKE '+521%%')
    AND id > %s ORDER BY id LIMIT 1000"""
RENAME = """UPDATE customers_identity SET value = %s, spelled = value WHERE id = %s
    AND NOT EXISTS (SELECT FROM customers_identity WHERE kind = %s AND scope = %s AND value = %s)"""


def write_in_one_form(apps: Any, editor: Any) -> None:
    """A thousand at a time. Where both forms are on record, both stay: two customers may have them, and only people
    join people."""
    last: int | None = 0
    while last is not None:
        with transaction.atomic(using=editor.connection.alias):
            last = _next_thousand(editor, last)


def _next_thousand(editor: Any, after: int) -> int | None:
    """The last of their ids, or None when there are no more."""
    last = None
    with editor.connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        cursor.execute(OTHERWISE_WRITTEN, [after])
        for last, kind, scope, value in cursor.fetchall():
            try:
                form = normalise(kind, value)
            except NotAnAddress:
                continue
            if form != value:
                cursor.execute(RENAME, [form, last, kind, scope, form])
    return last


class Migration(migrations.Migration):
    """Numbers of Argentina, Brazil and Mexico that were stored as a network wrote them."""

    atomic = False

    dependencies = [
        ("customers", "0012_identity_spelled"),
    ]

    operations = [
        migrations.RunPython(write_in_one_form, migrations.RunPython.noop, elidable=True),
    ]
