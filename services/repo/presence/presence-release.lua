-- ARGV: gateway, boot. Ends the lease; what is left of the boot's sessions is the clean-up's.
local lease = read_leases()[ARGV[1]]
if lease and lease.boot_id == ARGV[2] then
  redis.call('HDEL', 'gateway:leases', ARGV[1])
end
redis.call('ZADD', 'gateway:boots', now, ARGV[2])
return 1
