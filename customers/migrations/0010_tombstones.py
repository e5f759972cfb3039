import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """People and addresses that asked to be forgotten."""

    dependencies = [("customers", "0009_profile_due_index")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Tombstone",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("erased_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.AddField("customer", "erased_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("identity", "erased_at", models.DateTimeField(blank=True, null=True)),
    ]
