-- KEYS[1] the epoch, then the keys to store. ARGV[1] the epoch that cache-read returned, ARGV[2] the TTL in ms, then
-- per key the mark that cache-read returned and the value.
-- Stores a value only if no writer has changed its key, or begun to, since the mark was read. Returns the number of
-- stored values.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local stored = 0
for i = 2, #KEYS do
  if (redis.call('GET', 'dirty:' .. KEYS[i]) or '') == ARGV[2 * i - 1] then
    redis.call('SET', KEYS[i], ARGV[1] .. ARGV[2 * i], 'PX', ARGV[2])
    stored = stored + 1
  end
end
return stored
