-- What a worker needs to run a job.
local function call_of(id, at)
  local first = get(id, 'first')
  local found = of_record('HMGET', id, 'name', 'payload', 'attempt', 'uncounted', 'timeout',
    'retry', 'key', 'tags')
  for i = 1, 8 do found[i] = found[i] or '' end
  return {'run', text(at - number(first)), unpack(found)}
end

-- A message has come to a worker: may it run the job?
-- args: id, nonce, worker, token, level, entry; the answer is run, drop, or over: the worker is
-- taken for dead.
register('begin', function(a)
  local id, nonce, worker, token, level, entry = unpack(a)
  if is_overwritten(id) then drop_entry(level, entry) end -- it would come again and again
  refuse_overwritten(id)
  local job = fields(id, 'nonce', 'status', 'token', 'start_by', 'key', 'first')
  local at = now()
  if job.nonce == nonce and job.status == 'running' and job.token == token then
    return call_of(id, at) -- a repeated call
  end
  if job.nonce ~= nonce or job.status ~= 'pending' then
    drop_entry(level, entry)
    return {'drop'}
  end
  if not call('ZSCORE', P .. 'workers', worker) then
    deliver(id) -- to another worker
    return {'over'}
  end
  if job.key ~= '' then
    local holder = holder_of(job.key)
    if holder and holder ~= id then
      drop_entry(level, entry)
      stand_in_line(id, job.key)
      notify(id)
      return {'drop'}
    end
  end
  if is_gated(id, job.key, level, entry) then
    notify(id)
    return {'drop'}
  end
  if job.key ~= '' then
    call('SET', P .. 'key:' .. job.key, id)
    call('ZREM', P .. 'line:' .. job.key, id)
  end
  take_start(job.key, at)
  if job.first == '' then set(id, 'first', text(at)) end
  of_record('HINCRBY', id, 'attempt', 1)
  set(id, 'status', 'running', 'started', text(at), 'worker', worker, 'token', token, 'level', level,
    'entry', entry, 'waiting', '', 'reported', 0)
  leave_pending(id)
  call('ZREM', P .. 'expiring', id)
  call('SADD', P .. 'running', id)
  call('SADD', P .. 'of:' .. worker, id)
  notify(id)
  return call_of(id, at)
end)

local function has_attempt(id, token)
  local job = fields(id, 'status', 'token')
  return job.status == 'running' and job.token == token
end

local function report(id, current, total, message)
  set(id, 'current', current, 'total', total, 'message', message,
    'reported', number(get(id, 'revision')) + 1)
end

-- args: id, token, current, total, message
register('report', function(a)
  if not has_attempt(a[1], a[2]) then return 0 end
  report(a[1], a[3], a[4], a[5])
  notify(a[1])
  return 1
end, GROWS)

-- args: id, token, status, cause, result, error, has_report, current, total, message
register('finish', about_one_job(function(a)
  local id, token = a[1], a[2]
  if not has_attempt(id, token) then
    return get(id, 'end_token') == token and 1 or 0 -- a repeated call, or not its attempt any more
  end
  if a[7] == '1' then report(id, a[8], a[9], a[10]) end
  if a[4] ~= '' and get(id, 'cause') == '' then set(id, 'cause', a[4]) end
  if a[3] == 'completed' then set(id, 'result', a[5]) end
  if a[3] == 'failed' then set(id, 'error', a[6]) end
  set(id, 'end_token', token)
  finish(id, a[3], now())
  return 1
end))

-- To be tried again, or its worker stops. args: id, token, delay, is_counted
register('put_back', about_one_job(function(a)
  local id, token = a[1], a[2]
  if not has_attempt(id, token) then return get(id, 'end_token') == token and 1 or 0 end
  set(id, 'end_token', token)
  if get(id, 'cancel') == '1' then
    finish(id, 'cancelled', now()) -- the cancel came before the worker knew of it
    return 1
  end
  if a[4] ~= '1' then of_record('HINCRBY', id, 'uncounted', 1) end
  put_back(id, number(a[3]), now())
  return 1
end))
