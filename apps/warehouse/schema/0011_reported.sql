-- What platforms report of their campaigns. A later statement about the same campaign and hour replaces the earlier
-- one. Not partitioned, so that one insert is one part: a file counts whole or not at all.
CREATE TABLE reported
(
    org_id UUID COMMENT 'Whose campaign it is.',
    hour DateTime('UTC') COMMENT 'Start of the hour, UTC; of the day, in the organisation''s zone, for a day''s figures.',
    source LowCardinality(String) COMMENT 'Which report or agent says so.',
    platform LowCardinality(String) COMMENT 'Where the campaign ran.',
    campaign String COMMENT 'The campaign''s id, else its name.',
    grain LowCardinality(String) COMMENT 'hour or day: how long the figures are for. The grain that was reported last counts for a day.',
    campaign_name String COMMENT 'Empty where only the id is reported.',
    currency LowCardinality(String) COMMENT 'ISO 4217, of spend and revenue.',
    spend Nullable(Decimal(38, 18)) COMMENT 'Null where it is not reported, as with the other figures.',
    impressions Nullable(UInt64),
    clicks Nullable(UInt64),
    conversions Nullable(Decimal(38, 18)) COMMENT 'Platforms share conversions out, so they have fractions.',
    revenue Nullable(Decimal(38, 18)),
    reported_at DateTime64(3, 'UTC') COMMENT 'When the import or the request began; the youngest wins.',
    import_id UUID COMMENT 'The import that brought it; zero when it was pushed.'
)
ENGINE = ReplacingMergeTree(reported_at)
ORDER BY (org_id, hour, source, platform, campaign, grain)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Campaign performance as platforms report it, by hour or day.';

CREATE TABLE reported_rows
(
    org_id UUID COMMENT 'Whose file it is.',
    import_id UUID COMMENT 'The import that reads it.',
    hour DateTime('UTC'),
    source LowCardinality(String),
    platform LowCardinality(String),
    campaign String,
    grain LowCardinality(String),
    campaign_name String,
    currency LowCardinality(String),
    spend Nullable(Decimal(38, 18)),
    impressions Nullable(UInt64),
    clicks Nullable(UInt64),
    conversions Nullable(Decimal(38, 18)),
    revenue Nullable(Decimal(38, 18)),
    reported_at DateTime64(3, 'UTC'),
    staged_at DateTime('UTC') DEFAULT now()
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(staged_at)
ORDER BY (org_id, import_id)
TTL staged_at + INTERVAL 1 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000
COMMENT 'Rows of a file of performance while it is read, for a day; then summed into reported.';
