-- KEYS[1] the epoch, KEYS[2] the changes, KEYS[3] how many there were, then keys about to change. ARGV[1] the writer's
-- mark, ARGV[2] the mark of several writers at once, ARGV[3] milliseconds that a mark lives, ARGV[4] changes that are
-- kept.
-- Marks each key as being changed, removes its value and tells those who keep it in memory. Answers the epoch.
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
