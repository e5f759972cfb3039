from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """What was let go, the latest first."""

    atomic = False
    dependencies = [("connectors", "0010_receipt_journal")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS receipt_discarded", migrations.RunSQL.noop),  # half built
        AddIndexConcurrently(
            "receipt",
            models.Index(condition=models.Q(("state", "discarded")), fields=["-id"], name="receipt_discarded"),
        ),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]
