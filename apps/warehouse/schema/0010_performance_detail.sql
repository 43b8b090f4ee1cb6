-- The same sums by everything that pages filter by. As many rows as combinations that occur in a quarter of an hour, so
-- never more than events; pages that filter by nothing finer than a campaign read `performance`.
DROP VIEW IF EXISTS performance_detail_from_events;

CREATE TABLE performance_detail
(
    org_id UUID,
    bucket DateTime('UTC') COMMENT 'Start of the quarter of an hour, UTC.',
    platform LowCardinality(String),
    channel LowCardinality(String),
    campaign_id LowCardinality(String),
    device LowCardinality(String),
    country LowCardinality(String),
    publisher LowCardinality(String),
    creative_id LowCardinality(String),
    currency LowCardinality(String),
    events SimpleAggregateFunction(sum, UInt64),
    impressions SimpleAggregateFunction(sum, UInt64),
    clicks SimpleAggregateFunction(sum, UInt64),
    conversions SimpleAggregateFunction(sum, UInt64) COMMENT 'Events of type conversion or purchase.',
    revenue SimpleAggregateFunction(sum, Decimal(38, 18)),
    spend SimpleAggregateFunction(sum, Decimal(38, 18)),
    last_received SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'The youngest received_at among them.'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(bucket)
ORDER BY (org_id, bucket, platform, campaign_id, publisher, creative_id, device, channel, country, currency)
TTL toDateTime(last_received) + INTERVAL 2 YEAR
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Sums by quarter of an hour and every dimension that pages filter by.';

TRUNCATE TABLE performance_detail;

INSERT INTO performance_detail
SELECT
    org_id,
    toStartOfFifteenMinutes(toDateTime(timestamp, 'UTC')) AS bucket,
    platform,
    channel,
    campaign_id,
    device,
    country,
    publisher,
    creative_id,
    currency,
    count() AS events,
    countIf(event_type = 'impression') AS impressions,
    countIf(event_type = 'click') AS clicks,
    countIf(event_type IN ('conversion', 'purchase')) AS conversions,
    sum(revenue) AS revenue,
    sum(spend) AS spend,
    max(received_at) AS last_received
FROM events
GROUP BY org_id, bucket, platform, channel, campaign_id, device, country, publisher, creative_id, currency
SETTINGS max_partitions_per_insert_block = 0, max_bytes_before_external_group_by = 1000000000;

CREATE MATERIALIZED VIEW performance_detail_from_events TO performance_detail AS
SELECT
    org_id,
    toStartOfFifteenMinutes(toDateTime(timestamp, 'UTC')) AS bucket,
    platform,
    channel,
    campaign_id,
    device,
    country,
    publisher,
    creative_id,
    currency,
    count() AS events,
    countIf(event_type = 'impression') AS impressions,
    countIf(event_type = 'click') AS clicks,
    countIf(event_type IN ('conversion', 'purchase')) AS conversions,
    sum(revenue) AS revenue,
    sum(spend) AS spend,
    max(received_at) AS last_received
FROM events
GROUP BY org_id, bucket, platform, channel, campaign_id, device, country, publisher, creative_id, currency;
