-- ARGV: user ids. Answers for each {last active at ('' when unknown), gateways of live sessions...}.
local live = live_boots()
local answer = {}
for i, user in ipairs(ARGV) do
  local last = tonumber(redis.call('HGET', 'user:presence:' .. user, 'last_active_at') or '0')
  local gateways = {}
  for _, session in pairs(read_sessions(user)) do
    if live[session.boot_id] then
      gateways[session.gateway_id] = true
      last = math.max(last, session.last_active_at)
    end
  end
  local row = { last > 0 and string.format('%.0f', last) or '' }
  for gateway in pairs(gateways) do
    row[#row + 1] = gateway
  end
  answer[i] = row
end
return answer
