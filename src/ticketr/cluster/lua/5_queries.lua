local WHOLE = {'name', 'key', 'tags', 'priority', 'timeout', 'submitted'}

local function view(id)
  local found = {'id', id}
  for _, names in ipairs({SHOWN, WHOLE}) do
    local values = of_record('HMGET', id, unpack(names)) or {}
    for i, name in ipairs(names) do
      if values[i] then
        found[#found + 1] = name
        found[#found + 1] = values[i]
      end
    end
  end
  return found
end

-- args: id, watcher; the fields of a job, which from now on tells the watcher; none if unknown
register('attach', about_one_job(function(a)
  if get(a[1], 'status') == '' then return {} end
  if is_live(get(a[1], 'status')) then add_watcher(a[1], a[2]) end
  return view(a[1])
end))

-- args: limit, status or ''; the jobs that ended last, the newest first
register('history', function(a)
  local found, from, most = {}, 0, number(a[1])
  while #found < most do
    local ids = call('ZREVRANGE', P .. 'ended', from, from + AT_ONCE - 1)
    for _, id in ipairs(ids) do
      local status = get(id, 'status')
      if status ~= '' and (a[2] == '' or status == a[2]) and #found < most then
        found[#found + 1] = view(id)
      end
    end
    if #ids < AT_ONCE then break end
    from = from + AT_ONCE
  end
  return found
end)

-- The whole queue in numbers: pending, running, completed, failed, cancelled
register('totals', function(a)
  local totals = call('HMGET', P .. 'totals', 'completed', 'failed', 'cancelled')
  return {call('SCARD', P .. 'pending'), call('SCARD', P .. 'running'),
    number(totals[1]), number(totals[2]), number(totals[3])}
end)

-- The workers, each: its ID, the seconds that its lease lasts, its running jobs, what it shows.
register('workers', function(a)
  local found, at = {}, now()
  local workers = call('ZRANGE', P .. 'workers', 0, -1, 'WITHSCORES')
  for i = 1, #workers, 2 do
    found[#found + 1] = {workers[i], text(number(workers[i + 1]) - at),
      call('SCARD', P .. 'of:' .. workers[i]), call('HGET', P .. 'hosts', workers[i]) or ''}
  end
  return found
end)

-- args: keep_jobs, keep_age
register('open', function(a)
  call('HSET', P .. 'settings', 'keep_jobs', a[1], 'keep_age', a[2])
  return 1
end)

-- Make the stream of a reader; the answer is the ID of its last entry. args: stream, seconds of its life
register('listen', function(a)
  local last = call('XADD', a[1], '*', 'id', '')
  call('EXPIRE', a[1], a[2])
  return last
end)
