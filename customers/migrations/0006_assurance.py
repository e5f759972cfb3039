from django.db import migrations, models


class Migration(migrations.Migration):
    """What tells how sure an address is."""

    dependencies = [
        ("customers", "0005_link_by_code"),
    ]

    operations = [
        migrations.AddField(
            model_name="identity",
            name="doubted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="identity",
            name="is_shared",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="identity",
            name="vouched_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
