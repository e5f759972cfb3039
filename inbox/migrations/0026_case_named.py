import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("inbox", "0025_erased_and_sensitive")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS case_named", migrations.RunSQL.noop),  # half built
        AddIndexConcurrently(
            "case",
            django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(named_ids__isnull=False), fastupdate=False, fields=["named_ids"], name="case_named"
            ),
        ),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]
