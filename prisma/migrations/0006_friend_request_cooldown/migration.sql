-- Finds the last rejection and the last acceptance between two people, however often they asked each other.
ALTER TABLE friendship_requests ADD KEY friendship_requests_pair_status (pair_key, status, id);
