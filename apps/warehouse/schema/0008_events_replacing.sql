-- `events` as the second wall against duplicates: `event_id` closes the sorting key, merges keep the youngest of equal
-- rows. Each row says how long it is kept, counted from its arrival, so that imported history is not gone at once.
-- Nobody writes meanwhile (`prepare` holds the ingestor's lock). Cut off anywhere and run again it begins anew:
-- `events` is whole at every moment, before the exchange and after it.
DROP VIEW IF EXISTS event_keys_from_events;
DROP VIEW IF EXISTS performance_from_events;
DROP VIEW IF EXISTS signal_usage_from_events;

DROP TABLE IF EXISTS events_moved;
CREATE TABLE events_moved
(
    org_id UUID COMMENT 'Whose event it is.',
    event_id String COMMENT 'As the source gave it, or the SHA-256 of the line; once per organisation.',
    event_type LowCardinality(String),
    timestamp DateTime64(6, 'UTC') COMMENT 'When it happened, UTC.',
    received_at DateTime64(3, 'UTC') COMMENT 'When it was written to the ingest log, UTC.',
    person_id String COMMENT 'user_id, else anonymous_id, else device_id; empty where consent was denied.',
    person_number UInt32 COMMENT 'The person''s number in persons; 0 where there is none.',
    session_id String,
    platform LowCardinality(String) COMMENT 'source.platform, else metadata.dsp, else api.',
    channel LowCardinality(String) COMMENT 'source.channel, else utm.medium.',
    campaign_id LowCardinality(String) COMMENT 'source.campaign_id, else campaign_id, else utm.campaign.',
    line_item_id LowCardinality(String) COMMENT 'source.line_item_id, else source.ad_group_id.',
    creative_id LowCardinality(String) COMMENT 'source.creative_id, else metadata.creative_id, else source.ad_id.',
    publisher LowCardinality(String) COMMENT 'source.publisher, else metadata.publisher, else source.placement.',
    cohort_id LowCardinality(String) COMMENT 'The named behavioural group of the proof form.',
    device LowCardinality(String),
    country LowCardinality(String),
    region LowCardinality(String),
    postal_code LowCardinality(String),
    currency LowCardinality(String) COMMENT 'ISO 4217; the organisation''s where the event names none.',
    revenue Decimal(38, 18) COMMENT 'properties.revenue.',
    spend Decimal(38, 18) COMMENT 'properties.cost, or metadata.clearing_price / 1000 of an impression.',
    contributor_ids Array(String) COMMENT 'Whose signals it carried; the three arrays have one entry for each.',
    contributor_signals Array(String),
    contributor_weights Array(Float64) COMMENT 'The measured weight of the signal.',
    consent LowCardinality(String) COMMENT 'granted, denied or unknown.',
    properties String COMMENT 'The event''s own properties, JSON, personal data taken out.' CODEC(ZSTD(1)),
    content_hash FixedString(32) COMMENT 'SHA-256 of the line as it stands in the ingest log.',
    batch_id UUID COMMENT 'The insert that brought it.',
    kept_days UInt16 DEFAULT 30 COMMENT 'How many days after its arrival the row is dropped.'
)
ENGINE = ReplacingMergeTree(received_at)
PARTITION BY toYYYYMM(timestamp)
PRIMARY KEY (org_id, toStartOfHour(timestamp), platform, campaign_id, timestamp)
ORDER BY (org_id, toStartOfHour(timestamp), platform, campaign_id, timestamp, event_id)
TTL toDateTime(received_at) + toIntervalDay(kept_days)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every accepted event, once; dropped some days after its arrival.';

INSERT INTO events_moved
    (org_id, event_id, event_type, timestamp, received_at, person_id, person_number, session_id, platform, channel,
    campaign_id, line_item_id, creative_id, publisher, cohort_id, device, country, region, postal_code, currency,
    revenue, spend, contributor_ids, contributor_signals, contributor_weights, consent, properties, content_hash,
    batch_id)
SELECT
    e.org_id, event_id, event_type, timestamp, received_at, person_id, if(person_id = '', 0, p.number), session_id,
    platform, channel, campaign_id, line_item_id, creative_id, publisher, cohort_id, device, country, region,
    postal_code, currency, revenue, spend, contributor_ids, contributor_signals, contributor_weights, consent,
    properties, content_hash, batch_id
FROM events AS e
LEFT ANY JOIN persons AS p
    ON p.org_id = e.org_id
    AND p.key_high = reinterpretAsUInt64(substring(SHA256(e.person_id), 1, 8))
    AND p.key_low = reinterpretAsUInt64(substring(SHA256(e.person_id), 9, 8))
SETTINGS max_partitions_per_insert_block = 0;

EXCHANGE TABLES events AND events_moved;
DROP TABLE events_moved;

CREATE MATERIALIZED VIEW event_keys_from_events TO event_keys AS
SELECT
    org_id,
    reinterpretAsUInt64(substring(SHA256(event_id), 1, 8)) AS key_high,
    reinterpretAsUInt64(substring(SHA256(event_id), 9, 8)) AS key_low,
    batch_id
FROM events;

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
ALTER TABLE signal_usage MODIFY TTL toDateTime(last_received) + INTERVAL 2 YEAR;
