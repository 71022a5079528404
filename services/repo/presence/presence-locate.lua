-- KEYS[1] the gateways' leases. ARGV[1] how long an ended lease still counts, in ms; then the user ids.
-- Returns per gateway whose lease counts {gateway, lease, found, live}. found has one character per user, '1' if the
-- user has a session there; it is '' if not all of the gateway's sessions are known. live is 1 while the lease is
-- valid.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local leases = redis.call('HGETALL', KEYS[1])
local answer = {}
for i = 1, #leases, 2 do
  local lease = cjson.decode(leases[i + 1])
  local live = lease.expires_at > now
  if live or lease.expires_at + tonumber(ARGV[1]) > now then
    local found = ''
    if live and lease.synced and #ARGV > 1 then
      found = table.concat(redis.call('SMISMEMBER', 'gateway:users:' .. lease.boot_id, unpack(ARGV, 2)))
    end
    answer[#answer + 1] = { leases[i], leases[i + 1], found, live and 1 or 0 }
  end
end
return answer
