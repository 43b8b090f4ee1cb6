"""Any question about figures is answered as a plain sum over raw events would be, of one tenant and never of two."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.common.errors import InvalidInput, NotFound
from apps.common.period import AFTER_ALL, Period
from apps.omg.answering import Answer, answer
from apps.omg.answers import Asker
from apps.omg.dimensions import Dimension, Kept
from apps.omg.filters import Filters
from apps.omg.metrics import EVERY, Totals
from apps.omg.question import (
    Grain,
    Order,
    Persons,
    Question,
    check_comparison,
    find_dimensions,
    find_metrics,
    read_order,
    year_before,
)
from apps.orgs.models import Kind, Organisation
from apps.orgs.public import SERVICE, create_organisation
from apps.warehouse.public import execute
from tests.omg.test_filters import finer
from tests.support.world import YESTERDAY_NOON, World, event, import_lines

# A day of 25 hours in New York is among them.
FIRST = datetime(2025, 10, 28, tzinfo=UTC)
ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "America/St_Johns")
RAW = """
SELECT
    {keys}, count() AS events, countIf(event_type = 'impression') AS impressions,
    countIf(event_type = 'click') AS clicks, countIf(event_type IN ('conversion', 'purchase')) AS conversions,
    sum(revenue) AS revenue, sum(spend) AS spend,
    uniqExactIf(person_id, event_type = 'impression' AND person_id != '') AS reach
FROM events
WHERE org_id = {{org_id:UUID}} AND timestamp >= {{first:DateTime('UTC')}} AND timestamp < {{end:DateTime('UTC')}}{only}
GROUP BY {names}
"""
RAW_TIMES = {
    Grain.HOUR: "toStartOfHour(timestamp, {tz:String})", Grain.DAY: "toDate(timestamp, {tz:String})",
    Grain.WEEK: "toMonday(timestamp, {tz:String})", Grain.MONTH: "toStartOfMonth(timestamp, {tz:String})",
}  # fmt: skip
VALUES: dict[Dimension, tuple[str, ...]] = {
    Dimension.PLATFORM: ("hulu", "linear", "disney"), Dimension.CHANNEL: ("tv", "video"),
    Dimension.CAMPAIGN: ("c0", "c1", "c2"), Dimension.DEVICE: ("ctv", "mobile", ""),
    Dimension.COUNTRY: ("US", "NP", ""), Dimension.PUBLISHER: ("x", "=y"), Dimension.CREATIVE: ("cr0", "cr1"),
    Dimension.LINE_ITEM: ("li1", "li2", ""), Dimension.AUDIENCE: ("eco_renters", ""),
    Dimension.REGION: ("CA", "NY", ""), Dimension.POSTAL_CODE: ("10013", "94105", ""),
}  # fmt: skip


def scattered(seed: int) -> list[dict[str, Any]]:
    """Twelve days of events of every kind, many around midnights; some without consent, with cents of a cent."""
    kinds = ("impression", "impression", "impression", "click", "purchase", "page_view")
    made = []
    for number in range(500):
        drawn = (number * 7919 + seed * 104_729) % 1_000_003
        at = FIRST + timedelta(days=drawn % 12, minutes=(drawn // 12) % 97 * 15 - 30, seconds=drawn % 900)
        kind = kinds[drawn // 5 % 6]
        one = event(
            kind, at, platform=VALUES[Dimension.PLATFORM][drawn % 3], campaign=f"c{drawn // 7 % 3}",
            price=drawn % 31 + 0.125 if kind == "impression" else None,
            revenue=f"{drawn % 41}.05" if kind == "purchase" else None,
        )  # fmt: skip
        one |= {"event_id": f"{seed}-{number}", "user_id": f"p{drawn // 3 % 60}"}
        one["consent"] = {"status": "denied" if drawn % 13 == 0 else "granted"}
        one["source"] |= {
            "publisher": VALUES[Dimension.PUBLISHER][drawn // 4 % 2], "creative_id": f"cr{drawn // 8 % 2}",
        }  # fmt: skip
        one["context"] = {
            "device": {"type": VALUES[Dimension.DEVICE][drawn // 3 % 3]},
            "geo": {"country": VALUES[Dimension.COUNTRY][drawn // 9 % 3]},
        }
        made.append(finer(one, drawn, VALUES))
    return made


def make_org(**settings: Any) -> Organisation:
    slug = f"figures-{uuid4().hex[:10]}"
    made, _ = create_organisation(
        actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@first.example", **settings
    )
    return made


@pytest.fixture(scope="module")
def org(world: World, django_db_blocker: Any) -> Organisation:
    with django_db_blocker.unblock():
        made, other = make_org(), make_org()
        import_lines(made.slug, scattered(1), "--history")
        import_lines(other.slug, scattered(2), "--history")
    return made


def asked(org: Organisation, question: Question, currency: str = "USD") -> Answer:
    return answer(question, currency, Asker(org.pk, anew=True))


def raw(org: Organisation, question: Question, first: datetime, end: datetime) -> dict[tuple[Any, ...], Totals]:
    keys = [f"toString({one.column}) AS n{n}" for n, one in enumerate(question.dimensions)]
    if question.grain:
        keys.append(f"{RAW_TIMES[question.grain]} AS n{len(keys)}")
    names = [f"n{n}" for n in range(len(keys))]
    sql = RAW.format(
        keys=", ".join([*keys, "1 AS one"]), names=", ".join([*names, "one"]), only=question.filters.condition
    ).replace("{tz:", "{time_zone:")
    bound = {"first": first, "end": end, "time_zone": question.period.time_zone, **question.filters.bound}
    found = {}
    for row in execute(org.pk, "test.raw", sql, bound):
        key = tuple(row.pop(name) for name in names)
        row.pop("one")
        found[key] = Totals(**row)
    return found


PERIODS = st.builds(
    lambda start, days, zone, minutes: Period(
        (FIRST + timedelta(days=start)).date(), (FIRST + timedelta(days=start + days)).date(), zone,
        now=AFTER_ALL if minutes is None else FIRST + timedelta(minutes=minutes),
    ),
    st.integers(-3, 12), st.integers(0, 9), st.sampled_from(ZONES), st.none() | st.integers(0, 15 * 24 * 60),
)  # fmt: skip
# Campaigns that there are: of one that there is not nobody is told anything.
FILTERS = st.fixed_dictionaries(
    {}, optional={one: st.lists(st.sampled_from([*values, *(["?"] if one is not Dimension.CAMPAIGN else [])]),
                                min_size=1, unique=True).map(tuple)
                  for one, values in VALUES.items()},
).map(Filters)  # fmt: skip
METRICS = st.lists(st.sampled_from(list(EVERY.values())), min_size=1, max_size=5, unique_by=lambda one: one.key)
DIMENSIONS = st.lists(st.sampled_from(list(VALUES)), max_size=3, unique=True).map(tuple)
QUESTIONS = st.builds(
    lambda metrics, period, dimensions, grain, filters: Question(
        tuple(metrics), period, dimensions, grain, filters, limit=10_000
    ),
    METRICS, PERIODS, DIMENSIONS, st.none() | st.sampled_from(list(Grain)), st.just(Filters()) | FILTERS,
)  # fmt: skip
HYPOTHESIS = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def test_every_dimension_is_tried() -> None:
    assert set(VALUES) == set(Dimension)


@given(question=QUESTIONS)
@HYPOTHESIS
def test_any_question_agrees_with_raw_events(org: Organisation, question: Question) -> None:
    found = asked(org, question)
    exact = raw(org, question, question.period.since, question.period.until)
    assert {line.keys for line in found.lines} == set(exact)
    assert found.count == len(exact)
    everything = raw(org, Question((), question.period, filters=question.filters), question.period.since,
                     question.period.until).get((), Totals(reach=0))  # fmt: skip
    for metric in question.metrics:
        assert {line.keys: metric.value(line.now) for line in found.lines} == {
            key: metric.value(sums) for key, sums in exact.items()
        }
        assert metric.value(found.whole.now) == metric.value(everything)
        values = [value for value in (metric.value(sums) for sums in exact.values()) if value is not None]
        assert found.most.get(metric.key, 0) == pytest.approx(float(max(values, default=0)))


@given(question=QUESTIONS, year=st.booleans())
@HYPOTHESIS
def test_what_is_compared_agrees_with_raw_events(org: Organisation, question: Question, year: bool) -> None:
    period = question.period
    against = year_before(period) if year else period.previous
    grain = Grain.DAY if question.grain is Grain.DAY else None
    compared = Question(question.metrics, period, question.dimensions, grain, question.filters, against, limit=10_000)
    found = asked(org, compared)
    shift = period.start - against.start
    before = {
        (*key[:-1], key[-1] + shift) if grain else key: sums
        for key, sums in raw(org, compared, against.since, compared.before_cut).items()
    }
    so_far = raw(org, compared, period.since, period.cut)
    now = raw(org, compared, period.since, period.until)
    assert {line.keys for line in found.lines} == set(now) | set(before)
    nothing = Totals(reach=0)
    for line in found.lines:
        for metric in question.metrics:
            for part, exact in ((line.now, now), (line.so_far, so_far), (line.before, before)):
                assert part is not None
                assert metric.value(part) == metric.value(exact.get(line.keys, nothing))


@pytest.mark.parametrize("dimension", [Dimension.PLATFORM, Dimension.DEVICE])
def test_a_comparison_that_overlaps_counts_persons_in_both(org: Organisation, dimension: Dimension) -> None:
    """As a range of more than a year does with the year before."""
    period, against = (
        Period((FIRST + timedelta(days=day)).date(), (FIRST + timedelta(days=day + 7)).date(), ZONES[1], now=AFTER_ALL)
        for day in (4, 1)
    )
    question = Question(find_metrics(["reach", "clicks"]), period, (dimension,), against=against)
    found = asked(org, question)
    for line in found.lines:
        for part, span in ((line.now, period), (line.before, against)):
            assert part is not None
            exact = raw(org, question, span.since, span.until)[line.keys]
            assert [one.value(part) for one in question.metrics] == [one.value(exact) for one in question.metrics]


@given(question=QUESTIONS, descending=st.booleans(), size=st.integers(1, 7))
@settings(HYPOTHESIS, max_examples=10)
def test_pages_are_the_whole_in_order(org: Organisation, question: Question, descending: bool, size: int) -> None:
    by: list[Any] = [*question.metrics, *question.dimensions, *([None] if question.grain else [])]
    for one in by[:2]:
        ordered = Question(
            question.metrics, question.period, question.dimensions, question.grain, question.filters,
            order=(Order(one, descending),), limit=10_000,
        )  # fmt: skip
        whole = [line.keys for line in asked(org, ordered).lines]
        paged: list[Any] = []
        for offset in range(0, min(len(whole), 3 * size), size):
            paged += [line.keys for line in asked(org, replaced(ordered, limit=size, offset=offset)).lines]
        assert paged == whole[: len(paged)]
        if one in question.metrics:
            values = [one.value(line.now) for line in asked(org, ordered).lines]
            known = [float(value) for value in values if value is not None]
            assert values[len(known) :] == [None] * (len(values) - len(known))
            assert known == sorted(known, reverse=descending)


def replaced(question: Question, **changes: Any) -> Question:
    return Question(**{**question.__dict__, **changes})


def test_the_narrowest_roll_up_that_has_it_all_answers() -> None:
    period = Period(date(2026, 1, 1), date(2026, 1, 9), "America/New_York")
    reach = find_metrics(["reach", "spend"])
    narrow = Question(reach, period, (Dimension.PLATFORM, Dimension.CAMPAIGN))
    assert (narrow.table, narrow.persons) == (Kept.NARROW, Persons.DAYS)
    assert replaced(narrow, grain=Grain.DAY).persons is Persons.QUARTERS
    assert replaced(narrow, grain=Grain.DAY, period=Period(period.start, period.end, "UTC")).persons is Persons.DAYS
    assert replaced(narrow, filters=Filters({Dimension.DEVICE: ("ctv",)})).persons is Persons.EVENTS
    wide = Question(find_metrics(["spend"]), period, (Dimension.PUBLISHER,))
    assert (wide.table, wide.persons) == (Kept.WIDE, Persons.NOT_ASKED)


@pytest.mark.parametrize("name", ["America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"])
def test_hours_are_those_of_the_zones_clocks(org: Organisation, name: str) -> None:
    """New York set its clocks back on 2 November 2025: one o'clock was there twice."""
    day = date(2025, 11, 2)
    question = Question(
        find_metrics(["events"]), Period(day, day, name), grain=Grain.HOUR, limit=100,
        order=read_order(["time"], (), (), Grain.HOUR),
    )  # fmt: skip
    zone = ZoneInfo(name)
    times = [line.keys[0] for line in asked(org, question).lines]
    assert all(isinstance(one, datetime) and one.astimezone(zone).minute == 0 for one in times)
    assert len({one.astimezone(UTC) for one in times}) == len(times) > 20  # type: ignore[union-attr]
    whole = asked(org, Question(find_metrics(["events"]), question.period)).whole.now.events
    assert whole == sum(line.now.events for line in asked(org, question).lines)


@pytest.fixture(scope="module")
def alone(world: World, django_db_blocker: Any) -> Organisation:
    """One event, in a currency without cents."""
    with django_db_blocker.unblock():
        made = make_org(currency="JPY")
        one = event("purchase", YESTERDAY_NOON, platform="hulu", campaign="only")
        import_lines(made.slug, [one | {"properties": {"revenue": "1200", "currency": "JPY"}}])
    return made


DAY = Period(YESTERDAY_NOON.date(), YESTERDAY_NOON.date(), "UTC")


def test_one_event(alone: Organisation) -> None:
    question = Question(tuple(EVERY.values()), DAY, (Dimension.CAMPAIGN,), order=read_order([], (), (), None))
    found = asked(alone, question, "JPY")
    (line,) = found.lines
    assert line.keys == ("only",)
    assert {metric.key: metric.value(line.now) for metric in EVERY.values() if metric.value(line.now)} == {
        "revenue": Decimal(1200), "conversions": 1, "events": 1,
    }  # fmt: skip
    assert (found.count, found.left_out) == (1, {})
    assert found.as_of is not None


def test_no_data_at_all(world: World) -> None:
    found = asked(world.orgs["other_owner"], Question(find_metrics(["spend", "reach"]),
                                                      Period(date(2030, 1, 1), date(2030, 1, 2), "UTC")))  # fmt: skip
    assert (found.lines, found.count, found.whole.now.spend, found.whole.now.reach) == ([], 0, 0, 0)


def test_a_currency_that_is_not_the_organisations_is_left_out(alone: Organisation) -> None:
    found = asked(alone, Question(find_metrics(["revenue", "events"]), DAY, (Dimension.PLATFORM,)), "USD")
    assert (found.lines, found.left_out) == ([], {"JPY": 1})


def test_two_tenants_never_mix(org: Organisation, world: World) -> None:
    question = Question(find_metrics(["revenue"]), DAY, (Dimension.CAMPAIGN,))
    theirs = {line.keys[0] for line in asked(world.orgs["rival"], question).lines}
    ours = {line.keys[0] for line in asked(world.orgs["buyer"], question).lines}
    assert theirs == {"rivals-secret"}
    assert {"autumn", "brand"} <= ours
    assert "rivals-secret" not in ours
    with pytest.raises(NotFound, match="There is no campaign 'rivals-secret' here"):
        asked(world.orgs["buyer"], replaced(question, filters=Filters({Dimension.CAMPAIGN: ("rivals-secret",)})))


def test_new_data_shows_although_answers_are_kept(world: World, django_db_blocker: Any, monkeypatch: Any) -> None:
    asks: list[str] = []

    def counted(org_id: Any, tag: str, *more: Any) -> Any:
        asks.append(tag)
        return execute(org_id, tag, *more)

    monkeypatch.setattr("apps.omg.answers.execute", counted)
    monkeypatch.setattr("apps.omg.answers.WATERMARK_SECONDS", 0)
    with django_db_blocker.unblock():
        made = make_org()
        question = Question(find_metrics(["clicks"]), DAY)
        for number in range(2):
            import_lines(made.slug, [event("click", YESTERDAY_NOON, platform="hulu", campaign="c", number=number)])
            for _ in range(2):
                assert answer(question, "USD", Asker(made.pk)).whole.now.clicks == number + 1
    assert asks.count("omg.figures") == 2
    answer(question, "USD", Asker(made.pk, anew=True))
    assert asks.count("omg.figures") == 3


def test_answers_are_kept_for_one_scope_and_not_without_redis(world: World, monkeypatch: Any) -> None:
    asks: list[str] = []

    def counted(org_id: Any, tag: str, *more: Any) -> Any:
        asks.append(tag)
        return execute(org_id, tag, *more)

    class Away:
        def get(self, key: str) -> None:
            raise ConnectionError("Redis is away.")

        def set(self, *_: Any) -> None:
            raise ConnectionError("Redis is away.")

    monkeypatch.setattr("apps.omg.answers.execute", counted)
    org, question = world.orgs["rival"], Question(find_metrics(["revenue"]), DAY)
    for scope in ("one", "one", "another"):
        assert answer(question, "USD", Asker(org.pk, scope=f"{scope}-{id(asks)}")).whole.now.revenue == 1000
    assert asks.count("omg.figures") == 2
    monkeypatch.setattr("apps.omg.answers._store", Away)
    for _ in range(2):
        assert answer(question, "USD", Asker(org.pk)).whole.now.revenue == 1000
    assert asks.count("omg.figures") == 4


def test_reach_is_not_told_once_single_events_are_gone(org: Organisation, monkeypatch: Any) -> None:
    gone = "SELECT 1 AS single, 2 AS counted FROM events WHERE org_id = {{org_id:UUID}} LIMIT 1"
    monkeypatch.setattr("apps.omg.queries.still_kept.SQL", gone)
    period = Period(FIRST.date(), FIRST.date() + timedelta(days=11), "UTC")
    found = asked(org, Question(find_metrics(["reach", "impressions"]), period, (Dimension.DEVICE,)))
    assert {line.now.reach for line in found.lines} == {None}
    assert all(line.now.impressions for line in found.lines)
    assert "not all kept any more" in found.note


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["spnd"], "did you mean spend?"),
        (["'; DROP TABLE events; --"], "use one of spend, impressions"),
        (["SPEND"], "did you mean spend?"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(names: Sequence[str], message: str) -> None:
    with pytest.raises(InvalidInput, match="There is no metric") as refused:
        find_metrics(names)
    assert message in refused.value.message


def test_dimensions_and_order_are_checked() -> None:
    with pytest.raises(InvalidInput, match="did you mean"):
        find_dimensions(["publishr"])
    with pytest.raises(InvalidInput, match="at most 3 dimensions"):
        find_dimensions(["platform", "campaign", "device", "country"])
    with pytest.raises(InvalidInput, match="There is no column to order by 'clicks'"):
        read_order(["-clicks"], find_metrics(["spend"]), (), None)
    period = Period(date(2024, 2, 29), date(2024, 3, 1), "UTC")
    assert year_before(period).start == date(2023, 2, 28)
    with pytest.raises(InvalidInput, match="must end before"):
        check_comparison(period, period, None)
    with pytest.raises(InvalidInput, match="By week nothing is compared"):
        check_comparison(period, period.previous, Grain.WEEK)


def test_every_metric_in_sql_is_the_one_in_python() -> None:
    assert [one.sql("now_") for one in EVERY.values() if one.per is None and one.adds_up] == [
        f"now_{key}" for key in ("spend", "impressions", "clicks", "conversions", "revenue", "events")
    ]
