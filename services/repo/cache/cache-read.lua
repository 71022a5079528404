-- KEYS[1] the epoch, then the keys to read. ARGV[1] the epoch to set if there is none.
-- Returns {epoch, values, marks}. The mark of a missing value is what cache-store needs to store it, or '!' while a
-- writer may be changing the key.
local epoch = redis.call('GET', KEYS[1])
if not epoch then
  epoch = ARGV[1]
  redis.call('SET', KEYS[1], epoch)
end
local values = redis.call('MGET', unpack(KEYS, 2))
local marks = {}
for i, value in ipairs(values) do
  if value and string.sub(value, 1, #epoch) == epoch then
    marks[i] = '!'
  else
    values[i] = false
    local mark = redis.call('GET', 'dirty:' .. KEYS[i + 1]) or ''
    if mark ~= '' and string.sub(mark, 1, 1) ~= 'd' then
      mark = '!'
    end
    marks[i] = mark
  end
end
return { epoch, values, marks }
