-- Which database has which part of the conversations, by its name in DATABASES_FILE. Filled at the first start.
CREATE TABLE conversation_buckets (
  bucket SMALLINT NOT NULL,
  shard VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (bucket)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
