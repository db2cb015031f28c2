using FailoverHub.Interop.Tests.Harness;

namespace FailoverHub.Interop.Tests.Nodes;

/// <summary>A wall clock for some processes, which can be set while they run. Monotonic clocks are the machine's.</summary>
internal sealed class Clock
{
    private const string Offset = "/run/clock";

    private readonly DataCenter _center;

    private Clock(DataCenter center) => _center = center;

    /// <summary>What a process is to be started with. Each look at any clock reads a file then: for a process that looks seldom.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>
    {
        ["LD_PRELOAD"] = Library,
        ["FAKETIME_TIMESTAMP_FILE"] = Offset,
        ["FAKETIME_NO_CACHE"] = "1",
        ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
    };

    private static string Library => Directory.GetFiles("/usr/lib", "libfaketimeMT.so.1", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 }).Single();

    /// <summary>What a process is to be started with whose clock is off by so much all its life.</summary>
    /// <param name="offset">Against the machine's: <c>-31d</c>.</param>
    public static IReadOnlyDictionary<string, string> At(string offset) =>
        new Dictionary<string, string> { ["LD_PRELOAD"] = Library, ["FAKETIME"] = offset, ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1" };

    /// <param name="center">Where.</param>
    /// <param name="offset">Against the machine's: <c>-31d</c>.</param>
    /// <param name="cancellation">Of the test.</param>
    public static async Task<Clock> StartAsync(DataCenter center, string offset, CancellationToken cancellation)
    {
        var clock = new Clock(center);
        await clock.SetAsync(offset, cancellation);
        return clock;
    }

    /// <summary>Sets it.</summary>
    public Task SetAsync(string offset, CancellationToken cancellation) => _center.Sandbox.WriteAsync(Offset, offset, cancellation);
}
