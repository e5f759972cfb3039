from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """The input that an entry came in, by when it came."""

    atomic = False
    dependencies = [("connectors", "0012_held_until")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS receipt_received", migrations.RunSQL.noop),  # half built
        AddIndexConcurrently("receipt", models.Index(fields=["received_at"], name="receipt_received")),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]
