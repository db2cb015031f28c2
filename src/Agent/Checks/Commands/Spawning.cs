using System.Collections;
using System.Globalization;

namespace FailoverHub.Agent.Checks.Commands;

/// <summary>Starts a program as an ordinary child: in a session of its own, with no input, no blocked and no ignored signals, and nothing of ours open.</summary>
internal static unsafe class Spawning
{
    // What glibc and musl need for posix_spawn_file_actions_t (80 bytes), posix_spawnattr_t (336) and sigset_t (128), with room.
    private const int ActionsSize = 256;
    private const int AttributesSize = 512;
    private const int SignalsSize = 128;

    private const short NewSignalDefaults = 0x04; // POSIX_SPAWN_SETSIGDEF
    private const short NewSignalMask = 0x08; // POSIX_SPAWN_SETSIGMASK
    private const short NewSession = 0x80; // POSIX_SPAWN_SETSID

    private const int ChildSignal = 17; // SIGCHLD

    private static readonly string[] _notForChildren = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", MarkedProcesses.Variable];

    // Once, when the first command is run.
    private static readonly Lazy<bool> _childrenCanBeAwaited = new(StopIgnoringChildren);

    /// <summary>Ours, without what is meant for us alone, and with the mark of the run.</summary>
    public static NativeTexts Environment(string run)
    {
        var variables = System.Environment.GetEnvironmentVariables();
        return new NativeTexts([.. variables.Cast<DictionaryEntry>().Where(entry => !_notForChildren.Contains((string)entry.Key)).Select(entry => $"{entry.Key}={entry.Value}"), MarkedProcesses.Entry(run)]);
    }

    /// <summary>Starts it; both of its outputs go to the handle.</summary>
    /// <returns>0, or an error number.</returns>
    public static int Start(NativeTexts arguments, NativeTexts environment, int output, out int process)
    {
        _ = _childrenCanBeAwaited.Value;
        var actions = stackalloc byte[ActionsSize];
        var attributes = stackalloc byte[AttributesSize];
        var signals = stackalloc byte[SignalsSize];
        _ = SystemCalls.InitActions(actions);
        _ = SystemCalls.InitAttributes(attributes);
        try
        {
            fixed (byte* nothing = "/dev/null\0"u8)
            {
                _ = SystemCalls.AddOpen(actions, 0, nothing, 0, 0);
                _ = SystemCalls.AddDuplicate(actions, output, 1);
                _ = SystemCalls.AddDuplicate(actions, output, 2);
                _ = SystemCalls.SetSpawnFlags(attributes, NewSignalDefaults | NewSignalMask | NewSession);
                _ = SystemCalls.AllSignals(signals);
                _ = SystemCalls.SetSignalDefaults(attributes, signals);
                _ = SystemCalls.NoSignals(signals);
                _ = SystemCalls.SetSignalMask(attributes, signals);
                return SystemCalls.Spawn(out process, arguments.Pointers[0], actions, attributes, arguments.Pointers, environment.Pointers);
            }
        }
        finally
        {
            _ = SystemCalls.DestroyActions(actions);
            _ = SystemCalls.DestroyAttributes(attributes);
        }
    }

    // Whoever started us may have ignored SIGCHLD, which is inherited: the kernel would then throw away how our children ended.
    private static bool StopIgnoringChildren()
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("SigIgn:", StringComparison.Ordinal)
                && ulong.TryParse(line.AsSpan("SigIgn:".Length).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var ignored)
                && (ignored & (1UL << (ChildSignal - 1))) != 0)
            {
                _ = SystemCalls.SetDisposition(ChildSignal, 0);
            }
        }

        return true;
    }
}
