-- KEYS[1] the epoch, KEYS[2..] keys. ARGV[1] the epoch that was read, ARGV[2] milliseconds to live, then for each
-- key its version as it was read, and the value.
-- Stores only what nobody changed or is changing since it was read.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local stored = 0
for i = 2, #KEYS do
  local version, value = ARGV[2 * i - 1], ARGV[2 * i]
  local marker = 'dirty:' .. KEYS[i]
  local fields = redis.call('HLEN', marker)
  local unchanged = fields == 0 and version == '0'
  if fields == 1 then
    unchanged = redis.call('HGET', marker, 'version') == version
  end
  if unchanged then
    redis.call('SET', KEYS[i], ARGV[1] .. value, 'PX', ARGV[2])
    stored = stored + 1
  end
end
return stored
