-- KEYS[1] the epoch, KEYS[2..] keys that were changed. ARGV[1] the writer, ARGV[2] the epoch at its begin, then for
-- each key: its version at the begin, milliseconds to live, and the new value ('' for none).
-- A new value is stored only if no other writer came or is there; else the key stays removed.
local epoch = redis.call('GET', KEYS[1])
for i = 2, #KEYS do
  local at = 3 * (i - 2) + 3
  local marker = 'dirty:' .. KEYS[i]
  redis.call('HDEL', marker, ARGV[1])
  local before = redis.call('HINCRBY', marker, 'version', 1) - 1
  local alone = before == tonumber(ARGV[at]) and redis.call('HLEN', marker) == 1
  redis.call('PEXPIRE', marker, 15000)
  if alone and ARGV[at + 2] ~= '' and epoch == ARGV[2] then
    redis.call('SET', KEYS[i], epoch .. ARGV[at + 2], 'PX', ARGV[at + 1])
  else
    redis.call('DEL', KEYS[i])
  end
end
return 1
