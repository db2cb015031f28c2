using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace FailoverHub.Agent.Checks.Probes;

/// <summary>One process, as <c>/proc/PID/stat</c> has it.</summary>
/// <param name="Id">Of the process.</param>
/// <param name="Name">Of its program, cut to <see cref="LongestName"/> bytes by the kernel.</param>
/// <param name="State">One letter: <c>Z</c> and <c>X</c> are dead.</param>
/// <param name="Parent">Process id.</param>
/// <param name="StartedAt">In clock ticks since the boot: with <paramref name="Id"/> it names a process for ever.</param>
internal readonly record struct ProcessEntry(int Id, string Name, char State, int Parent, long StartedAt)
{
    public const int LongestName = 15;

    public bool IsDead => State is 'Z' or 'X' or 'x';

    /// <summary>Null: there is no such process (any more), or it may not be looked at.</summary>
    public static ProcessEntry? Read(int id)
    {
        Span<byte> buffer = stackalloc byte[1024];
        var length = ReadFile($"/proc/{id.ToString(CultureInfo.InvariantCulture)}/stat", buffer);
        return length > 0 ? Parse(id, buffer[..length]) : null;
    }

    /// <summary>All that there are now.</summary>
    public static IEnumerable<ProcessEntry> All()
    {
        foreach (var path in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(path.AsSpan("/proc/".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && Read(id) is { } entry)
            {
                yield return entry;
            }
        }
    }

    /// <summary>The program's name as it was started, without its path; for names that the kernel cuts. Null: not to be known.</summary>
    public string? CommandName()
    {
        Span<byte> buffer = stackalloc byte[1024];
        var length = ReadFile($"/proc/{Id.ToString(CultureInfo.InvariantCulture)}/cmdline", buffer);
        if (length <= 0)
        {
            return null;
        }

        var first = buffer[..length];
        var end = first.IndexOf((byte)0);
        first = end < 0 ? first : first[..end];
        return Encoding.UTF8.GetString(first[(first.LastIndexOf((byte)'/') + 1)..]);
    }

    // 1234 (name, which may have spaces and brackets) S 1 1234 ... ; field 22 is the start time.
    private static ProcessEntry? Parse(int id, ReadOnlySpan<byte> line)
    {
        var open = line.IndexOf((byte)'(');
        var close = line.LastIndexOf((byte)')');
        if (open < 0 || close < open || close + 2 >= line.Length)
        {
            return null;
        }

        var rest = line[(close + 2)..];
        var state = (char)rest[0];
        var parent = Field(rest, 1);
        var started = Field(rest, 19);
        return parent is null || started is null ? null : new ProcessEntry(id, Encoding.UTF8.GetString(line[(open + 1)..close]), state, (int)parent, started.Value);
    }

    private static long? Field(ReadOnlySpan<byte> fields, int index)
    {
        for (; index > 0; index--)
        {
            var space = fields.IndexOf((byte)' ');
            if (space < 0)
            {
                return null;
            }

            fields = fields[(space + 1)..];
        }

        return Utf8Parser.TryParse(fields, out long value, out _) ? value : null;
    }

    private static int ReadFile(string path, Span<byte> buffer)
    {
        try
        {
            using var file = File.OpenHandle(path);
            return RandomAccess.Read(file, buffer, 0);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It ended while we looked, or is hidden from us.
            return 0;
        }
    }
}
