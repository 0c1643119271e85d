-- Calls for wrk: one line per call in the file named by the first argument, "path<TAB>access token".
-- Second argument: "again" starts over at the end of the file, "once" stops there.
local calls, number, once = {}, 0, false

function init(args)
  once = args[2] == "once"
  for line in io.lines(args[1]) do
    local path, token = line:match("^(%S+)\t(%S+)$")
    calls[#calls + 1] = wrk.format("GET", path, { ["Authorization"] = "Bearer " .. token })
  end
end

function request()
  number = number + 1
  if number > #calls then
    if once then
      wrk.thread:stop()
    end
    number = 1
  end
  return calls[number]
end

function done(summary, latency, requests)
  io.write(string.format(
    '\n{"requests": %d, "microseconds": %d, "refused": %d, "broken": %d, "p50": %d, "p99": %d}\n',
    summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
