-- What somebody wrote for a flow to store: the flow's history carries its id alone.
CREATE TABLE flow_texts (
  id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  texts TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (id),
  KEY flow_texts_user (user_id),
  KEY flow_texts_time (created_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
