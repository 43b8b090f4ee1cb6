"""How many impressions went to the target's cohorts: in a period, in its part that compares, and in what that is
compared with?"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.common.period import Period
from apps.omg.filters import Filters
from apps.warehouse.public import execute


@dataclass(frozen=True)
class OnTarget:
    now: int
    so_far: int
    before: int


SQL = """
SELECT
    sumIf(d.impressions, bucket >= {{start:DateTime('UTC')}}) AS now,
    sumIf(d.impressions, bucket >= {{start:DateTime('UTC')}} AND bucket < {{cut:DateTime('UTC')}}) AS so_far,
    sumIf(d.impressions, bucket < {{previous_cut:DateTime('UTC')}}) AS before
FROM performance_detail AS d
WHERE org_id = {{org_id:UUID}} AND bucket >= {{since:DateTime('UTC')}} AND bucket < {{until:DateTime('UTC')}}
    AND cohort_id IN {{cohorts:Array(String)}}{only}
"""


def fetch(org_id: UUID, period: Period, filters: Filters, cohorts: Sequence[str]) -> OnTarget:
    params = {**period.bounds, **filters.bound, "cohorts": list(cohorts)}
    return OnTarget(**execute(org_id, "omg.on_target", SQL.format(only=filters.condition), params)[0])
