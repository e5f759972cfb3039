import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

ENTRY = {
    "blank": True,
    "null": True,
    "on_delete": django.db.models.deletion.CASCADE,
    "related_name": "+",
    "to": "inbox.entry",
}


class Migration(migrations.Migration):
    """Who may be the same person, and by what people are known again."""

    dependencies = [("inbox", "0028_requests_and_retention")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Upto",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Considered",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="inbox.entry",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={"indexes": [models.Index(fields=["at"], name="considered_lately")]},
        ),
        migrations.CreateModel(
            name="Trace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("email", "An email address in a text"),
                            ("phone", "A number in a text"),
                            ("handle", "A handle, the first part of an address, a name written as one word"),
                            ("mailbox", "The mailbox behind an address: without dots and +tags"),
                            ("order", "An order number"),
                            ("file", "A file, by its sha256"),
                            ("words", "A long text, by its sha256"),
                            ("name", "A full name"),
                            ("sound", "A full name, roughly"),
                            ("self", "A first name somebody gives as theirs"),
                            ("elsewhere", "Says that they wrote on another channel"),
                        ],
                        max_length=9,
                    ),
                ),
                ("value", models.CharField(max_length=320)),
                ("manner", models.CharField(blank=True, max_length=9)),
                ("entry", models.ForeignKey(**{**ENTRY, "related_name": "traces"})),
                (
                    "identity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="traces", to="customers.identity"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["kind", "value", "identity"], name="trace_by_value")],
                "constraints": [models.UniqueConstraint(fields=("identity", "kind", "value"), name="trace_once")],
            },
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("points", models.SmallIntegerField(default=0)),
                (
                    "strength",
                    models.CharField(
                        choices=[("strong", "Strong"), ("possible", "Possible"), ("weak", "Weak")], max_length=8
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("asked", "The customer was asked"),
                            ("accepted", "The same person"),
                            ("different", "Different people"),
                            ("dropped", "Nothing speaks for it any more"),
                        ],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "one",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="customers.customer"
                    ),
                ),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="customers.customer"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["other"], name="proposal_by_other"),
                    models.Index(
                        condition=models.Q(("state__in", ("open", "asked"))),
                        fields=["-points", "-id"],
                        name="proposal_undecided",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("one", "other"), name="proposal_once"),
                    models.CheckConstraint(
                        condition=models.Q(("one__lt", models.F("other"))), name="proposal_in_order"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=16)),
                ("is_for", models.BooleanField()),
                ("points", models.SmallIntegerField()),
                ("value", models.CharField(blank=True, max_length=320)),
                ("words", models.CharField(max_length=400)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("one_entry", models.ForeignKey(**ENTRY)),
                ("other_entry", models.ForeignKey(**ENTRY)),
                (
                    "proposal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="evidence", to="inbox.proposal"
                    ),
                ),
            ],
            options={
                "ordering": ["-is_for", "-points", "pk"],
                "constraints": [models.UniqueConstraint(fields=("proposal", "kind", "value"), name="evidence_once")],
            },
        ),
    ]
