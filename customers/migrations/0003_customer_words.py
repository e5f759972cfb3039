from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    """Search by any word of a name. Built beside the traffic; gives up rather than queue everybody behind it."""

    atomic = False
    dependencies = [("customers", "0002_trigrams")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS customer_words", migrations.RunSQL.noop),  # half built
        AddIndexConcurrently(
            "customer", GinIndex(OpClass(Upper("name"), "gin_trgm_ops"), name="customer_words", fastupdate=False)
        ),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]
