using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Addresses.Netlink;
using FailoverHub.Agent.Node;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Addresses;

/// <summary>The shared prefixes of the interfaces.</summary>
/// <param name="Prefixes">Found.</param>
/// <param name="IsCertain">False: what is missing may be there.</param>
/// <param name="Trouble">What the kernel does not do to them though the agent wants it, in a sentence; null: nothing.</param>
internal readonly record struct PrefixReading(ImmutableHashSet<IPNetwork> Prefixes, bool IsCertain, string? Trouble = null)
{
    private readonly ImmutableHashSet<IPNetwork>? _own;

    /// <summary>What is there only because the agent has put it there.</summary>
    public ImmutableHashSet<IPNetwork> Own
    {
        get => _own ?? [];
        init => _own = value;
    }
}

/// <summary>
/// Looks at the interfaces when the kernel says that something changed, so that an address that appears is announced and one that
/// disappears is withdrawn. Nothing is done while nothing happens. Many changes at once are looked at once.
/// </summary>
/// <param name="read">The shared prefixes that the interfaces have now.</param>
/// <param name="listen">Begins to listen to the kernel.</param>
/// <param name="post">Tells the node; waits while it is busy.</param>
/// <param name="time">Its clock.</param>
/// <param name="logger">Its log.</param>
internal sealed partial class AddressWatcher(
    Func<PrefixReading> read,
    Func<IInterfaceEvents> listen,
    Func<NodeEvent, CancellationToken, ValueTask> post,
    TimeProvider time,
    ILogger<AddressWatcher> logger)
{
    /// <summary>Between two looks where nobody tells of changes, and after one that failed.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>A script that adds addresses pauses for less than this between two of them.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(10);

    /// <summary>For how long changes are collected while there is no such pause.</summary>
    public static readonly TimeSpan LongestBurst = TimeSpan.FromMilliseconds(500);

    private bool _failing;
    private bool _isCertain;
    private string? _trouble;
    private ImmutableHashSet<IPNetwork> _own = [];
    private TaskCompletionSource _lookNow = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Looks after this time even if nothing was told: for what depends on more than interfaces and addresses. Null: never.</summary>
    public Func<TimeSpan?> LookAnyway { get; init; } = static () => null;

    /// <summary>What the interfaces are looked at for has changed. From any thread; returns at once.</summary>
    public void LookNow() => Interlocked.Exchange(ref _lookNow, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

    /// <summary>Runs until it is cancelled.</summary>
    /// <param name="known">What was read at the start already.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(ImmutableHashSet<IPNetwork> known, CancellationToken cancellationToken)
    {
        try
        {
            // Listening first: what changes during the first look is told.
            using var events = Listen();
            while (!cancellationToken.IsCancellationRequested)
            {
                // Before the look: a wish that comes during it is a new one.
                var lookNow = Volatile.Read(ref _lookNow).Task;
                known = await LookAsync(known, cancellationToken);
                await (events is null || _failing ? Task.Delay(Period, time, cancellationToken)
                    : _isCertain ? WaitAsync(events, lookNow, cancellationToken)
                    : Task.Delay(LongestBurst, time, cancellationToken));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to end.
        }
    }

    private IInterfaceEvents? Listen()
    {
        try
        {
            return listen();
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            NobodyTells(logger, Period.TotalSeconds, exception.Message);
            return null;
        }
    }

    private async Task<ImmutableHashSet<IPNetwork>> LookAsync(ImmutableHashSet<IPNetwork> known, CancellationToken cancellationToken)
    {
        PrefixReading reading;
        try
        {
            reading = read();
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException)
        {
            // Not knowing is not the same as gone: what was announced stays.
            if (!_failing)
            {
                CannotRead(logger, exception.Message);
            }

            _failing = true;
            return known;
        }

        _failing = false;
        var (found, trouble) = (reading.Prefixes, reading.Trouble);
        _isCertain = reading.IsCertain;
        if (!_isCertain)
        {
            found = found.Union(known);
        }

        if (!found.SetEquals(known) || !reading.Own.SetEquals(_own))
        {
            await post(new NodeEvent.AddressesChanged(found) { Own = reading.Own }, cancellationToken);
            _own = reading.Own;
        }

        if (trouble != _trouble)
        {
            _trouble = trouble;
            await post(new NodeEvent.AddressTrouble(trouble), cancellationToken);
        }

        return found;
    }

    // Returns when something has happened and, for a moment, nothing more does.
    private async Task WaitAsync(IInterfaceEvents events, Task lookNow, CancellationToken cancellationToken)
    {
        using var limit = LookAnyway() is { } longest ? new CancellationTokenSource(longest, time) : null;
        using var any = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit?.Token ?? CancellationToken.None);
        var settled = SettleAsync(events, any.Token);
        await Task.WhenAny(settled, lookNow);
        await any.CancelAsync();
        try
        {
            await settled;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nothing was told, and it is time to look all the same.
        }
    }

    private async Task SettleAsync(IInterfaceEvents events, CancellationToken cancellationToken)
    {
        await events.WaitAsync(cancellationToken);
        var since = time.GetTimestamp();
        do
        {
            await Task.Delay(Quiet, time, cancellationToken);
        }
        while (events.Drain() && time.GetElapsedTime(since) < LongestBurst);
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "The addresses of the interfaces cannot be read, announcements stay as they are: {Problem}")]
    private static partial void CannotRead(ILogger logger, string problem);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "The kernel does not tell when an address comes or goes, the interfaces are read every {Seconds:0} s instead: {Problem}. In a systemd unit, RestrictAddressFamilies= has to contain AF_NETLINK")]
    private static partial void NobodyTells(ILogger logger, double seconds, string problem);
}
