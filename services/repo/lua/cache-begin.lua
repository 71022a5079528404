-- KEYS[1] the epoch, then keys about to change. ARGV[1] the writer's mark, ARGV[2] the mark of several writers at
-- once, ARGV[3] milliseconds that a mark lives.
-- Marks each key as being changed and removes its value. Answers the epoch.
local markers = {}
for i = 2, #KEYS do
  markers[i - 1] = 'dirty:' .. KEYS[i]
end
local marks = redis.call('MGET', unpack(markers))
for i, marker in ipairs(markers) do
  local free = not marks[i] or string.sub(marks[i], 1, 1) == 'd'
  redis.call('SET', marker, free and ARGV[1] or ARGV[2], 'PX', ARGV[3])
end
redis.call('DEL', unpack(KEYS, 2))
return redis.call('GET', KEYS[1])
