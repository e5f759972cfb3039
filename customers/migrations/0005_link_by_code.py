from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0004_identity_words"),
    ]

    operations = [
        migrations.AlterField(
            model_name="identitylink",
            name="reason",
            field=models.CharField(
                choices=[
                    ("first_seen", "wrote from this address first"),
                    ("imported", "on record from an import"),
                    ("added", "added by an agent"),
                    ("joined", "an agent said it is the same person"),
                    ("code", "wrote a code that we had given"),
                ],
                max_length=16,
            ),
        ),
    ]
