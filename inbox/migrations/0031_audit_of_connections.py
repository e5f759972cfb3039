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
    ("consent", "noted what somebody agreed to"),
    ("retain", "changed how long we keep"),
    ("expire", "erased what was too old"),
    ("connect", "changed a connection"),
]


class Migration(migrations.Migration):
    dependencies = [("inbox", "0030_audit_of_consent")]

    operations = [migrations.AlterField("audit", "act", models.CharField(choices=ACTS, max_length=16))]
