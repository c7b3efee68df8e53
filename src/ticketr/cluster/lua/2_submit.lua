-- Cancel a job; the answer is the value of a CancelOutcome.
local function cancel(id, cause, token, at)
  local job = fields(id, 'status', 'cancel', 'cancel_token', 'answer', 'worker', 'token')
  if job.status == '' then return 'unknown' end
  if token ~= '' and job.cancel_token == token then return job.answer end
  if not is_live(job.status) then return 'already finished' end
  if job.cancel == '1' then return 'already requested' end
  local answer = job.status == 'pending' and 'cancelled' or 'requested'
  set(id, 'cancel', 1, 'cause', cause, 'cancel_token', token, 'answer', answer)
  if answer == 'cancelled' then
    finish(id, 'cancelled', at)
  else
    call('SADD', P .. 'stop:' .. job.worker, id .. ' ' .. job.token)
    call('XADD', P .. 'stops:' .. job.worker, 'NOMKSTREAM', 'MAXLEN', '~', 10000, '*',
      'token', job.token)
    notify(id)
  end
  return answer
end

-- The live job of a key that a new one meets: the one that has the key, or the first in line.
local function first_of(key)
  return holder_of(key) or call('ZRANGE', P .. 'line:' .. key, 0, 0)[1]
    or call('SRANDMEMBER', P .. 'keyed:' .. key)
end

-- What a new job meets: an answer, or nothing if it may enter.
local function conflict_of(id, mode, has_id, watcher, key, at)
  if is_live(get(id, 'status')) then
    if mode ~= 'join' then return {'duplicate', id, ''} end
    add_watcher(id, watcher)
    return {'joined', id}
  end
  if key == '' or has_id or mode == 'wait' then return end
  local first = first_of(key)
  if not first then return end
  if mode == 'reject' then return {'duplicate', first, key} end
  if mode == 'join' then
    add_watcher(first, watcher)
    return {'joined', first}
  end
  for _, other in ipairs(call('SMEMBERS', P .. 'keyed:' .. key)) do
    cancel(other, 'superseded', '', at)
  end
end

-- Let a new job start after others; the answer is how many of them have not ended, or nothing if it
-- can start no more.
local function follow(id, nonce, predecessors, any_end)
  local missing, is_doomed = 0, false
  for _, other in ipairs(predecessors) do
    local status = get(other, 'status')
    if is_live(status) then
      missing = missing + call('SADD', P .. 'next:' .. other, id .. '~' .. nonce)
    elseif status ~= 'completed' and not any_end then
      is_doomed = true
    end
  end
  if not is_doomed then return missing end
end

-- args: id, nonce, conflict, has_id, watcher, key, delay, max_pending, start_by, any_end, number of
-- predecessors, predecessor, ..., field, value, ...
local function enter(a)
  local id, nonce, mode, watcher, key = a[1], a[2], a[3], a[5], a[6]
  local at, delay, start_by = now(), number(a[7]), number(a[9])
  if get(id, 'nonce') == nonce then
    return {'entered', id, get(id, 'submitted'), get(id, 'due'), get(id, 'waiting')} -- a repeated call
  end
  if call('EXISTS', P .. 'withdrawn:' .. nonce) == 1 then return {'withdrawn'} end
  local predecessors = {unpack(a, 12, 11 + number(a[11]))}
  for _, other in ipairs(predecessors) do
    if get(other, 'status') == '' then
      leave_room(nonce)
      return {'unknown', other}
    end
  end
  local conflict = conflict_of(id, mode, a[4] == '1', watcher, key, at)
  if conflict then
    leave_room(nonce)
    return conflict
  end
  local priority = number(field_of({unpack(a, 12 + number(a[11]))}, 'priority'))
  if not has_room(nonce, watcher, priority, number(a[8]), at) then return {'full'} end
  call('DEL', record(id))
  call('ZREM', P .. 'ended', id)
  set(id, 'nonce', nonce, 'status', 'pending', 'revision', 1, 'attempt', 0, 'submitted', text(at),
    'due', text(at + delay), 'watchers', watcher, 'key', key, unpack(a, 12 + number(a[11])))
  call('SADD', P .. 'pending', id)
  if key ~= '' then call('SADD', P .. 'keyed:' .. key, id) end
  if start_by > 0 then call('ZADD', P .. 'expiring', start_by, id) end
  local missing = follow(id, nonce, predecessors, a[10] == '1')
  if not missing then
    set(id, 'cause', 'dependency')
    finish(id, 'cancelled', at)
  elseif missing > 0 then
    set(id, 'waiting', 'after', 'entry', '', 'missing', missing, 'any_end', a[10])
  else
    await_start(id, at + delay, at)
  end
  return {'entered', id, text(at), text(at + delay), get(id, 'waiting')}
end
register('enter', about_one_job(enter), GROWS)

-- args: id, cause, token
register('cancel', about_one_job(function(a)
  return cancel(a[1], a[2], a[3], now())
end))

-- The submit was cancelled before its answer came; the call may come before "enter", too.
-- args: id, nonce, cause
register('withdraw', function(a)
  call('SET', P .. 'withdrawn:' .. a[2], 1, 'EX', 60)
  leave_room(a[2])
  if get(a[1], 'nonce') == a[2] then cancel(a[1], a[3], '', now()) end
  if call('EXISTS', P .. 'room') == 1 then offer_room() end
  return 1
end)

-- args: id; ends a wait for a time: 1 if there was one, 0 if not, -1 if there is no such job
register('run_now', about_one_job(function(a)
  local at = now()
  local job = fields(a[1], 'status', 'waiting')
  if job.status == '' then return -1 end
  if job.status ~= 'pending' or job.waiting ~= 'time' then return 0 end
  call('ZREM', P .. 'due', a[1])
  await_start(a[1], at, at)
  notify(a[1])
  return 1
end))
