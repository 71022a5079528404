-- The last seq that was stored for direct delivery before the conversation went over to fan-out.
ALTER TABLE conversation_heads ADD COLUMN fanout_from_seq BIGINT NOT NULL DEFAULT 0;
