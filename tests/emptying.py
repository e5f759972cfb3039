"""How the database is emptied between tests that commit.

Django truncates every table and makes its permissions again: a tenth of a second, twelve hundred times. Our tables hold
a few rows each, and their foreign keys wait for the end of the transaction, so deleting them is a few milliseconds.
"""

from __future__ import annotations

from django.db import connections, transaction
from django.test import TransactionTestCase

DELETE_ALL = """
DO $$ DECLARE each regclass; BEGIN
    FOR each IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission') AND pg_relation_size(oid) > 0
    LOOP
        IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = each AND NOT tgisinternal) THEN
            EXECUTE format('TRUNCATE %s', each);  -- guarded against DELETE, and no other table points there
        ELSE
            EXECUTE format('DELETE FROM %s', each);
        END IF;
    END LOOP;
END $$
"""


def _delete_all(case: TransactionTestCase) -> None:
    for name in case._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
        with transaction.atomic(using=name), connections[name].cursor() as cursor:
            cursor.execute(DELETE_ALL)


def install() -> None:
    TransactionTestCase._fixture_teardown = _delete_all  # type: ignore[attr-defined]
