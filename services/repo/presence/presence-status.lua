-- ARGV: user ids. Returns per user {last active at ('' if unknown), gateways of live sessions...}.
local live = live_boots()
local answer = {}
for i, user in ipairs(ARGV) do
  local last = tonumber(redis.call('HGET', 'user:presence:' .. user, 'last_active_at') or '0')
  local row = { last > 0 and string.format('%.0f', last) or '' }
  for boot in pairs(read_boots(user)) do
    row[#row + 1] = live[boot]
  end
  answer[i] = row
end
return answer
