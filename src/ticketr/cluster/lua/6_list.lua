-- args: pending or running, limit; so many jobs with this status, in no order
register('list', function(a)
  local found = {}
  for _, id in ipairs(call('SRANDMEMBER', P .. a[1], a[2])) do
    if get(id, 'status') ~= '' then found[#found + 1] = view(id) end
  end
  return found
end)
