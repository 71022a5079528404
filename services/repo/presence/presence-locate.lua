-- KEYS[1] the gateways' leases. ARGV: how long a lease that has ended still counts, in ms; user ids.
-- Answers for each gateway whose lease counts {gateway, lease, found, live}: found has a character a user, '1' for one
-- that has a session there, or is '' when the gateway's sessions are not all known; live is 1 while the lease holds.
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
