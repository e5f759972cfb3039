from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("customers", "0008_profile_due"),
    ]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS identity_profile_due", migrations.RunSQL.noop
        ),  # half built
        AddIndexConcurrently(
            "identity",
            models.Index(
                condition=models.Q(profile_due_at__isnull=False), fields=["profile_due_at"], name="identity_profile_due"
            ),
        ),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]
