from django.db import migrations, models


class Migration(migrations.Migration):
    """A number as its provider writes it, where that is not the form we know it by."""

    dependencies = [
        ("customers", "0011_profiles"),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField(
            model_name="identity",
            name="spelled",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
    ]
