-- ARGV: gateway, boot, push address, '1' when all its sessions were sent since the last resync, lease in ms.
-- Answers 1 when it has to send all of its sessions (again).
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
