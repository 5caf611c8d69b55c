-- Ends a run of wrk after as many answers as the first argument says, and tells what went wrong in a line of its own.
local count = 0
local limit = 0

function init(arguments)
    limit = tonumber(arguments[1])
end

function response(status, headers, body)
    count = count + 1
    if count == limit then
        wrk.thread:stop()
        -- wrk's main thread goes on sleeping for the whole duration unless a signal wakes it; system(3) ignores it while it waits.
        os.execute("(sleep 0.1; kill -INT $PPID) &")
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format("DONE requests=%d errors=%d\n", summary.requests,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
