from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("inbox", "0031_audit_of_connections")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS entry_erased", migrations.RunSQL.noop),  # half built
        AddIndexConcurrently(
            "entry",
            models.Index(fields=["erased_at"], name="entry_erased", condition=models.Q(erased_at__isnull=False)),
        ),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]
