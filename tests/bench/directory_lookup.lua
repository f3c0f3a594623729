-- Look-ups of tokens chosen at random among the first COUNT: `wrk -s directory_lookup.lua URL -- COUNT`. directory.cpp makes the
-- same tokens. The last line of the output is what it reads: look-ups a second, 99th percentile in seconds, failures.
local count

function init(args)
    count = tonumber(args[1])
    math.randomseed(os.time())
end

function request()
    local i = math.random(count) - 1
    return string.format("GET /lookup/%08x-0000-4000-8000-%012x HTTP/1.1\r\nHost: directory\r\n\r\n", i * 2654435761 % 4294967296, i)
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format("\n%f %f %d\n", summary.requests / summary.duration * 1e6, latency:percentile(99) / 1e6,
        e.connect + e.read + e.write + e.status + e.timeout))
end
