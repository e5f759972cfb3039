import django.contrib.postgres.fields
import django.utils.timezone
from django.db import migrations, models

import connectors.fields

ACTS = [
    ("redact", "erased a message"),
    ("erase_address", "erased an address"),
    ("erase_person", "erased a person"),
    ("export", "exported a person"),
    ("ask", "noted a request"),
    ("prove", "noted a proof"),
    ("refuse", "closed a request"),
    ("sensitive", "changed who sees a case"),
    ("consent", "noted what somebody agreed to"),
    ("retain", "changed how long we keep"),
    ("originals", "removed the originals of what was erased"),
    ("expire", "erased what was too old"),
    ("connect", "changed a connection"),
]


class Migration(migrations.Migration):
    """What was erased, while its originals are still to be emptied."""

    dependencies = [("inbox", "0034_file_imports")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AlterField("audit", "act", models.CharField(choices=ACTS, max_length=16)),
        migrations.CreateModel(
            name="Erasing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("customer_id", models.BigIntegerField()),
                (
                    "entries",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("addresses", connectors.fields.SecretsField(default=dict)),
                ("emptied", models.PositiveIntegerField(default=0)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("next_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["next_at"], name="erasing_due"),
                    models.Index(fields=["customer_id"], name="erasing_of_customer"),
                ],
            },
        ),
    ]
