-- ARGV: boots whose sessions could not be registered. Also begins a new generation if Redis was flushed or restarted.
read_generation()
local doubtful = {}
for _, boot in ipairs(ARGV) do
  doubtful[boot] = true
end
for gateway, lease in pairs(read_leases()) do
  if doubtful[lease.boot_id] and lease.synced then
    lease.synced = false
    redis.call('HSET', 'gateway:leases', gateway, cjson.encode(lease))
  end
end
return 1
