"""What an organisation's schema forgets: lines in quarantine, imports and sources' hours past their retention."""

from datetime import datetime, timedelta

from django.db.models import F, Model, Q

from apps.events.log.models import KafkaBatch, KafkaImport
from apps.events.models import FileImport, QuarantinedLine, SourceHour
from apps.orgs.public import SERVICE, Organisation, acting, in_schema_of

# A transaction a time: what was removed stays so if time runs out.
AT_A_TIME = 5_000
KEEP_BATCHES = timedelta(days=7)


def purge(org: Organisation, before: datetime) -> int:
    """Remove what is older than `before`; answers how many rows. An import that is not finished stays."""
    return (
        _purge(org, QuarantinedLine, Q(created_at__lt=before))
        + _purge(org, FileImport, Q(finished_at__lt=before))
        + _purge(org, SourceHour, Q(hour__lt=before))
    )


def _purge(org: Organisation, model: type[Model], old: Q) -> int:
    removed = 0
    while True:
        with acting(SERVICE), in_schema_of(org):
            some = list(model._default_manager.filter(old).values_list("pk", flat=True)[:AT_A_TIME])
            count, _ = model._default_manager.filter(pk__in=some).delete()
        removed += count
        if len(some) < AT_A_TIME:
            return removed


def purge_ledger(now: datetime, before: datetime) -> int:
    """Forget what PostgreSQL knows of Kafka's batches and imports that are long done with; answers how many rows."""
    with acting(SERVICE):
        batches, _ = KafkaBatch.objects.filter(done_at__lt=now - KEEP_BATCHES).delete()
        imports, _ = KafkaImport.objects.filter(changed_at__lt=before, done__gte=F("line_count")).delete()
    return batches + imports
