-- A writer runs this after its commit or rollback.
-- KEYS[1] the epoch, KEYS[2] the list of changes, KEYS[3] the number of changes so far, then the changed keys. ARGV[1]
-- the writer's mark, ARGV[2] the mark for several concurrent writers, ARGV[3] the TTL of a mark in ms, ARGV[4] the mark
-- of a finished change, ARGV[5] the epoch that cache-begin returned, ARGV[6] the TTL of a value in ms, then per key the
-- new value ('' for none).
-- A new value is stored only if this was the only writer of its key. With several writers the key is not cached until
-- their mark expires. If this writer's mark expired early, readers may have cached an old value, so the key is deleted
-- and appended to the list of changes once more.
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
