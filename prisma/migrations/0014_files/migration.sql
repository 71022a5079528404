-- Uploaded files. The bytes are in a store of objects, once per content.

-- Contents of the store, by their SHA-256. A row is there before its object and goes after it.
CREATE TABLE file_contents (
  sha256 BINARY(32) NOT NULL,
  check_at BIGINT NULL,
  deleting BOOLEAN NOT NULL DEFAULT FALSE,
  PRIMARY KEY (sha256),
  KEY file_contents_check (check_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who uploaded what.
CREATE TABLE files (
  owner_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  name VARCHAR(255) NOT NULL,
  mime VARCHAR(127) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  size BIGINT NOT NULL,
  sha256 BINARY(32) NOT NULL,
  width INT NULL,
  height INT NULL,
  thumbnail_sha256 BINARY(32) NULL,
  thumbnail_size INT NULL,
  created_at BIGINT NOT NULL,
  check_at BIGINT NULL,
  deleting BOOLEAN NOT NULL DEFAULT FALSE,
  PRIMARY KEY (owner_id, id),
  KEY files_check (check_at),
  KEY files_sha256 (sha256),
  KEY files_thumbnail (thumbnail_sha256)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- How many bytes a user's files have.
CREATE TABLE file_usage (
  user_id BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Which messages, or pictures of conversations (seq_id 0), refer to a file.
CREATE TABLE file_references (
  conversation_id BIGINT NOT NULL,
  seq_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  file_id BIGINT NOT NULL,
  PRIMARY KEY (conversation_id, seq_id, owner_id, file_id),
  KEY file_references_file (file_id, owner_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
