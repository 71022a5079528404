-- ARGV: ms after a flush in which nobody is judged, ms of silence that end a session, ms after which a dead
-- gateway's sessions end, sessions a page, cursor, name of the page, '1' for a dry run.
-- Answers {milliseconds to wait, sessions ended, next cursor, flat list of user, epoch, last active at of users who
-- went offline}. Who is told is remembered until the next page is asked for: a page that got lost comes again.
local heal, silence, dead_after, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local cursor, page, dry = ARGV[5], ARGV[6], ARGV[7] == '1'
local wait = read_generation().created_at + heal - now
if wait > 0 then
  return { wait, 0, '', {} }
end
local live = live_boots()
local ended, told = 0, {}

local function read_untold()
  local untold = {}
  local raw = redis.call('HGETALL', 'presence:untold')
  for i = 1, #raw, 2 do
    untold[raw[i]] = cjson.decode(raw[i + 1])
  end
  return untold
end

-- `sessions` is what is left of the user's.
local function judge(user, sessions)
  if any_live(sessions, live) then
    return
  end
  local presence = 'user:presence:' .. user
  local record = redis.call('HMGET', presence, 'epoch', 'announced', 'last_active_at')
  if not record[1] or not record[2] or record[2] == '' then
    return
  end
  local entry = { epoch = record[1], last_active_at = record[3] or '0', page = page }
  if dry then
    told[user] = entry
    return
  end
  redis.call('HSET', presence, 'announced', '', 'told_epoch', record[1])
  redis.call('HSET', 'presence:untold', user, cjson.encode(entry))
end

if not dry and cursor ~= '' then
  for user, entry in pairs(read_untold()) do
    if entry.page == cursor then
      redis.call('HDEL', 'presence:untold', user)
    end
  end
end

local offset = dry and tonumber(cursor) or 0
local silent = redis.call('ZRANGEBYSCORE', 'presence:heartbeats', '-inf', now - silence, 'LIMIT', offset, limit)
for _, member in ipairs(silent) do
  local user, id = string.match(member, '^([^|]*)|(.*)$')
  local sessions = read_sessions(user)
  local session = sessions[id]
  ended = ended + 1
  if dry then
    sessions[id] = nil
  else
    end_session(user, id, sessions, session and session.boot_id)
    redis.call('ZREM', 'presence:heartbeats', member)
  end
  judge(user, sessions)
end

local dead = not dry and redis.call('ZRANGEBYSCORE', 'gateway:boots', '-inf', now - dead_after, 'LIMIT', 0, 1)[1]
if dead and not live[dead] then
  local users = redis.call('SPOP', 'gateway:users:' .. dead, limit)
  for _, user in ipairs(users) do
    local sessions = read_sessions(user)
    for id, session in pairs(read_sessions(user)) do
      if session.boot_id == dead then
        end_session(user, id, sessions, dead)
        ended = ended + 1
      end
    end
    judge(user, sessions)
  end
  if redis.call('EXISTS', 'gateway:users:' .. dead) == 0 then
    redis.call('ZREM', 'gateway:boots', dead)
  end
elseif dead then
  redis.call('ZREM', 'gateway:boots', dead)
end

if not dry then
  told = {}
  local count = 0
  for user, entry in pairs(read_untold()) do
    if any_live(read_sessions(user), live) then
      redis.call('HDEL', 'presence:untold', user)
    elseif count < limit then
      entry.page = page
      redis.call('HSET', 'presence:untold', user, cjson.encode(entry))
      told[user] = entry
      count = count + 1
    end
  end
end
local gone = {}
for user, entry in pairs(told) do
  gone[#gone + 1] = user
  gone[#gone + 1] = entry.epoch
  gone[#gone + 1] = entry.last_active_at
end
local next_cursor = ''
if dry then
  if #silent == limit then
    next_cursor = tostring(offset + limit)
  end
elseif ended > 0 or #gone > 0 or dead then
  next_cursor = page
end
return { 0, ended, next_cursor, gone }
