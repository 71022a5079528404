-- ARGV[1] the gateway, ARGV[2] its boot. Ends the lease. The clean-up ends the remaining sessions of the boot.
local lease = read_leases()[ARGV[1]]
if lease and lease.boot_id == ARGV[2] then
  redis.call('HDEL', 'gateway:leases', ARGV[1])
end
redis.call('ZADD', 'gateway:boots', now, ARGV[2])
return 1
