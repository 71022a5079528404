-- One row, which im-repo writes several times per second if the database has replicas: how old it is in a replica is how
-- far the replica lags. `source` identifies the data: a replica of another database has another one.
CREATE TABLE replica_heartbeats (
  id TINYINT NOT NULL,
  source VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
