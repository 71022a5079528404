-- A reader runs this to learn which keys changed since its last call.
-- KEYS[1] the epoch, KEYS[2] the list of changes, KEYS[3] the number of changes so far. ARGV[1] the epoch to set if
-- there is none, ARGV[2] the epoch that the reader knows, ARGV[3] the number of changes that the reader knows.
-- Returns {epoch, number of changes, changed keys}. The keys are left out if the epoch differs or the list no longer
-- reaches back far enough: any key may then have changed.
local epoch = redis.call('GET', KEYS[1])
if not epoch then
  epoch = ARGV[1]
  redis.call('SET', KEYS[1], epoch)
end
local number = tonumber(redis.call('GET', KEYS[3]) or '0')
local behind = number - ARGV[3]
if epoch ~= ARGV[2] or behind < 0 or behind > redis.call('LLEN', KEYS[2]) then
  return { epoch, number }
end
return { epoch, number, behind == 0 and {} or redis.call('LRANGE', KEYS[2], -behind, -1) }
