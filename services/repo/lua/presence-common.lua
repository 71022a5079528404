-- Put before the presence scripts; their names of keys are in presence-keys.ts.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- The leases by gateway. Answered as {id = lease}.
local function read_leases()
  local leases = {}
  local raw = redis.call('HGETALL', 'gateway:leases')
  for i = 1, #raw, 2 do
    leases[raw[i]] = cjson.decode(raw[i + 1])
  end
  return leases
end

-- The boots whose lease holds: sessions of other boots do not count.
local function live_boots()
  local live = {}
  for _, lease in pairs(read_leases()) do
    if lease.expires_at > now then
      live[lease.boot_id] = true
    end
  end
  return live
end

-- What Redis knows since when: a flush or a restart (which may bring old data back) begins a new generation, in which
-- no gateway's sessions are all known until it has sent them again.
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

-- A user's sessions: {session = {gateway_id, boot_id, connected_at, last_active_at}}.
local function read_sessions(user)
  local sessions = {}
  local raw = redis.call('HGETALL', 'user:online:' .. user)
  for i = 1, #raw, 2 do
    sessions[raw[i]] = cjson.decode(raw[i + 1])
  end
  return sessions
end

local function any_live(sessions, live)
  for _, session in pairs(sessions) do
    if live[session.boot_id] then
      return true
    end
  end
  return false
end

-- Takes a session off every index. `sessions` is what is left, and is changed.
local function end_session(user, id, sessions, boot)
  redis.call('HDEL', 'user:online:' .. user, id)
  redis.call('ZREM', 'presence:heartbeats', user .. '|' .. id)
  sessions[id] = nil
  if boot then
    for _, session in pairs(sessions) do
      if session.boot_id == boot then
        return
      end
    end
    redis.call('SREM', 'gateway:users:' .. boot, user)
  end
end

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
