from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Many sleep until the same nine o'clock: the index carries the whole order of the list."""

    atomic = False
    dependencies = [("inbox", "0010_case_live_moved")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS case_wakes", migrations.RunSQL.noop),  # half built
        AddIndexConcurrently(
            "case",
            models.Index(fields=["snoozed_until", "id"], name="case_wakes", condition=models.Q(("status", "snoozed"))),
        ),
        RemoveIndexConcurrently("case", "case_snoozed"),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]
