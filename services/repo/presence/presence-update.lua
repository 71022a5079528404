-- ARGV: gateway, boot, a random word; then five for each session in the order they happened: what ('c' connected,
-- 'h' heartbeat, 'd' disconnected), user, session, connected at, last active at.
-- Answers {users whose friends have to be told, users whose last session went}, each a flat list of
-- user, epoch, last active at.
local gateway, boot, word = ARGV[1], ARGV[2], ARGV[3]
local generation = read_generation()
local live = live_boots()
live[boot] = gateway
local came, went = {}, {}

local function connected(what, user, id, connected_at, active_at)
  local presence = 'user:presence:' .. user
  local was_online = any_live(read_boots(user), live)
  put_session(
    user,
    id,
    { gateway_id = gateway, boot_id = boot, connected_at = connected_at, last_active_at = active_at }
  )
  redis.call('ZREM', 'presence:away', user)
  local record = redis.call('HMGET', presence, 'epoch', 'announced', 'announced_at')
  local epoch, announced, announced_at = record[1], record[2], record[3]
  -- The session is older than what Redis knows: friends were told before it forgot.
  local restored = not epoch and connected_at < generation.created_at
  if not was_online or not epoch then
    epoch = word .. ':' .. id
    redis.call('HSET', presence, 'epoch', epoch)
    redis.call('HDEL', 'presence:untold', user)
  end
  local tell = false
  if not announced or announced == '' then
    redis.call('HSET', presence, 'announced', restored and 'before' or id, 'announced_at', now)
    tell = not restored
  elseif what == 'c' and announced == id and now - tonumber(announced_at) < 60000 then
    -- The same call again: its first answer may have been lost.
    tell = true
  end
  local last = seen(user, active_at)
  if tell then
    came[#came + 1] = user
    came[#came + 1] = epoch
    came[#came + 1] = last
  end
end

local function disconnected(user, id, active_at)
  local boots = end_session(user, id, boot)
  local last = seen(user, active_at)
  if any_live(boots, live) then
    return
  end
  local presence = 'user:presence:' .. user
  local record = redis.call('HMGET', presence, 'epoch', 'announced')
  local epoch, announced = record[1], record[2]
  if not epoch then
    -- Forgotten in a flush: friends were told that the user is online.
    epoch = word .. ':' .. id
    announced = id
    redis.call('HSET', presence, 'epoch', epoch, 'announced', id, 'announced_at', now)
  end
  if announced and announced ~= '' then
    -- Should the gateway die before it tells of this, the clean-up does.
    redis.call('ZADD', 'presence:away', now, user)
    went[#went + 1] = user
    went[#went + 1] = epoch
    went[#went + 1] = last
  end
end

for at = 4, #ARGV, 5 do
  local what, user, id = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local connected_at, active_at = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  if what == 'd' then
    disconnected(user, id, active_at)
  else
    connected(what, user, id, connected_at, active_at)
  end
end
return { came, went }
