-- Submits that wait for room, in the order of priority and arrival. When there is room, the process of
-- the first is told by its stream, and calls "enter" again; no other enters before it. A submit that
-- has not asked again for a while is forgotten: its process has died.

local LONGEST_SILENCE = 10 -- seconds; a submit asks again after 3, whether it was told or not

local function leave_room(nonce)
  if call('ZREM', P .. 'room', nonce) == 0 then return end
  call('ZREM', P .. 'room:seen', nonce)
  call('HDEL', P .. 'room:readers', nonce)
end

function offer_room()
  local first = call('ZRANGE', P .. 'room', 0, 0)[1]
  local reader = first and call('HGET', P .. 'room:readers', first)
  if not reader or reader == '' then return end
  call('XADD', reader, 'NOMKSTREAM', 'MAXLEN', '~', MOST_EVENTS, '*', 'room', first)
end

-- May a new job enter, or does it wait now?
local function has_room(nonce, reader, priority, limit, at)
  if limit >= 1e15 then return true end
  local pending = call('SCARD', P .. 'pending')
  if call('EXISTS', P .. 'room') == 0 and pending < limit then return true end
  for _, each in ipairs(call('ZRANGEBYSCORE', P .. 'room:seen', '-inf', at - LONGEST_SILENCE)) do
    leave_room(each)
  end
  if not call('ZSCORE', P .. 'room', nonce) then
    local arrival = call('INCR', P .. 'arrivals') * 1e-6 -- the time stands still in one call
    call('ZADD', P .. 'room', at - AGING * priority + arrival, nonce)
  end
  call('ZADD', P .. 'room:seen', at, nonce)
  call('HSET', P .. 'room:readers', nonce, reader)
  if pending + call('ZRANK', P .. 'room', nonce) >= limit then return false end
  leave_room(nonce)
  if pending + 1 < limit then offer_room() end
  return true
end

local function field_of(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
end
