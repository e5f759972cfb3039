from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0007_whatsapp"),
    ]

    operations = [
        migrations.AddField(
            model_name="identity",
            name="profile_due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
