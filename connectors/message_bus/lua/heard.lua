-- Somebody else speaks to customers, from the phone app or through another app, or gave a conversation back. News counts
-- from when it happened, and older news than the newest changes nothing.
-- KEYS: voices of one customer. ARGV: now s, then for each piece of news: kind, at s, for how many seconds it counts, ids of the app that had the
-- conversation and of the one that has it. Kinds: phone, away, back, by_ids, standby (a message was for another app).
local now = tonumber(ARGV[1])
local function get(key, field) return tonumber(redis.call('HGET', key, field) or 0) end

-- Without a word on whom it was told to: the app that had it while we spoke is us.
local function is_away(key, previous, new)
  local ours = redis.call('HGET', key, 'our_app')
  if not ours and get(key, 'app_until') > now then ours = new end
  redis.call('HSET', key, 'our_app', ours or previous)
  return new ~= (ours or previous)
end

local key = KEYS[1]
for i = 1, (#ARGV - 1) / 5 do
  local kind, at, lasts, previous, new = unpack(ARGV, 5 * i - 3, 5 * i + 1)
  at = tonumber(at)
  local ends = at + tonumber(lasts)
  if ends > now then
    local known = get(key, 'app_at')
    if kind == 'phone' then
      if ends > get(key, 'phone_until') then redis.call('HSET', key, 'phone_until', ends) end
    elseif at > known or (at == known and kind ~= 'standby') then
      local away = kind ~= 'back'
      if kind == 'by_ids' then away = is_away(key, previous, new) end
      redis.call('HSET', key, 'app_at', at, 'app_until', away and ends or 0)
      if kind == 'standby' then redis.call('HSET', key, 'standby_at', at) end
    end
    local left = math.ceil(ends - now)
    if redis.call('TTL', key) < left then redis.call('EXPIRE', key, left) end
  end
end
return redis.status_reply('OK')
