from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0008_fill_mail_folder_since"),
    ]

    operations = [
        migrations.AlterField(
            model_name="connector",
            name="kind",
            field=models.CharField(
                choices=[
                    ("email", "Email"),
                    ("sms", "SMS"),
                    ("instagram", "Instagram"),
                    ("whatsapp", "WhatsApp"),
                ],
                max_length=16,
            ),
        ),
    ]
