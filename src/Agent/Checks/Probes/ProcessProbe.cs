using System.Globalization;
using System.Text;

namespace FailoverHub.Agent.Checks.Probes;

/// <summary>
/// Good while a process lives. The one that was found last is looked at first, so that all processes are only gone through when that one
/// has ended.
/// </summary>
internal sealed class ProcessProbe(ProbeOptions.Process options) : IProbe
{
    private ProcessEntry? _last;

    public Task<ProbeResult> RunAsync(CancellationToken timeout) => Task.FromResult(options.PidFile is { } file ? OfFile(file) : ByName(options.Name!, timeout));

    public void Dispose()
    {
        // Nothing is held.
    }

    private ProbeResult OfFile(string file)
    {
        int id;
        try
        {
            var text = ReadStart(file);
            if (!int.TryParse(text.Split('\n')[0].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out id) || id <= 0)
            {
                return ProbeResult.Bad($"pid file {file} has no process id in it");
            }
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return ProbeResult.Bad($"there is no pid file {file}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return ProbeResult.Bad($"pid file {file} cannot be read: {exception.Message}");
        }

        return ProcessEntry.Read(id) is not { IsDead: false } entry ? ProbeResult.Bad($"process {id} of {file} is not running")
            : options.Name is { } name && !IsNamed(entry, name) ? ProbeResult.Bad($"process {id} of {file} is {Printable.Of(entry.Name)} and not {name}")
            : ProbeResult.Fine($"process {id} is running");
    }

    private ProbeResult ByName(string name, CancellationToken timeout)
    {
        if (_last is { } last && ProcessEntry.Read(last.Id) is { IsDead: false } still && still.StartedAt == last.StartedAt && IsNamed(still, name))
        {
            return ProbeResult.Fine($"process {still.Id} is running");
        }

        _last = null;
        foreach (var entry in ProcessEntry.All())
        {
            timeout.ThrowIfCancellationRequested();
            if (!entry.IsDead && IsNamed(entry, name))
            {
                _last = entry;
                return ProbeResult.Fine($"process {entry.Id} is running");
            }
        }

        return ProbeResult.Bad($"no process {name} is running");
    }

    private static bool IsNamed(ProcessEntry entry, string name) =>
        Encoding.UTF8.GetByteCount(name) <= ProcessEntry.LongestName ? entry.Name == name
        : name.StartsWith(entry.Name, StringComparison.Ordinal) && Encoding.UTF8.GetByteCount(entry.Name) == ProcessEntry.LongestName && entry.CommandName() == name;

    private static string ReadStart(string file)
    {
        Span<byte> buffer = stackalloc byte[64];
        using var handle = File.OpenHandle(file);
        return Encoding.UTF8.GetString(buffer[..RandomAccess.Read(handle, buffer, 0)]);
    }
}
