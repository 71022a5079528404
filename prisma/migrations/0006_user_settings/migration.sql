-- What users chose. Only users who ever chose something have a row: everybody else has the defaults.
CREATE TABLE user_settings (
  user_id BIGINT NOT NULL,
  -- "everyone" or "friends"
  group_invites VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- "everyone", "friends" or "nobody"
  last_seen VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  read_receipts BOOLEAN NOT NULL,
  -- A BCP 47 language tag; empty: not chosen.
  locale VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
