-- ARGV[1] the gateway, ARGV[2] its boot, ARGV[3] its push address, ARGV[4] '1' if it has sent all of its sessions since
-- the last resync, ARGV[5] the length of the lease in ms.
-- Returns 1 if the gateway must send all of its sessions (again), else 0.
local gateway, boot, address, synced = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
read_generation()
local lease = read_leases()[gateway]
local known = lease and lease.boot_id == boot and lease.expires_at > now
local expires_at = now + tonumber(ARGV[5])
if not known then
  synced = false
end
redis.call(
  'HSET',
  'gateway:leases',
  gateway,
  cjson.encode({ boot_id = boot, push_address = address, synced = synced, expires_at = expires_at })
)
redis.call('ZADD', 'gateway:boots', expires_at, boot)
return synced and 0 or 1
