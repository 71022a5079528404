-- KEYS[1] the epoch, KEYS[2..] keys about to change. ARGV[1] the writer.
-- Marks each key as being changed, for 15 s at most, and removes its value.
-- Answers {epoch, versions}: what cache-end needs to store new values.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local versions, keys = {}, {}
for i = 2, #KEYS do
  local marker = 'dirty:' .. KEYS[i]
  if redis.call('HLEN', marker) > 1 then
    -- A writer that died would keep the marker alive as long as others come.
    local fields = redis.call('HGETALL', marker)
    for field = 1, #fields, 2 do
      if fields[field] ~= 'version' and tonumber(fields[field + 1]) <= now - 15000 then
        redis.call('HDEL', marker, fields[field])
      end
    end
  end
  redis.call('HSET', marker, ARGV[1], now)
  versions[i - 1] = redis.call('HINCRBY', marker, 'version', 1)
  redis.call('PEXPIRE', marker, 15000)
  keys[i - 1] = KEYS[i]
end
redis.call('DEL', unpack(keys))
return { redis.call('GET', KEYS[1]), versions }
