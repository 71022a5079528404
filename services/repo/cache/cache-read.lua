-- KEYS[1] the epoch, then cached keys. ARGV[1] an epoch to begin with if there is none.
-- Answers {epoch, values, marks}: for a value that is not there, the mark to store it with, or '!' while somebody
-- may be changing it.
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
