-- ARGV[1] how long after a flush nobody is judged; then user, epoch, last active at by threes.
-- Answers {milliseconds to wait, flat list of user, epoch, last active at of those who are offline for good}.
-- Asked again with the same epoch it answers the same, until the user comes back.
local wait = read_generation().created_at + tonumber(ARGV[1]) - now
if wait > 0 then
  return { wait, {} }
end
local live = live_boots()
local gone = {}
for at = 2, #ARGV, 3 do
  local user, epoch, last = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local presence = 'user:presence:' .. user
  local record = redis.call('HMGET', presence, 'epoch', 'announced', 'told_epoch')
  local known = record[1]
  if (not known or known == epoch) and not any_live(read_boots(user), live) then
    -- Unknown since a flush: every living session has been sent again by now, so the user left before it, and
    -- friends were told of the coming. The epoch is kept, so that an earlier one of the user is not told, too.
    local announced = not known or (record[2] and record[2] ~= '')
    if announced then
      redis.call('HSET', presence, 'epoch', epoch, 'announced', '', 'told_epoch', epoch)
      redis.call('ZREM', 'presence:away', user)
    end
    if announced or record[3] == epoch then
      gone[#gone + 1] = user
      gone[#gone + 1] = epoch
      gone[#gone + 1] = seen(user, last)
    end
  end
end
return { 0, gone }
