-- KEYS[1] the epoch. ARGV[1] a new one: whatever was cached before is void.
redis.call('SET', KEYS[1], ARGV[1])
return 1
