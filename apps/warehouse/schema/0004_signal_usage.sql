-- Which events carried whose signals: one row per contributor of an event, summed. `org_id` is the buyer's.
CREATE TABLE signal_usage
(
    org_id UUID,
    bucket DateTime('UTC'),
    contributor_id LowCardinality(String),
    campaign_id LowCardinality(String),
    platform LowCardinality(String),
    events UInt64,
    impressions UInt64,
    clicks UInt64,
    conversions UInt64,
    weight Float64,
    last_received SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    INDEX contributor contributor_id TYPE set(0) GRANULARITY 1
)
ENGINE = SummingMergeTree((events, impressions, clicks, conversions, weight))
PARTITION BY toYYYYMM(bucket)
ORDER BY (org_id, bucket, contributor_id, campaign_id, platform)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW signal_usage_from_events TO signal_usage AS
SELECT
    org_id,
    toStartOfFifteenMinutes(toDateTime(timestamp, 'UTC')) AS bucket,
    contributor_id,
    campaign_id,
    platform,
    count() AS events,
    countIf(event_type = 'impression') AS impressions,
    countIf(event_type = 'click') AS clicks,
    countIf(event_type IN ('conversion', 'purchase')) AS conversions,
    sum(contributor_weight) AS weight,
    max(received_at) AS last_received
FROM
(
    SELECT org_id, timestamp, received_at, campaign_id, platform, event_type, contributor_id, contributor_weight
    FROM events
    ARRAY JOIN contributor_ids AS contributor_id, contributor_weights AS contributor_weight
)
GROUP BY org_id, bucket, contributor_id, campaign_id, platform;
