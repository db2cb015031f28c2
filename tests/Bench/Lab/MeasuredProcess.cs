using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace FailoverHub.Bench.Lab;

/// <summary>Memory of a process and of all that it started.</summary>
/// <param name="Rss">Bytes; pages shared with others count in full.</param>
/// <param name="Pss">Bytes; a page shared by n processes counts 1/n.</param>
/// <param name="Private">Bytes that it has for itself alone.</param>
internal readonly record struct Memory(long Rss, long Pss, long Private);

/// <summary>A subject's process, started in its network, with what the kernel counts of it.</summary>
internal sealed partial class MeasuredProcess
{
    private readonly Process _process;

    private MeasuredProcess(Process process, long startedAt)
    {
        _process = process;
        StartedAt = startedAt;
    }

    /// <summary>Just before the process was made, in the clock of <see cref="Stopwatch"/>. A shell that opens the log stands between: about a millisecond, for everyone.</summary>
    public long StartedAt { get; }

    public bool HasExited => _process.HasExited;

    public static Task<MeasuredProcess> StartAsync(NodeNetwork network, string log, IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", """exec "$@" >>"$0" 2>&1 </dev/null""", log, .. command]) { WorkingDirectory = "/" };
        foreach (var (key, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[key] = value;
        }

        return network.InsideAsync(() =>
        {
            var at = Stopwatch.GetTimestamp();
            return new MeasuredProcess(Process.Start(start)!, at);
        });
    }

    /// <summary>SIGKILL, to it and to all that it started.</summary>
    public async Task KillAsync(CancellationToken cancellation)
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(cancellation);
        _process.Dispose();
    }

    /// <summary>SIGTERM to it alone, at once; completes when it has ended.</summary>
    public async Task TerminateAsync(CancellationToken cancellation)
    {
        const int terminate = 15;
        _ = Signal(_process.Id, terminate);
        await _process.WaitForExitAsync(cancellation);
        _process.Dispose();
    }

    public Memory Memory()
    {
        long rss = 0, pss = 0, alone = 0;
        foreach (var id in Family())
        {
            foreach (var line in File.ReadLines($"/proc/{id}/smaps_rollup"))
            {
                rss += Kilobytes(line, "Rss:");
                pss += Kilobytes(line, "Pss:");
                alone += Kilobytes(line, "Private_Clean:") + Kilobytes(line, "Private_Dirty:");
            }
        }

        return new Memory(rss * 1024, pss * 1024, alone * 1024);
    }

    /// <summary>Time on a processor so far, also of threads that have ended: the scheduler's own count, in nanoseconds where clock ticks would be 10 ms.</summary>
    public TimeSpan ProcessorTime()
    {
        var sum = TimeSpan.Zero;
        foreach (var id in Family())
        {
            // The processor clock of another process, as clock_getcpuclockid makes it.
            if (ClockGetTime((~id << 3) | 2, out var time) == 0)
            {
                sum += TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0);
            }
        }

        return sum;
    }

    private IEnumerable<int> Family()
    {
        var parents = new Dictionary<int, int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), out var id) && Parent(id) is { } parent)
            {
                parents[id] = parent;
            }
        }

        return parents.Keys.Where(IsFamily).Append(_process.Id).Distinct();

        bool IsFamily(int id) => parents.TryGetValue(id, out var parent) && (parent == _process.Id || IsFamily(parent));
    }

    private static int? Parent(int id)
    {
        try
        {
            // The name in brackets may hold blanks.
            var status = File.ReadAllText($"/proc/{id}/stat");
            return int.Parse(status[(status.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is IOException or DirectoryNotFoundException)
        {
            // It has ended meanwhile.
            return null;
        }
    }

    private static long Kilobytes(string line, string field) => line.StartsWith(field, StringComparison.Ordinal)
        ? long.Parse(line[field.Length..^2].Trim(), CultureInfo.InvariantCulture)
        : 0;

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
