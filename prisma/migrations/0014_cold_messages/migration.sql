-- Old messages live in Parquet objects of a store: what the database knows of them.

ALTER TABLE conversation_heads
  ADD COLUMN cold_until_seq BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN cold_ids_until BIGINT NOT NULL DEFAULT 0;

CREATE TABLE cold_objects (
  id BIGINT NOT NULL,
  object_key VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  bucket SMALLINT NOT NULL,
  bytes BIGINT NOT NULL,
  messages INT NOT NULL,
  created_at BIGINT NOT NULL,
  -- writing, published or retired
  state VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (id),
  KEY cold_objects_state (state, bucket),
  KEY cold_objects_key (object_key)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE cold_row_groups (
  object_id BIGINT NOT NULL,
  row_group INT NOT NULL,
  byte_start BIGINT NOT NULL,
  byte_length INT NOT NULL,
  messages INT NOT NULL,
  sha256 BINARY(32) NOT NULL,
  -- The bytes of each column: see parquet-file.ts.
  layout VARCHAR(500) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (object_id, row_group)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE cold_segments (
  conversation_id BIGINT NOT NULL,
  last_seq_id BIGINT NOT NULL,
  first_seq_id BIGINT NOT NULL,
  object_id BIGINT NOT NULL,
  row_group INT NOT NULL,
  min_message_id BIGINT NOT NULL,
  max_message_id BIGINT NOT NULL,
  first_created_at BIGINT NOT NULL,
  -- Since when the messages wait for their deletion from the database; NULL once they are deleted.
  kept_since BIGINT NULL,
  -- When a message changed first after it was written; NULL if none did.
  changed_at BIGINT NULL,
  PRIMARY KEY (conversation_id, last_seq_id),
  KEY cold_segments_message (conversation_id, max_message_id, min_message_id),
  KEY cold_segments_object (object_id),
  KEY cold_segments_kept (kept_since),
  KEY cold_segments_changed (changed_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Client message ids of archived messages, as long as a retry may come.
CREATE TABLE cold_client_msg_ids (
  conversation_id BIGINT NOT NULL,
  sender_id BIGINT NOT NULL,
  client_msg_id VARBINARY(64) NOT NULL,
  id BIGINT NOT NULL,
  seq_id BIGINT NOT NULL,
  source_partition INT NOT NULL,
  source_offset BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (conversation_id, sender_id, client_msg_id),
  KEY cold_client_msg_ids_time (created_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who is writing or rewriting objects of a bucket.
CREATE TABLE cold_leases (
  bucket SMALLINT NOT NULL,
  token CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  lease_until BIGINT NOT NULL,
  PRIMARY KEY (bucket)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- At most one row: what tells this installation's stores from those of others.
CREATE TABLE installation (
  id TINYINT NOT NULL,
  name CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- When the cold store was marked with the name; NULL before that.
  cold_marked_at BIGINT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
