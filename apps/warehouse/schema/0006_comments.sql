-- What the columns mean; `manage.py data_dictionary` prints this.
ALTER TABLE events MODIFY COMMENT 'Every accepted event, once.';
ALTER TABLE events
    COMMENT COLUMN org_id 'Whose event it is.',
    COMMENT COLUMN event_id 'As the source gave it, or the SHA-256 of the line; once per organisation.',
    COMMENT COLUMN timestamp 'When it happened, UTC.',
    COMMENT COLUMN received_at 'When it was written to the ingest log, UTC.',
    COMMENT COLUMN person_id 'user_id, else anonymous_id, else device_id; empty where consent was denied.',
    COMMENT COLUMN platform 'source.platform, else metadata.dsp, else api.',
    COMMENT COLUMN channel 'source.channel, else utm.medium.',
    COMMENT COLUMN campaign_id 'source.campaign_id, else campaign_id, else utm.campaign.',
    COMMENT COLUMN line_item_id 'source.line_item_id, else source.ad_group_id.',
    COMMENT COLUMN creative_id 'source.creative_id, else metadata.creative_id, else source.ad_id.',
    COMMENT COLUMN publisher 'source.publisher, else metadata.publisher, else source.placement.',
    COMMENT COLUMN cohort_id 'The named behavioural group of the proof form.',
    COMMENT COLUMN currency 'ISO 4217; the organisation''s where the event names none.',
    COMMENT COLUMN revenue 'properties.revenue.',
    COMMENT COLUMN spend 'properties.cost, or metadata.clearing_price / 1000 of an impression.',
    COMMENT COLUMN contributor_ids 'Whose signals it carried; the three arrays have one entry for each.',
    COMMENT COLUMN contributor_weights 'The measured weight of the signal.',
    COMMENT COLUMN consent 'granted, denied or unknown.',
    COMMENT COLUMN properties 'The event''s own properties, JSON, personal data taken out.',
    COMMENT COLUMN content_hash 'SHA-256 of the line as it stands in the ingest log.',
    COMMENT COLUMN batch_id 'The insert that brought it.';
ALTER TABLE event_keys MODIFY COMMENT 'Which event ids an organisation has.';
ALTER TABLE event_keys
    COMMENT COLUMN key_high 'Bytes 1 to 8 of SHA-256 of event_id, little-endian.',
    COMMENT COLUMN key_low 'Bytes 9 to 16.';
ALTER TABLE performance MODIFY COMMENT 'Sums by quarter of an hour, platform, channel and campaign.';
ALTER TABLE performance
    COMMENT COLUMN bucket 'Start of the quarter of an hour, UTC.',
    COMMENT COLUMN conversions 'Events of type conversion or purchase.',
    COMMENT COLUMN last_received 'The youngest received_at among them.';
ALTER TABLE signal_usage MODIFY COMMENT 'Events that carried a contributor''s signals, by quarter of an hour.';
ALTER TABLE signal_usage
    COMMENT COLUMN org_id 'The buyer whose event it is.',
    COMMENT COLUMN bucket 'Start of the quarter of an hour, UTC.',
    COMMENT COLUMN weight 'Sum of the signal''s weights.';
