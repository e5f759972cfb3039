import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import inbox.models.privacy_request

WISHES = [("access", "Wants to know what we know"), ("erasure", "Wants to be forgotten")]


def agent() -> models.ForeignKey:
    return models.ForeignKey(
        blank=True,
        null=True,
        on_delete=django.db.models.deletion.SET_NULL,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
    )


def noted_by() -> models.ForeignKey:
    return models.ForeignKey(
        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
    )


class Migration(migrations.Migration):
    """What people ask of us, with a due date; and how long messages are kept."""

    dependencies = [("inbox", "0027_audit"), ("connectors", "0013_receipt_received")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="PrivacyRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("wish", models.CharField(choices=WISHES, max_length=8)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField(default=inbox.models.privacy_request.due)),
                ("proof", models.CharField(blank=True, max_length=300)),
                ("proven_at", models.DateTimeField(blank=True, null=True)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("outcome", models.CharField(blank=True, max_length=300)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="privacy_requests",
                        to="customers.customer",
                    ),
                ),
                ("noted_by", noted_by()),
                ("proven_by", agent()),
                ("done_by", agent()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["due_at"], name="privacy_request_due", condition=models.Q(done_at=None))
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["customer", "wish"],
                        condition=models.Q(done_at=None),
                        name="one_open_request_of_a_kind",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RetentionRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("days", models.PositiveIntegerField()),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("made_by", noted_by()),
                (
                    "connector",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="connectors.connector",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inbox.team",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["team", "connector"], nulls_distinct=False, name="one_rule_for_each"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(team=None) | models.Q(connector=None),
                        name="a_rule_is_of_a_team_or_a_connection",
                    ),
                    models.CheckConstraint(condition=models.Q(days__gte=1), name="a_rule_keeps_a_day_at_least"),
                ],
            },
        ),
    ]
