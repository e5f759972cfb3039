from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether somebody wants what is sent by itself."""

    dependencies = [("customers", "0015_identity_writes_in")]

    operations = [
        migrations.AlterField(
            "consent",
            "purpose",
            models.CharField(
                choices=[("service", "Service"), ("marketing", "Marketing"), ("automatic", "Automatic messages")],
                db_default="service",
                default="service",
                max_length=12,
            ),
        )
    ]
