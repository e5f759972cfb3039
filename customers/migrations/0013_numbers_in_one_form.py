from typing import Any

from django.db import migrations

from customers.identities import NotAnAddress, normalise

OTHERWISE_WRITTEN = """SELECT id, kind, scope, value FROM customers_identity
    WHERE kind IN ('phone', 'whatsapp') AND (value LIKE '+54%' OR value LIKE '+55%' OR value LIKE '+521%')"""
RENAME = """UPDATE customers_identity SET value = %s, spelled = value WHERE id = %s
    AND NOT EXISTS (SELECT FROM customers_identity WHERE kind = %s AND scope = %s AND value = %s)"""


def write_in_one_form(apps: Any, editor: Any) -> None:
    """Where both forms are on record, both stay: two customers may have them, and only people join people."""
    with editor.connection.cursor() as cursor:
        cursor.execute(OTHERWISE_WRITTEN)
        for pk, kind, scope, value in cursor.fetchall():
            try:
                form = normalise(kind, value)
            except NotAnAddress:
                continue
            if form != value:
                cursor.execute(RENAME, [form, pk, kind, scope, form])


class Migration(migrations.Migration):
    """Numbers of Argentina, Brazil and Mexico that were stored as a network wrote them."""

    dependencies = [
        ("customers", "0012_identity_spelled"),
    ]

    operations = [
        migrations.RunPython(write_in_one_form, migrations.RunPython.noop, elidable=True),
    ]
