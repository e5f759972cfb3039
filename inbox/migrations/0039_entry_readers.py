from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Replies that went to others than the customer's own address: whoever is erased is forgotten there."""

    atomic = False

    dependencies = [("inbox", "0038_unheard")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS entry_readers", migrations.RunSQL.noop),  # half built
        AddIndexConcurrently(
            "entry",
            models.Index(
                fields=["case"],
                name="entry_readers",
                condition=models.Q(data__has_any_keys=["bcc", "cc", "sent_to"]),
            ),
        ),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]
