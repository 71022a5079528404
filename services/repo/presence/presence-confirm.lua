-- Confirms which users are still offline.
-- ARGV[1] ms after a flush during which no user is declared offline; then triples of user, epoch, last active at.
-- Returns {ms to wait, offline users as a flat list of user, epoch, last active at}. A repeated call with the same
-- epoch returns the same, until the user comes back.
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
    -- A user without an epoch is unknown since a flush. All live sessions have been sent again by now, so the user left
    -- before the flush, and friends were notified that the user was online. The epoch is stored, so that an earlier
    -- epoch of the user is not reported as well.
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
