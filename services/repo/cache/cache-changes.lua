-- KEYS[1] the epoch, KEYS[2] the changes, KEYS[3] how many there were. ARGV[1] an epoch to begin with if there is none,
-- ARGV[2] the epoch and ARGV[3] the number of changes that the reader knows.
-- Answers {epoch, number, keys changed since}, without the keys when they can't be told.
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
