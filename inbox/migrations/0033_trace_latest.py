from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """What somebody told last, without sorting all they ever told."""

    atomic = False

    dependencies = [("inbox", "0032_entry_erased")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS trace_latest", migrations.RunSQL.noop),  # half built
        AddIndexConcurrently("trace", models.Index(fields=["identity", "-id"], name="trace_latest")),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]
