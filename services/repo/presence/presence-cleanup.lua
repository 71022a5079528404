-- Ends expired sessions and returns the users who went offline, page by page.
-- ARGV[1] ms after a flush during which no user is declared offline, ARGV[2] ms of silence that end a session, ARGV[3]
-- ms after a gateway's lease until its sessions end, ARGV[4] ms after which the friends of a user without sessions
-- should have been notified, ARGV[5] entries per page, ARGV[6] cursor, ARGV[7] name of this page, ARGV[8] '1' for a dry
-- run.
-- Returns {ms to wait, number of ended sessions, next cursor, offline users as a flat list of user, epoch, last active
-- at}.
-- Offline users are kept in presence:untold with the name of the page that returned them, until the next page is
-- requested with that name as its cursor. Therefore a lost page is returned again, and users beyond one page come with
-- the next.
local heal, silence, dead_after, away_after = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local limit, cursor, page, dry = tonumber(ARGV[5]), ARGV[6], ARGV[7], ARGV[8] == '1'
local wait = read_generation().created_at + heal - now
if wait > 0 then
  return { wait, 0, '', {} }
end
local live = live_boots()
local silent_before, dead_before = now - silence, now - dead_after

-- The entry of a user to report as offline, or nil if friends were already notified or never saw the user online.
local function offline_entry(user)
  local record = redis.call('HMGET', 'user:presence:' .. user, 'epoch', 'announced', 'last_active_at')
  if record[1] and record[2] and record[2] ~= '' then
    return { epoch = record[1], last_active_at = record[3] or '0', page = '' }
  end
end

local function flat(page_entries)
  local gone = {}
  for user, entry in pairs(page_entries) do
    gone[#gone + 1] = user
    gone[#gone + 1] = entry.epoch
    gone[#gone + 1] = entry.last_active_at
  end
  return gone
end

local function dead_boots()
  local dead = {}
  for _, boot in ipairs(redis.call('ZRANGEBYSCORE', 'gateway:boots', '-inf', dead_before)) do
    if not live[boot] then
      dead[#dead + 1] = boot
    end
  end
  return dead
end

-- A dry run changes nothing, so its cursor is a position: 'silent:OFFSET', then 'dead:BOOT:SCAN', then 'away:OFFSET'.
-- Each session and each user is counted at one position only, even if several pages show it.
local function dry_page()
  local dead, is_dead = dead_boots(), {}
  for _, boot in ipairs(dead) do
    is_dead[boot] = true
  end
  local ended, page_entries = 0, {}

  -- Returns for a user the number of sessions that would end per position (at), the first such position (first), and
  -- whether any session stays (stays). It is computed once per page and user.
  local by_user = {}
  local function would_end(user)
    if by_user[user] then
      return by_user[user]
    end
    local found = { at = {} }
    for id, session in pairs(read_sessions(user)) do
      local member, place = user .. '|' .. id, nil
      local beat = tonumber(redis.call('ZSCORE', 'presence:heartbeats', member) or 'inf')
      if beat <= silent_before then
        place = 'a:' .. member
      elseif is_dead[session.boot_id] then
        place = 'b:' .. session.boot_id
      elseif live[session.boot_id] then
        found.stays = true
      end
      if place then
        found.at[place] = (found.at[place] or 0) + 1
        if not found.first or place < found.first then
          found.first = place
        end
      end
    end
    by_user[user] = found
    return found
  end

  local function count(user, place)
    local found = would_end(user)
    ended = ended + (found.at[place] or 0)
    if not found.stays and (found.first == place or (not found.first and place == 'away')) then
      page_entries[user] = offline_entry(user)
    end
  end

  local phase, rest = string.match(cursor, '^(%a+):(.*)$')
  local next_cursor = ''
  if not phase or phase == 'silent' then
    local offset = tonumber(rest or '0')
    local silent = redis.call('ZRANGEBYSCORE', 'presence:heartbeats', '-inf', silent_before, 'LIMIT', offset, limit)
    for _, member in ipairs(silent) do
      count(string.match(member, '^([^|]*)|'), 'a:' .. member)
    end
    next_cursor = #silent == limit and 'silent:' .. (offset + limit) or 'dead:1:0'
  elseif phase == 'dead' then
    local number, scan = string.match(rest, '^(%d+):(%d+)$')
    local boot = dead[tonumber(number)]
    if boot then
      local reply = redis.call('SSCAN', 'gateway:users:' .. boot, scan, 'COUNT', limit)
      for _, user in ipairs(reply[2]) do
        count(user, 'b:' .. boot)
      end
      next_cursor = reply[1] == '0' and 'dead:' .. (number + 1) .. ':0' or 'dead:' .. number .. ':' .. reply[1]
    else
      next_cursor = 'away:0'
    end
  else
    local offset = tonumber(rest)
    local away = redis.call('ZRANGEBYSCORE', 'presence:away', '-inf', now - away_after, 'LIMIT', offset, limit)
    for _, user in ipairs(away) do
      count(user, 'away')
    end
    next_cursor = #away == limit and 'away:' .. (offset + limit) or ''
  end
  return { 0, ended, next_cursor, flat(page_entries) }
end

if dry then
  return dry_page()
end

local ended = 0

local function read_pending()
  local pending = {}
  local raw = redis.call('HGETALL', 'presence:untold')
  for i = 1, #raw, 2 do
    pending[raw[i]] = cjson.decode(raw[i + 1])
  end
  return pending
end

local function declare_if_offline(user)
  local entry = not any_live(read_boots(user), live) and offline_entry(user)
  if entry then
    redis.call('HSET', 'user:presence:' .. user, 'announced', '', 'told_epoch', entry.epoch)
    redis.call('HSET', 'presence:untold', user, cjson.encode(entry))
    redis.call('ZREM', 'presence:away', user)
  end
end

if cursor ~= '' then
  for user, entry in pairs(read_pending()) do
    if entry.page == cursor then
      redis.call('HDEL', 'presence:untold', user)
    end
  end
end

local silent = redis.call('ZRANGEBYSCORE', 'presence:heartbeats', '-inf', silent_before, 'LIMIT', 0, limit)
for _, member in ipairs(silent) do
  local user, id = string.match(member, '^([^|]*)|(.*)$')
  local raw = redis.call('HGET', 'user:online:' .. user, id)
  ended = ended + 1
  if raw then
    end_session(user, id, cjson.decode(raw).boot_id)
  end
  redis.call('ZREM', 'presence:heartbeats', member)
  declare_if_offline(user)
end

local dead = redis.call('ZRANGEBYSCORE', 'gateway:boots', '-inf', dead_before, 'LIMIT', 0, 1)[1]
if dead and not live[dead] then
  -- A page ends with the user whose sessions fill it, or after `limit` users.
  local page_end = ended + limit
  for _ = 1, limit do
    local user = ended < page_end and redis.call('SPOP', 'gateway:users:' .. dead)
    if not user then
      break
    end
    for id, session in pairs(read_sessions(user)) do
      if session.boot_id == dead then
        end_session(user, id, dead)
        ended = ended + 1
      end
    end
    declare_if_offline(user)
  end
  if redis.call('EXISTS', 'gateway:users:' .. dead) == 0 then
    redis.call('ZREM', 'gateway:boots', dead)
  end
elseif dead then
  redis.call('ZREM', 'gateway:boots', dead)
end

-- These users left, but their gateway died before it reported it, or the confirmOffline flow was stopped.
local away = redis.call('ZRANGEBYSCORE', 'presence:away', '-inf', now - away_after, 'LIMIT', 0, limit)
for _, user in ipairs(away) do
  redis.call('ZREM', 'presence:away', user)
  declare_if_offline(user)
end

local page_entries, count = {}, 0
for user, entry in pairs(read_pending()) do
  if any_live(read_boots(user), live) then
    redis.call('HDEL', 'presence:untold', user)
  elseif count < limit then
    entry.page = page
    redis.call('HSET', 'presence:untold', user, cjson.encode(entry))
    page_entries[user] = entry
    count = count + 1
  end
end
local more = ended > 0 or #away > 0 or count > 0 or dead
return { 0, ended, more and page or '', flat(page_entries) }
