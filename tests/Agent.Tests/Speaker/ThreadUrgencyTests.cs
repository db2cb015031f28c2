using System.Globalization;
using FailoverHub.Agent.Speaker;

namespace FailoverHub.Agent.Tests.Speaker;

/// <summary>What the kernel then says of the thread. How far it may be raised depends on who runs the tests.</summary>
public sealed class ThreadUrgencyTests
{
    [Fact]
    public void Raised_TheThreadIsWhatTheLogSays_AndThreadsThatItStartsAreOrdinary()
    {
        var said = "";
        Scheduling raised = default, started = default;
        Run(() =>
        {
            said = ThreadUrgency.Raise();
            raised = Read();
            Run(() => started = Read());
        });

        Assert.Equal(
            said switch
            {
                "real-time priority" => new Scheduling(Nice: 0, RealTime: 1, RoundRobin: true),
                "nice -15" => new Scheduling(Nice: -15, RealTime: 0, RoundRobin: false),
                "ordinary priority (more needs CAP_SYS_NICE)" => Ordinary(),
                _ => throw new InvalidOperationException(said),
            },
            raised);
        Assert.Equal(Ordinary(), started);
    }

    [Fact]
    public void LoweredAgain_TheThreadIsOrdinary_AndCanBeRaisedAnew()
    {
        Scheduling lowered = default;
        string first = "", second = "";
        Run(() =>
        {
            first = ThreadUrgency.Raise();
            ThreadUrgency.Lower();
            lowered = Read();
            second = ThreadUrgency.Raise();
        });

        Assert.Equal(first.StartsWith("ordinary", StringComparison.Ordinal) ? Ordinary() : new Scheduling(Nice: 0, RealTime: 0, RoundRobin: false), lowered);
        Assert.Equal(first, second);
    }

    // Of a thread that nobody has touched: a build may run nicer than zero.
    private static Scheduling Ordinary()
    {
        Scheduling ordinary = default;
        Run(() => ordinary = Read());
        return ordinary;
    }

    private static void Run(Action act)
    {
        var thread = new Thread(() => act());
        thread.Start();
        thread.Join();
    }

    // proc(5): after the name in parentheses comes field 3; 19 is nice, 40 the real-time priority, 41 the policy.
    private static Scheduling Read()
    {
        var line = File.ReadAllText("/proc/thread-self/stat");
        var fields = line[(line.LastIndexOf(')') + 2)..].Split(' ').Select(field => long.TryParse(field, CultureInfo.InvariantCulture, out var number) ? number : 0).ToArray();
        return new Scheduling(fields[19 - 3], fields[40 - 3], fields[41 - 3] == 2);
    }

    private readonly record struct Scheduling(long Nice, long RealTime, bool RoundRobin);
}
