using System.Globalization;

namespace FailoverHub.Agent.Service;

/// <summary>What systemd says in the environment of a service of <c>Type=notify</c> (sd_notify(3), sd_watchdog_enabled(3)).</summary>
/// <param name="Socket">Where it wants to be told: a path, or <c>@</c> and a name of the abstract namespace.</param>
/// <param name="Watchdog">It ends a service that is silent for so long; null: never.</param>
internal sealed record ServiceManager(string Socket, TimeSpan? Watchdog)
{
    /// <summary>Null: nobody wants to be told.</summary>
    /// <param name="variable">A variable of the environment, by its name; null: there is none.</param>
    /// <param name="processId">Ours: a watchdog may be meant for another process.</param>
    public static ServiceManager? Of(Func<string, string?> variable, int processId)
    {
        // Other kinds of addresses (vsock:, of virtual machines) are for whole systems.
        if (variable("NOTIFY_SOCKET") is not ({ Length: > 1 } socket and (['/', ..] or ['@', ..])))
        {
            return null;
        }

        var isForUs = variable("WATCHDOG_PID") is not { Length: > 0 } process || process == processId.ToString(CultureInfo.InvariantCulture);
        var watchdog = isForUs && long.TryParse(variable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) && microseconds is > 0 and < long.MaxValue / TimeSpan.TicksPerMicrosecond
            ? TimeSpan.FromMicroseconds(microseconds)
            : (TimeSpan?)null;
        return new ServiceManager(socket, watchdog);
    }
}
