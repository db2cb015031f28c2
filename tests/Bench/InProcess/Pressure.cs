using System.Diagnostics;

namespace FailoverHub.Bench.InProcess;

/// <summary>What a machine or a process can be busy with.</summary>
internal enum Load
{
    None,
    Processors,
    SmallHeap,
    LargeHeap,
    Pool,
    All,
}

/// <summary>Keeps the machine or this process busy until it is disposed of.</summary>
internal sealed class Pressure : IDisposable
{
    private readonly List<Process> _spinners = [];
    private readonly List<Thread> _threads = [];
    private readonly ManualResetEventSlim _over = new();
    private readonly int _collectionsBefore = GC.CollectionCount(0);
    private CountdownEvent? _unblocked;

    public TimeSpan LongestPause { get; private set; }

    public static Pressure Begin(Load load)
    {
        var pressure = new Pressure();
        if (load is Load.Processors or Load.All)
        {
            pressure.Spin();
        }

        if (load is Load.SmallHeap or Load.All)
        {
            pressure.Allocate(20);
        }

        if (load is Load.LargeHeap)
        {
            pressure.Allocate(200);
        }

        if (load is Load.Pool or Load.All)
        {
            pressure.Starve();
        }

        return pressure;
    }

    public static string Name(Load load) => load switch
    {
        Load.None => "none",
        Load.Processors => "every processor busy twice",
        Load.SmallHeap => "20 MB alive, garbage without end",
        Load.LargeHeap => "200 MB alive, garbage without end",
        Load.Pool => "thread pool starved",
        _ => "processors, 20 MB and pool together",
    };

    /// <summary>Blocks the calling thread for so long: timers of the pool would not come back while it is starved.</summary>
    public void Watch(TimeSpan time) => _over.Wait(time);

    public void SeeLongestPause()
    {
        if (GC.CollectionCount(0) == _collectionsBefore)
        {
            return;
        }

        foreach (var pause in GC.GetGCMemoryInfo(GCKind.Any).PauseDurations)
        {
            LongestPause = pause > LongestPause ? pause : LongestPause;
        }
    }

    public void Dispose()
    {
        foreach (var spinner in _spinners)
        {
            spinner.Kill();
            spinner.WaitForExit();
            spinner.Dispose();
        }

        _over.Set();
        foreach (var thread in _threads)
        {
            thread.Join();
        }

        _unblocked?.Wait();
        _unblocked?.Dispose();
        _over.Dispose();
    }

    // Processes of their own, so that the collector of this one has nothing to do with them.
    private void Spin()
    {
        for (var count = 0; count < 2 * Environment.ProcessorCount; count++)
        {
            _spinners.Add(Process.Start("/bin/sh", ["-c", "while :; do :; done"]));
        }
    }

    private void Allocate(int megabytes)
    {
        var thread = new Thread(() =>
        {
            // Linked, so that the collector has to walk it.
            var alive = new Node[1000 * megabytes];
            var random = new Random(1);
            while (!_over.IsSet)
            {
                alive[random.Next(alive.Length)] = new Node(alive[random.Next(alive.Length)]?.Payload);
            }
        });
        thread.Start();
        _threads.Add(thread);
    }

    private void Starve()
    {
        const int Items = 500;
        _unblocked = new CountdownEvent(Items);
        for (var count = 0; count < Items; count++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                _ =>
                {
                    _over.Wait();
                    _unblocked.Signal();
                },
                null);
        }
    }

    private sealed class Node(byte[]? before)
    {
        public byte[] Payload { get; } = new byte[1000];

        public byte[]? Before { get; } = before;
    }
}
