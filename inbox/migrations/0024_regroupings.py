import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """What agents put into other cases."""

    dependencies = [("inbox", "0023_case_beside")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Regrouping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("matter", "A second matter"),
                            ("moved", "Another live case"),
                            ("person", "Another person"),
                            ("rejoined", "One matter after all"),
                        ],
                        max_length=8,
                    ),
                ),
                ("entries", models.JSONField(default=dict)),
                ("before", models.JSONField(default=dict)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "from_case",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="inbox.case"),
                ),
                (
                    "to_case",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="inbox.case"),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["from_case"], name="regrouping_from"),
                    models.Index(fields=["to_case"], name="regrouping_to"),
                ],
            },
        ),
    ]
