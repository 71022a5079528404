-- KEYS[1] the epoch, KEYS[2] the changes, KEYS[3] how many there were, then keys that were changed. ARGV[1] the
-- writer's mark, ARGV[2] the mark of several writers, ARGV[3] milliseconds that a mark lives, ARGV[4] the mark of a
-- finished change, ARGV[5] the epoch at the begin, ARGV[6] milliseconds that a value lives; then for each key the new
-- value ('' for none).
-- A new value is stored only by the only writer; with others there nothing is cached until their mark expires. A mark
-- that is gone was no protection to the end: what was read meanwhile is told to be changed.
local epoch = redis.call('GET', KEYS[1])
local markers = {}
for i = 4, #KEYS do
  markers[i - 3] = 'dirty:' .. KEYS[i]
end
local marks = redis.call('MGET', unpack(markers))
for i, marker in ipairs(markers) do
  local key, value = KEYS[i + 3], ARGV[i + 6]
  if marks[i] == ARGV[1] then
    redis.call('SET', marker, ARGV[4], 'PX', ARGV[3])
    if value ~= '' and epoch == ARGV[5] then
      redis.call('SET', key, epoch .. value, 'PX', ARGV[6])
    end
  else
    redis.call('SET', marker, ARGV[2], 'PX', ARGV[3])
    redis.call('DEL', key)
    redis.call('RPUSH', KEYS[2], key)
    redis.call('INCRBY', KEYS[3], 1)
  end
end
return 1
