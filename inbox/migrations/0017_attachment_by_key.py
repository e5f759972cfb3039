from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Which stored bytes have a row."""

    atomic = False
    dependencies = [("inbox", "0016_entry_arrived_at")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS attachment_by_key", migrations.RunSQL.noop),  # half built
        AddIndexConcurrently(
            "attachment",
            models.Index(condition=~models.Q(("key", "")), fields=["key"], name="attachment_by_key"),
        ),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]
