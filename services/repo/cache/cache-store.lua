-- KEYS[1] the epoch, then keys. ARGV[1] the epoch that was read, ARGV[2] milliseconds to live, then for each key its
-- mark as it was read, and the value.
-- Stores only what nobody changed or is changing since it was read.
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
