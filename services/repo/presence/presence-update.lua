-- Records session events of a gateway.
-- ARGV[1] the gateway, ARGV[2] its boot, ARGV[3] a random word; then, in the order of the events, five values per
-- session: event ('c' connected, 'h' heartbeat, 'd' disconnected), user, session, connected at, last active at.
-- Returns {users who came online and whose friends must be notified, users whose last session closed}, each as a flat
-- list of user, epoch, last active at.
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
  -- The session is older than the data in Redis, so friends were notified before Redis lost the data.
  local restored = not epoch and connected_at < generation.created_at
  if not was_online or not epoch then
    epoch = word .. ':' .. id
    redis.call('HSET', presence, 'epoch', epoch)
    redis.call('HDEL', 'presence:untold', user)
  end
  local announce = false
  if not announced or announced == '' then
    redis.call('HSET', presence, 'announced', restored and 'before' or id, 'announced_at', now)
    announce = not restored
  elseif what == 'c' and announced == id and now - tonumber(announced_at) < 60000 then
    -- The call may have been repeated because its first response was lost.
    announce = true
  end
  local last = seen(user, active_at)
  if announce then
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
    -- Redis lost the user's record in a flush. Friends were notified that the user is online.
    epoch = word .. ':' .. id
    announced = id
    redis.call('HSET', presence, 'epoch', epoch, 'announced', id, 'announced_at', now)
  end
  if announced and announced ~= '' then
    -- If the gateway dies before it reports this, the clean-up reports it.
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
