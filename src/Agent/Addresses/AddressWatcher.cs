using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using FailoverHub.Agent.Node;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Addresses;

/// <summary>
/// Reads the interfaces again and again, so that an address that appears is announced and one that disappears is withdrawn.
/// </summary>
/// <param name="read">The shared prefixes that the interfaces have now.</param>
/// <param name="post">Tells the node; waits while it is busy.</param>
/// <param name="time">Its clock.</param>
/// <param name="logger">Its log.</param>
internal sealed partial class AddressWatcher(
    Func<ImmutableHashSet<IPNetwork>> read,
    Func<NodeEvent, CancellationToken, ValueTask> post,
    TimeProvider time,
    ILogger<AddressWatcher> logger)
{
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>Runs until it is cancelled.</summary>
    /// <param name="known">What was read at the start already.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(ImmutableHashSet<IPNetwork> known, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        var failing = false;
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                ImmutableHashSet<IPNetwork> found;
                try
                {
                    found = read();
                }
                catch (Exception exception) when (exception is NetworkInformationException or SocketException or IOException)
                {
                    // Not knowing is not the same as gone: what was announced stays.
                    if (!failing)
                    {
                        CannotRead(logger, exception.Message);
                    }

                    failing = true;
                    continue;
                }

                failing = false;
                if (!found.SetEquals(known))
                {
                    await post(new NodeEvent.AddressesChanged(found), cancellationToken);
                    known = found;
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to end.
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "The addresses of the interfaces cannot be read, announcements stay as they are: {Problem}")]
    private static partial void CannotRead(ILogger logger, string problem);
}
