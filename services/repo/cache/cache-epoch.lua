-- KEYS[1] the epoch. ARGV[1] the new epoch. It invalidates everything that was cached in an earlier epoch.
redis.call('SET', KEYS[1], ARGV[1])
return 1
