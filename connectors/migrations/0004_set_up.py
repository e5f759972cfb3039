from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0003_asked_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="connector",
            name="is_set_up",
            field=models.BooleanField(default=True, db_default=True),
        ),
    ]
