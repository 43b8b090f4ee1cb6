-- What buyers look at, summed as events arrive. A quarter of an hour is the largest step of which every time zone's
-- day is a whole number, so that pages may cut days in any organisation's zone.
CREATE TABLE performance
(
    org_id UUID,
    bucket DateTime('UTC'),
    platform LowCardinality(String),
    channel LowCardinality(String),
    campaign_id LowCardinality(String),
    currency LowCardinality(String),
    events UInt64,
    impressions UInt64,
    clicks UInt64,
    conversions UInt64,
    revenue Decimal(38, 18),
    spend Decimal(38, 18),
    last_received SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = SummingMergeTree((events, impressions, clicks, conversions, revenue, spend))
PARTITION BY toYYYYMM(bucket)
ORDER BY (org_id, bucket, platform, channel, campaign_id, currency)
SETTINGS non_replicated_deduplication_window = 10000;

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
    max(received_at) AS last_received
FROM events
GROUP BY org_id, bucket, platform, channel, campaign_id, currency;
