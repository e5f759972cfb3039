import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

ACTS = [
    ("redact", "erased a message"),
    ("erase_address", "erased an address"),
    ("erase_person", "erased a person"),
    ("export", "exported a person"),
    ("ask", "noted a request"),
    ("prove", "noted a proof"),
    ("refuse", "closed a request"),
    ("sensitive", "changed who sees a case"),
    ("retain", "changed how long we keep"),
    ("expire", "erased what was too old"),
]
ONLY_ADDED = """
CREATE FUNCTION inbox_audit_is_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of the audit are neither changed nor deleted.';
END $$;
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON inbox_audit
    FOR EACH ROW EXECUTE FUNCTION inbox_audit_is_only_added();
"""
GONE = "DROP TRIGGER only_added ON inbox_audit; DROP FUNCTION inbox_audit_is_only_added();"


class Migration(migrations.Migration):
    """Who did what to what we know of somebody."""

    dependencies = [("inbox", "0026_case_named")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Audit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("act", models.CharField(choices=ACTS, max_length=16)),
                ("why", models.CharField(blank=True, max_length=300)),
                ("customer_id", models.BigIntegerField(blank=True, null=True)),
                ("case_id", models.BigIntegerField(blank=True, null=True)),
                ("entry_id", models.BigIntegerField(blank=True, null=True)),
                ("found", models.JSONField(default=dict)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "audit",
                "indexes": [
                    models.Index(fields=["customer_id", "-id"], name="audit_of_customer"),
                    models.Index(fields=["act", "-id"], name="audit_of_act"),
                ],
            },
        ),
        migrations.RunSQL(ONLY_ADDED, GONE),
    ]
