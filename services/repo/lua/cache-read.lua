-- KEYS[1] the epoch, KEYS[2..] cached values. ARGV[1] an epoch to begin with if there is none.
-- Answers {epoch, values, versions}: for a value that is not there, the version to store it with, or '' while
-- somebody is changing it.
local epoch = redis.call('GET', KEYS[1])
if not epoch then
  epoch = ARGV[1]
  redis.call('SET', KEYS[1], epoch)
end
local keys = {}
for i = 2, #KEYS do
  keys[i - 1] = KEYS[i]
end
local values = redis.call('MGET', unpack(keys))
local versions = {}
local now
for i, key in ipairs(keys) do
  local value = values[i]
  if value and string.sub(value, 1, #epoch) == epoch then
    versions[i] = ''
  else
    values[i] = false
    local version = '0'
    local marker = redis.call('HGETALL', 'dirty:' .. key)
    if #marker > 0 then
      if not now then
        local time = redis.call('TIME')
        now = time[1] * 1000 + math.floor(time[2] / 1000)
      end
      for field = 1, #marker, 2 do
        if marker[field] == 'version' then
          version = marker[field + 1]
        end
      end
      for field = 1, #marker, 2 do
        if marker[field] ~= 'version' and tonumber(marker[field + 1]) > now - 15000 then
          version = ''
        end
      end
    end
    versions[i] = version
  end
end
return { epoch, values, versions }
