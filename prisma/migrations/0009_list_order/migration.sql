-- A page of a list begins behind the last row of the page before: each list's order is one of an index.

ALTER TABLE sessions
  DROP KEY sessions_user,
  ADD KEY sessions_user (user_id, created_at, id);

ALTER TABLE friendship_requests
  ADD KEY friendship_requests_target_id (target_id, id),
  ADD KEY friendship_requests_requester_id (requester_id, id);

ALTER TABLE user_blocks
  ADD KEY user_blocks_time (user_id, created_at, blocked_id);
