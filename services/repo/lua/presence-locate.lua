-- KEYS[1] the gateways' leases. ARGV: user ids.
-- Answers for each gateway whose lease holds {gateway, lease, found}: found has a character a user, '1' for one that
-- has a session there, or is '' when the gateway's sessions are not all known.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local leases = redis.call('HGETALL', KEYS[1])
local answer = {}
for i = 1, #leases, 2 do
  local lease = cjson.decode(leases[i + 1])
  if lease.expires_at > now then
    local found = ''
    if lease.synced and #ARGV > 0 then
      found = table.concat(redis.call('SMISMEMBER', 'gateway:users:' .. lease.boot_id, unpack(ARGV)))
    end
    answer[#answer + 1] = { leases[i], leases[i + 1], found }
  end
end
return answer
