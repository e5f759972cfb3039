from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Sensitive cases that are live: whether anybody is left to see them is asked with every page of an admin."""

    atomic = False

    dependencies = [("inbox", "0035_erasings")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS case_live_named", migrations.RunSQL.noop),  # half built
        AddIndexConcurrently(
            "case",
            models.Index(
                fields=["id"],
                name="case_live_named",
                condition=models.Q(is_live=True) & models.Q(named_ids__isnull=False),
            ),
        ),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]
