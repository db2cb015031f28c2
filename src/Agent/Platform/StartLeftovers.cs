using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FailoverHub.Agent.Platform;

/// <summary>
/// Gives back to the machine what only the start needed: this process rests for months afterwards, and neither a runtime nor a kernel that has nothing
/// to do tidies up. Done twice, and between two keepalives.
/// </summary>
internal static partial class StartLeftovers
{
    private const int DontNeed = 4; // MADV_DONTNEED

    /// <summary>Objects of the start, and the pages of the program that only it ran through.</summary>
    public static void GiveBack()
    {
        // Read first: what this allocates goes with the rest. Under the JIT, code lives elsewhere and is none of our business.
        var pages = RuntimeFeature.IsDynamicCodeSupported ? [] : ReadPages();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        foreach (var (start, length) in pages)
        {
            // What is used again is mapped again from the page cache when it is touched. A refusal costs nothing but the saving.
            _ = Advise(start, length, DontNeed);
        }
    }

    private static List<(nint Start, nuint Length)> ReadPages()
    {
        try
        {
            return UntouchedFilePages(File.ReadLines("/proc/self/smaps"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // No /proc: then they stay, as in any other program.
            return [];
        }
    }

    /// <summary>
    /// Ranges that are the same as in their file: mapped from one, not to be written, and not one page of them is the process's own. Only those may be let
    /// go: a page that the loader or a debugger has changed would come back unchanged.
    /// </summary>
    /// <param name="lines">Of <c>/proc/PID/smaps</c> (proc(5)).</param>
    internal static List<(nint Start, nuint Length)> UntouchedFilePages(IEnumerable<string> lines)
    {
        var found = new List<(nint, nuint)>();
        (nint Start, nuint Length)? range = null;
        foreach (var line in lines)
        {
            if (TryRange(line, out var start, out var end, out var isFile))
            {
                range = isFile ? (start, (nuint)(end - start)) : null;
            }
            else if (range is { } candidate && line.StartsWith("Anonymous:", StringComparison.Ordinal))
            {
                if (line.AsSpan(10).TrimStart().StartsWith("0 "))
                {
                    found.Add(candidate);
                }

                range = null;
            }
        }

        return found;
    }

    // 55d0c0a00000-55d0c0c00000 r-xp 00016000 fe:01 1234    /usr/bin/failoverhub-agent
    private static bool TryRange(string line, out nint start, out nint end, out bool isFile)
    {
        (start, end, isFile) = (0, 0, false);
        var dash = line.IndexOf('-', StringComparison.Ordinal);
        var blank = line.IndexOf(' ', StringComparison.Ordinal);
        if (dash <= 0 || blank <= dash
            || !nint.TryParse(line.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out start)
            || !nint.TryParse(line.AsSpan(dash + 1, blank - dash - 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out end))
        {
            return false;
        }

        // Read-only, private, and with a path: [vdso] and its like have none.
        var rights = line.AsSpan(blank + 1);
        isFile = (rights.StartsWith("r--p ") || rights.StartsWith("r-xp ")) && line.Contains(" /", StringComparison.Ordinal);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint start, nuint length, int advice);
}
