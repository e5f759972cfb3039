import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """What a provider would not show when it was asked for what we may have missed."""

    dependencies = [
        ("connectors", "0013_receipt_received"),
        ("inbox", "0037_draft_recipients"),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Unheard",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=255)),
                ("since", models.DateTimeField()),
                ("reason", models.CharField(max_length=300)),
                ("tries", models.PositiveSmallIntegerField(default=1)),
                (
                    "connector",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="unheard", to="connectors.connector"
                    ),
                ),
            ],
            options={"verbose_name_plural": "unheard", "ordering": ["tries", "pk"]},
        ),
        migrations.AddConstraint(
            model_name="unheard",
            constraint=models.UniqueConstraint(fields=("connector", "name"), name="unheard_once"),
        ),
    ]
