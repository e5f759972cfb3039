from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    """Search by the start of an address or handle, and by the last digits of a number."""

    atomic = False
    dependencies = [("customers", "0003_customer_words")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS identity_words", migrations.RunSQL.noop),  # half built
        AddIndexConcurrently(
            "identity",
            GinIndex(
                OpClass(Upper("value"), "gin_trgm_ops"),
                OpClass(Upper("handle"), "gin_trgm_ops"),
                name="identity_words",
                fastupdate=False,
            ),
        ),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]
