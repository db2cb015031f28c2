using System.Diagnostics;

namespace FailoverHub.Agent.Checks.Commands;

/// <summary>How a command ended.</summary>
/// <param name="Status">As <c>waitpid</c> gives it; null: it could not be ended.</param>
/// <param name="TimedOut">It was ended, with its children.</param>
/// <param name="Output">The last of its output and its errors.</param>
/// <param name="Process">Its id.</param>
internal readonly record struct ChildEnd(int? Status, bool TimedOut, string Output, int Process);

/// <summary>
/// One child process in a session of its own, from its start to its end. The calling thread waits on its output, its end and the timeout
/// at once, and nothing of the child is left when it returns: what it wrote is read, everything that it started is ended if it was not quick enough,
/// and its status is taken. What it left running on purpose keeps running, but not us.
/// </summary>
internal sealed unsafe class ChildProcess
{
    /// <summary>From SIGTERM to SIGKILL, as a rule.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    // After SIGKILL: only what hangs in the kernel takes longer.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    // Where the kernel has no handles of processes.
    private const int LookAgainMilliseconds = 20;
    private const int Chunk = 16 * 1024;

    // Output that is still in the pipe at the end: as much as a pipe holds.
    private const int MostChunksAtTheEnd = 8;

    // For those that are started while the others are ended. Whoever starts processes faster than that cannot be ended by looking for them.
    private const int MostLooks = 20;

    private readonly Children _children;
    private readonly int _process;
    private readonly HashSet<string> _run;
    private readonly TimeSpan _grace;
    private readonly OutputTail _output = new();
    private readonly byte[] _buffer = new byte[Chunk];
    private List<Probes.ProcessEntry> _others = [];
    private int _pipe;

    private ChildProcess(Children children, int process, int pipe, string run, TimeSpan grace)
    {
        _children = children;
        _process = process;
        _run = [run];
        _grace = grace;
        _pipe = pipe;
    }

    /// <summary>Runs a program; blocks until it has ended or was ended.</summary>
    /// <param name="children">Among which it is one.</param>
    /// <param name="arguments">The program first.</param>
    /// <param name="environment">All of it, with the mark of the run.</param>
    /// <param name="run">By which what it started is found.</param>
    /// <param name="grace">From SIGTERM to SIGKILL.</param>
    /// <param name="timeout">Ends it.</param>
    /// <returns>How it ended, or the error number of why there was none.</returns>
    public static (ChildEnd? End, int Error) Run(Children children, NativeTexts arguments, NativeTexts environment, string run, TimeSpan grace, CancellationToken timeout)
    {
        var error = SystemCalls.CreatePipe(out var read, out var write);
        if (error != 0)
        {
            return (null, error);
        }

        error = children.Start(arguments, environment, write, out var process);
        _ = SystemCalls.Close(write);
        if (error != 0)
        {
            _ = SystemCalls.Close(read);
            return (null, error);
        }

        var child = new ChildProcess(children, process, read, run, grace);
        try
        {
            return (child.AwaitEnd(timeout), 0);
        }
        finally
        {
            child.ClosePipe();
        }
    }

    private ChildEnd AwaitEnd(CancellationToken timeout)
    {
        var ended = SystemCalls.OpenProcess(_process);
        var wake = SystemCalls.CreateEvent();
        try
        {
            // Without a handle for it the wait looks at the token now and then.
            using var ringing = wake < 0 ? default : timeout.UnsafeRegister(static handle => Ring((int)handle!), wake);
            return AwaitEnd(ended, wake, timeout);
        }
        finally
        {
            Close(ended);
            Close(wake);
        }
    }

    private ChildEnd AwaitEnd(int ended, int wake, CancellationToken timeout)
    {
        var asked = 0L;
        var killed = false;
        while (!HasEnded(ended))
        {
            if (asked == 0 && timeout.IsCancellationRequested)
            {
                asked = Stopwatch.GetTimestamp();
                SignalAll(SystemCalls.TermSignal);
            }

            if (asked != 0 && !killed && Stopwatch.GetElapsedTime(asked) >= _grace)
            {
                killed = true;
                SignalAll(SystemCalls.KillSignal);
            }

            if (killed && Stopwatch.GetElapsedTime(asked) >= _grace + _patience)
            {
                return new ChildEnd(null, true, _output.ToString(), _process);
            }

            Wait(ended, asked == 0 ? wake : -1, asked == 0 ? null : (killed ? _grace + _patience : _grace) - Stopwatch.GetElapsedTime(asked), ended < 0 || wake < 0);
            ReadSome();
        }

        for (var chunk = 0; chunk < MostChunksAtTheEnd && ReadSome(); chunk++)
        {
        }

        if (asked != 0)
        {
            // Whoever did not obey. The first process is dead and not yet reaped, so nobody else can have its number.
            SignalAll(SystemCalls.KillSignal);
            for (var look = 0; look < MostLooks && MarkedProcesses.Of(_run) is { Count: > 0 } others; look++)
            {
                Descendants.Signal(others, SystemCalls.KillSignal);
            }
        }

        return new ChildEnd(_children.Take(_process), asked != 0, _output.ToString(), _process);
    }

    // By their parents before those are gone, and by their mark: who cleans its environment has a parent, and who loses its parent has the mark.
    private void SignalAll(int signal)
    {
        _others = [.. _others.UnionBy(Descendants.Of(_process), other => other.Id).UnionBy(MarkedProcesses.Of(_run).Where(other => other.Id != _process), other => other.Id)];
        _ = SystemCalls.Kill(-_process, signal);
        Descendants.Signal(_others, signal);
    }

    // Looks without taking its status: until that is taken, its number and that of its group are its own.
    private bool HasEnded(int ended)
    {
        if (ended < 0)
        {
            return Probes.ProcessEntry.Read(_process) is not { IsDead: false };
        }

        var waited = new SystemCalls.Waited { Handle = ended, Wanted = SystemCalls.Readable };
        return SystemCalls.Poll(&waited, 1, 0) > 0 && waited.Happened != 0;
    }

    private void Wait(int ended, int wake, TimeSpan? left, bool lookAgain)
    {
        var waited = stackalloc SystemCalls.Waited[3];
        waited[0] = new SystemCalls.Waited { Handle = ended, Wanted = SystemCalls.Readable };
        waited[1] = new SystemCalls.Waited { Handle = wake, Wanted = SystemCalls.Readable };
        waited[2] = new SystemCalls.Waited { Handle = _pipe, Wanted = SystemCalls.Readable };
        var milliseconds = left is { } time ? Math.Max(0, (int)Math.Ceiling(time.TotalMilliseconds)) : -1;

        // Interrupted, or out of memory for a moment: whoever called looks at everything again.
        _ = SystemCalls.Poll(waited, 3, lookAgain && milliseconds is < 0 or > LookAgainMilliseconds ? LookAgainMilliseconds : milliseconds);
    }

    // One chunk, so that a flood never keeps us from looking at the time. False: there is nothing to read now.
    private bool ReadSome()
    {
        if (_pipe < 0)
        {
            return false;
        }

        nint length;
        fixed (byte* buffer = _buffer)
        {
            length = SystemCalls.Read(_pipe, buffer, Chunk);
        }

        if (length > 0)
        {
            _output.Add(_buffer.AsSpan(0, (int)length));
            return true;
        }

        if (length == 0)
        {
            // Nobody can write any more; it would be readable for ever.
            ClosePipe();
        }

        return false;
    }

    private void ClosePipe()
    {
        Close(_pipe);
        _pipe = -1;
    }

    private static void Close(int handle)
    {
        if (handle >= 0)
        {
            _ = SystemCalls.Close(handle);
        }
    }

    private static void Ring(int wake)
    {
        var one = 1UL;
        _ = SystemCalls.Write(wake, (byte*)&one, sizeof(ulong));
    }
}
