-- A writer runs this before it commits. It marks each key as being changed, deletes the cached value and appends the
-- key to the list of changes, which invalidates the copies in the memory of all processes.
-- KEYS[1] the epoch, KEYS[2] the list of changes, KEYS[3] the number of changes so far, then the keys about to change.
-- ARGV[1] the writer's mark, ARGV[2] the mark for several concurrent writers, ARGV[3] the TTL of a mark in ms, ARGV[4]
-- the maximum length of the list of changes.
-- Returns the epoch.
local markers = {}
for i = 4, #KEYS do
  markers[i - 3] = 'dirty:' .. KEYS[i]
end
local marks = redis.call('MGET', unpack(markers))
for i, marker in ipairs(markers) do
  local free = not marks[i] or string.sub(marks[i], 1, 1) == 'd'
  redis.call('SET', marker, free and ARGV[1] or ARGV[2], 'PX', ARGV[3])
end
redis.call('DEL', unpack(KEYS, 4))
redis.call('RPUSH', KEYS[2], unpack(KEYS, 4))
redis.call('LTRIM', KEYS[2], -ARGV[4], -1)
redis.call('INCRBY', KEYS[3], #markers)
return redis.call('GET', KEYS[1])
