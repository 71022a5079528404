-- ARGV[1] how long after a flush nobody is judged; then user, epoch by pairs.
-- Answers {milliseconds to wait, flat list of user, epoch, last active at of those who are offline for good}.
-- Asked again with the same epoch it answers the same, until the user comes back.
local wait = read_generation().created_at + tonumber(ARGV[1]) - now
if wait > 0 then
  return { wait, {} }
end
local live = live_boots()
local gone = {}
for at = 2, #ARGV, 2 do
  local user, epoch = ARGV[at], ARGV[at + 1]
  local presence = 'user:presence:' .. user
  local record = redis.call('HMGET', presence, 'epoch', 'announced', 'told_epoch', 'last_active_at')
  if record[1] == epoch and not any_live(read_sessions(user), live) then
    local announced = record[2] and record[2] ~= ''
    if announced then
      redis.call('HSET', presence, 'announced', '', 'told_epoch', epoch)
    end
    if announced or record[3] == epoch then
      gone[#gone + 1] = user
      gone[#gone + 1] = epoch
      gone[#gone + 1] = record[4] or '0'
    end
  end
end
return { 0, gone }
