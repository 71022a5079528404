-- What members chose for a conversation of theirs.
ALTER TABLE conversation_members
  -- "mentions" or "none"; NULL: of all messages.
  ADD COLUMN notifications VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN pinned BOOLEAN NOT NULL DEFAULT FALSE,
  -- The last seq id when its member hid it: hidden until there is a greater one. NULL: not hidden.
  ADD COLUMN hidden_at_seq_id BIGINT NULL;
