-- Shared functions, prepended to the other presence scripts. presence-keys.ts describes the keys.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Returns the leases of all gateways: {gateway = lease}.
local function read_leases()
  local leases = {}
  local raw = redis.call('HGETALL', 'gateway:leases')
  for i = 1, #raw, 2 do
    leases[raw[i]] = cjson.decode(raw[i + 1])
  end
  return leases
end

-- Returns the boots with a valid lease: {boot = gateway}. Sessions of other boots do not count.
local function live_boots()
  local live = {}
  for gateway, lease in pairs(read_leases()) do
    if lease.expires_at > now then
      live[lease.boot_id] = gateway
    end
  end
  return live
end

-- Returns the generation, which says since when Redis has its data. A flush, or a restart that may restore old data,
-- begins a new generation. In it, no gateway counts as synced until it has sent all of its sessions again.
local function read_generation()
  local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  local raw = redis.call('GET', 'presence:generation')
  if raw then
    local generation = cjson.decode(raw)
    if generation.run_id == run_id then
      return generation
    end
  end
  local generation = { created_at = now, run_id = run_id }
  redis.call('SET', 'presence:generation', cjson.encode(generation))
  for gateway, lease in pairs(read_leases()) do
    lease.synced = false
    redis.call('HSET', 'gateway:leases', gateway, cjson.encode(lease))
  end
  return generation
end

-- Returns all sessions of a user: {session = {gateway_id, boot_id, connected_at, last_active_at}}.
local function read_sessions(user)
  local sessions = {}
  local raw = redis.call('HGETALL', 'user:online:' .. user)
  for i = 1, #raw, 2 do
    sessions[raw[i]] = cjson.decode(raw[i + 1])
  end
  return sessions
end

-- Returns the number of sessions of a user per boot: {boot = count}. Lookups of a user read this key, so their cost
-- grows with the number of gateways, not of sockets. The key has the TTL of the sessions' key. If it is missing, the
-- sessions were stored by a version without counts, and they are counted once.
local function read_boots(user)
  local key, boots = 'user:boots:' .. user, {}
  local raw = redis.call('HGETALL', key)
  for i = 1, #raw, 2 do
    boots[raw[i]] = tonumber(raw[i + 1])
  end
  if #raw > 0 then
    return boots
  end
  for _, session in pairs(read_sessions(user)) do
    boots[session.boot_id] = redis.call('HINCRBY', key, session.boot_id, 1)
  end
  if next(boots) then
    redis.call('PEXPIRE', key, math.max(1, redis.call('PTTL', 'user:online:' .. user)))
  end
  return boots
end

local function any_live(boots, live)
  for boot in pairs(boots) do
    if live[boot] then
      return true
    end
  end
  return false
end

-- Adds a session to every index, or updates it. The caller must have called read_boots before, which creates the
-- counts.
local function put_session(user, id, session)
  local key = 'user:online:' .. user
  if redis.call('HSET', key, id, cjson.encode(session)) == 1 then
    redis.call('HINCRBY', 'user:boots:' .. user, session.boot_id, 1)
  end
  redis.call('PEXPIRE', key, 86400000)
  redis.call('PEXPIRE', 'user:boots:' .. user, 86400000)
  redis.call('SADD', 'gateway:users:' .. session.boot_id, user)
  redis.call('ZADD', 'presence:heartbeats', session.last_active_at, user .. '|' .. id)
end

-- Removes a session of a boot from every index. Returns the boots where the user still has sessions.
local function end_session(user, id, boot)
  local boots = read_boots(user)
  redis.call('ZREM', 'presence:heartbeats', user .. '|' .. id)
  if redis.call('HDEL', 'user:online:' .. user, id) == 1 and boots[boot] then
    boots[boot] = redis.call('HINCRBY', 'user:boots:' .. user, boot, -1)
  end
  if (boots[boot] or 0) <= 0 then
    boots[boot] = nil
    redis.call('HDEL', 'user:boots:' .. user, boot)
    redis.call('SREM', 'gateway:users:' .. boot, user)
  end
  return boots
end

-- Moves the user's last_active_at forward, never back. Returns it as text.
local function seen(user, at)
  local key = 'user:presence:' .. user
  local last = tonumber(redis.call('HGET', key, 'last_active_at') or '0')
  if at > last then
    redis.call('HSET', key, 'last_active_at', string.format('%.0f', at))
    last = at
  end
  redis.call('PEXPIRE', key, 2592000000)
  return string.format('%.0f', last)
end
