-- The search index, beside the messages that it is about.

CREATE TABLE search_heads (
  conversation_id BIGINT NOT NULL,
  last_seq_id BIGINT NOT NULL,
  PRIMARY KEY (conversation_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE search_blocks (
  conversation_id BIGINT NOT NULL,
  block INT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  samples VARBINARY(1024) NOT NULL,
  PRIMARY KEY (conversation_id, block)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE search_terms (
  conversation_id BIGINT NOT NULL,
  block INT NOT NULL,
  term VARBINARY(32) NOT NULL,
  places VARBINARY(4096) NOT NULL,
  PRIMARY KEY (conversation_id, block, term)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
