local SOON = 0.1       -- seconds until a repeat is looked at again that no worker goes on with
local MOST_LOSSES = 3 -- workers that may die while they run one job

-- The worker of a running job has died or ended: another one is to run it.
local function take_over(id, at, is_death)
  local job = fields(id, 'status', 'cancel')
  if job.status ~= 'running' then return end
  of_record('HINCRBY', id, 'uncounted', 1)
  local lost = of_record('HINCRBY', id, 'lost', is_death and 1 or 0)
  if job.cancel == '1' then
    finish(id, 'cancelled', at)
  elseif lost >= MOST_LOSSES then
    finish(id, 'failed', at) -- without an error: it is JobLost
  else
    put_back(id, 0, at)
  end
end

-- Messages that a worker has fetched and does not hold: deliver them again.
local function hand_on(worker, level, held)
  local stream = S .. ':queues:' .. level
  local fetched = redis.pcall('XPENDING', stream, GROUP, '-', '+', AT_ONCE, worker)
  if fetched.err then return end -- nothing was ever delivered on this level
  for _, each in ipairs(fetched) do
    if not held[each[1]] then
      local found = call('XRANGE', stream, each[1], each[1])[1]
      local id, nonce = string.match(found and found[2][2] or '', '^(.*)~([^~]*)$')
      drop_entry(level, each[1])
      if id and get(id, 'status') == 'pending' and get(id, 'nonce') == nonce then deliver(id) end
    end
  end
end

local function bury(worker, at, is_death)
  for _, id in ipairs(call('SMEMBERS', P .. 'of:' .. worker)) do
    take_over(id, at, is_death)
  end
  for _, level in ipairs(LEVELS) do
    hand_on(worker, level, {})
    redis.pcall('XGROUP', 'DELCONSUMER', S .. ':queues:' .. level, GROUP, worker)
  end
  call('ZREM', P .. 'workers', worker)
  call('HDEL', P .. 'hosts', worker)
  call('DEL', P .. 'of:' .. worker, P .. 'stop:' .. worker, P .. 'stops:' .. worker)
end

-- What time alone changes: leases are over, jobs are due or too late.
local function move_on(at)
  for _, worker in ipairs(call('ZRANGEBYSCORE', P .. 'workers', '-inf', at, 'LIMIT', 0, 10)) do
    bury(worker, at, true)
  end
  for _, id in ipairs(call('ZRANGEBYSCORE', P .. 'expiring', '-inf', at, 'LIMIT', 0, AT_ONCE)) do
    if get(id, 'status') == '' then -- the record is gone
      call('ZREM', P .. 'expiring', id)
    else
      set(id, 'cause', 'expired')
      finish(id, 'cancelled', at)
    end
  end
  for _, id in ipairs(call('ZRANGEBYSCORE', P .. 'due', '-inf', at, 'LIMIT', 0, AT_ONCE)) do
    call('ZREM', P .. 'due', id)
    if get(id, 'status') ~= '' then
      await_start(id, number(get(id, 'due')), at)
      notify(id)
    end
  end
  open_gates(at)
end

-- A worker lives. args: worker, lease in seconds, what to show of it, whether it is new.
-- The answer is over if it is taken for dead, else ok, the seconds until a job is due, those until a
-- repeat is, and the tokens of the attempts to stop.
register('tick', function(a)
  local worker, at = a[1], now()
  local stops = P .. 'stops:' .. worker
  if a[4] == '1' then
    if call('EXISTS', stops) == 0 then call('XADD', stops, '*', 'token', '') end
  elseif not call('ZSCORE', P .. 'workers', worker) then
    return {'over'}
  end
  call('ZADD', P .. 'workers', at + number(a[2]), worker)
  call('HSET', P .. 'hosts', worker, a[3])
  move_on(at)
  local due = call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES')[2]
  local repeated = call('ZRANGEBYSCORE', P .. 'repeats', '-inf', '(+inf', 'WITHSCORES',
    'LIMIT', 0, 1)[2]
  local next_repeat = repeated and number(repeated) or at + 3600
  local next_time = math.min(due and number(due) or at + 3600, next_opening(at),
    math.max(next_repeat, at + SOON))
  local answer = {'ok', text(next_time - at), text(next_repeat - at)}
  for _, stop in ipairs(call('SMEMBERS', P .. 'stop:' .. worker)) do
    answer[#answer + 1] = string.match(stop, '%S+$')
  end
  return answer
end)

-- A worker has a new connection. What the last one had fetched may never have come, and a server that
-- was restarted may have older data: a job that has ended since is to run again, and one that is not
-- known to run must not run on.
-- args: worker, the number of entries that it holds, the entries, and the id, token and entry of each
-- running attempt. The answer is the tokens of the attempts to stop.
register('resume', function(a)
  local worker, at, held, unknown = a[1], now(), {}, {}
  local last = 2 + number(a[2])
  for i = 3, last do held[a[i]] = true end
  for i = last + 1, #a, 3 do
    local id, token, entry = a[i], a[i + 1], a[i + 2]
    if not has_attempt(id, token) then
      unknown[#unknown + 1] = token
      held[entry] = nil
    end
  end
  for _, level in ipairs(LEVELS) do hand_on(worker, level, held) end
  for _, id in ipairs(call('SMEMBERS', P .. 'of:' .. worker)) do
    if not held[get(id, 'entry')] then take_over(id, at, false) end
  end
  return unknown
end)

-- A worker has ended. args: worker
register('depart', function(a)
  bury(a[1], now(), false)
  return 1
end)

-- Pending jobs that nothing will deliver: a fault of ours, or of the server's. The answer is how
-- many there were.
register('repair', function(a)
  local at, found, idle = now(), 0, {}
  for _, level in ipairs(LEVELS) do
    local stream = S .. ':queues:' .. level
    local groups = redis.pcall('XINFO', 'GROUPS', stream)
    if groups.err or #groups == 0 then
      idle[level] = call('XLEN', stream) == 0
    else
      idle[level] = call('XLEN', stream) == call('XPENDING', stream, GROUP)[1]
    end
  end
  for _, id in ipairs(call('SRANDMEMBER', P .. 'pending', 200)) do
    local job = fields(id, 'status', 'waiting', 'due', 'level', 'key', 'entry')
    if job.status ~= 'pending' then
      call('SREM', P .. 'pending', id)
    elseif job.waiting ~= 'after' and number(job.due) < at - 5 and not call('ZSCORE', P .. 'due', id) then
      local is_lost
      if call('ZSCORE', P .. 'gated', id) then
        is_lost = false
      elseif job.waiting == 'key' or job.waiting == 'paused' or job.waiting == 'rate' then
        is_lost = not holder_of(job.key) and not key_gate(job.key)
      else
        is_lost = idle[job.level] and (job.entry == ''
          or #call('XRANGE', S .. ':queues:' .. job.level, job.entry, job.entry) == 0)
      end
      if is_lost then
        found = found + 1
        deliver(id)
      end
    end
  end
  for _, id in ipairs(call('SRANDMEMBER', P .. 'running', 200)) do
    if get(id, 'status') ~= 'running' then call('SREM', P .. 'running', id) end
  end
  return found
end)
