import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

STATES = [
    ("opted_out", "Opted out"),
    ("opted_in", "Opted in again"),
    ("implicit", "May be assumed"),
    ("explicit", "Agreed"),
    ("double", "Agreed, and confirmed it"),
]
ONLY_ADDED = """
CREATE FUNCTION customers_consent_is_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        OLD.words := '';
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;  -- whoever asks to be forgotten is
        END IF;
    END IF;
    RAISE EXCEPTION 'What somebody agreed to is neither changed nor deleted.';
END $$;
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON customers_consent
    FOR EACH ROW EXECUTE FUNCTION customers_consent_is_only_added();
"""
GONE = "DROP TRIGGER only_added ON customers_consent; DROP FUNCTION customers_consent_is_only_added();"


class Migration(migrations.Migration):
    """What somebody agreed to, for what, where they said so, and who noted it; for good."""

    dependencies = [
        ("customers", "0013_numbers_in_one_form"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AlterField("consent", "state", models.CharField(choices=STATES, max_length=16)),
        migrations.AddField(
            "consent",
            "purpose",
            models.CharField(
                choices=[("service", "Service"), ("marketing", "Marketing")],
                db_default="service",
                default="service",
                max_length=12,
            ),
        ),
        migrations.AddField("consent", "entry_uuid", models.UUIDField(blank=True, null=True)),
        migrations.AddField(
            "consent",
            "noted_by",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunSQL(ONLY_ADDED, GONE),
    ]
