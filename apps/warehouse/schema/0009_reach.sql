-- Who saw what, exactly: a bitmap of the persons exposed beside the sums of each quarter of an hour, and one for each day
-- of UTC, so that a long range is a union of days and only its edges are quarters. Made anew from `events`, which holds
-- everything at this moment; the views come back last. Cut off anywhere and run again it begins anew.
DROP VIEW IF EXISTS reach_days_from_performance;
DROP VIEW IF EXISTS performance_from_events;

DROP TABLE IF EXISTS performance_moved;
CREATE TABLE performance_moved
(
    org_id UUID,
    bucket DateTime('UTC') COMMENT 'Start of the quarter of an hour, UTC.',
    platform LowCardinality(String),
    channel LowCardinality(String),
    campaign_id LowCardinality(String),
    currency LowCardinality(String),
    events SimpleAggregateFunction(sum, UInt64),
    impressions SimpleAggregateFunction(sum, UInt64),
    clicks SimpleAggregateFunction(sum, UInt64),
    conversions SimpleAggregateFunction(sum, UInt64) COMMENT 'Events of type conversion or purchase.',
    revenue SimpleAggregateFunction(sum, Decimal(38, 18)),
    spend SimpleAggregateFunction(sum, Decimal(38, 18)),
    persons AggregateFunction(groupBitmap, UInt32) COMMENT 'Numbers of the persons with an impression.',
    last_received SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'The youngest received_at among them.'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(bucket)
ORDER BY (org_id, bucket, platform, channel, campaign_id, currency)
TTL toDateTime(last_received) + INTERVAL 2 YEAR
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Sums and persons by quarter of an hour, platform, channel and campaign.';

INSERT INTO performance_moved
SELECT
    org_id,
    toStartOfFifteenMinutes(toDateTime(timestamp, 'UTC')) AS bucket,
    platform,
    channel,
    campaign_id,
    currency,
    count() AS events,
    countIf(event_type = 'impression') AS impressions,
    countIf(event_type = 'click') AS clicks,
    countIf(event_type IN ('conversion', 'purchase')) AS conversions,
    sum(revenue) AS revenue,
    sum(spend) AS spend,
    groupBitmapStateIf(person_number, event_type = 'impression' AND person_number != 0) AS persons,
    max(received_at) AS last_received
FROM events
GROUP BY org_id, bucket, platform, channel, campaign_id, currency
SETTINGS max_partitions_per_insert_block = 0, max_bytes_before_external_group_by = 1000000000;

EXCHANGE TABLES performance AND performance_moved;
DROP TABLE performance_moved;

CREATE TABLE reach_days
(
    org_id UUID,
    day Date COMMENT 'Of UTC.',
    platform LowCardinality(String),
    channel LowCardinality(String),
    campaign_id LowCardinality(String),
    persons AggregateFunction(groupBitmap, UInt32) COMMENT 'Numbers of the persons with an impression.',
    last_received SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'The youngest received_at among them.'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (org_id, day, platform, channel, campaign_id)
TTL toDateTime(last_received) + INTERVAL 2 YEAR
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Persons by day of UTC, platform, channel and campaign.';

TRUNCATE TABLE reach_days;

INSERT INTO reach_days
SELECT
    org_id,
    toDate(bucket, 'UTC') AS day,
    platform,
    channel,
    campaign_id,
    groupBitmapMergeState(persons) AS persons,
    max(p.last_received) AS last_received
FROM performance AS p
GROUP BY org_id, day, platform, channel, campaign_id
SETTINGS max_partitions_per_insert_block = 0, max_bytes_before_external_group_by = 1000000000;

CREATE MATERIALIZED VIEW reach_days_from_performance TO reach_days AS
SELECT
    org_id,
    toDate(bucket, 'UTC') AS day,
    platform,
    channel,
    campaign_id,
    groupBitmapMergeState(persons) AS persons,
    max(p.last_received) AS last_received
FROM performance AS p
GROUP BY org_id, day, platform, channel, campaign_id;

CREATE MATERIALIZED VIEW performance_from_events TO performance AS
SELECT
    org_id,
    toStartOfFifteenMinutes(toDateTime(timestamp, 'UTC')) AS bucket,
    platform,
    channel,
    campaign_id,
    currency,
    count() AS events,
    countIf(event_type = 'impression') AS impressions,
    countIf(event_type = 'click') AS clicks,
    countIf(event_type IN ('conversion', 'purchase')) AS conversions,
    sum(revenue) AS revenue,
    sum(spend) AS spend,
    groupBitmapStateIf(person_number, event_type = 'impression' AND person_number != 0) AS persons,
    max(received_at) AS last_received
FROM events
GROUP BY org_id, bucket, platform, channel, campaign_id, currency;
