-- The detailed roll-up gets what pages drill down to: line item, place and audience. Rows of before have none of them.
-- Its view no longer groups, and neither does that of signals: with so many dimensions hardly two events of a batch are
-- alike, so that grouping cost twice what it saved, and merges sum what is alike anyway. Persons' numbers have no TTL,
-- since the bitmaps that speak of them outlive any event.
DROP VIEW IF EXISTS performance_detail_from_events;
DROP VIEW IF EXISTS signal_usage_from_events;

ALTER TABLE performance_detail
    ADD COLUMN IF NOT EXISTS line_item_id LowCardinality(String) AFTER campaign_id,
    ADD COLUMN IF NOT EXISTS region LowCardinality(String) AFTER country,
    ADD COLUMN IF NOT EXISTS postal_code LowCardinality(String) AFTER region,
    ADD COLUMN IF NOT EXISTS cohort_id LowCardinality(String) COMMENT 'The audience.' AFTER creative_id,
    MODIFY ORDER BY (
        org_id, bucket, platform, campaign_id, publisher, creative_id, device, channel, country, currency,
        line_item_id, region, postal_code, cohort_id
    );

CREATE MATERIALIZED VIEW performance_detail_from_events TO performance_detail AS
SELECT
    org_id,
    toStartOfFifteenMinutes(toDateTime(timestamp, 'UTC')) AS bucket,
    platform,
    channel,
    campaign_id,
    line_item_id,
    device,
    country,
    region,
    postal_code,
    publisher,
    creative_id,
    cohort_id,
    currency,
    1 AS events,
    event_type = 'impression' AS impressions,
    event_type = 'click' AS clicks,
    event_type IN ('conversion', 'purchase') AS conversions,
    revenue,
    spend,
    received_at AS last_received
FROM events;

CREATE MATERIALIZED VIEW signal_usage_from_events TO signal_usage AS
SELECT
    org_id,
    toStartOfFifteenMinutes(toDateTime(timestamp, 'UTC')) AS bucket,
    contributor_id,
    campaign_id,
    platform,
    1 AS events,
    event_type = 'impression' AS impressions,
    event_type = 'click' AS clicks,
    event_type IN ('conversion', 'purchase') AS conversions,
    contributor_weight AS weight,
    received_at AS last_received
FROM events
ARRAY JOIN contributor_ids AS contributor_id, contributor_weights AS contributor_weight;

ALTER TABLE reported MODIFY TTL toDateTime(reported_at) + INTERVAL 2 YEAR;
