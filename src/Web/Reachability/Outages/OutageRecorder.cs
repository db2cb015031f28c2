using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Reachability.Outages;

/// <summary>
/// The loop "outages": owns the <see cref="OutageWatch"/>, shows it the fleet each second and the operations as they end, and has what each move cost measured from every
/// vantage point, kept, and told as an event. It decides nothing itself, and ends with the hub; operations that ended shortly before that are measured at the next start.
/// </summary>
internal sealed partial class OutageRecorder(IFleetView fleet, IOperations operations, OutageSources sources, TimeProvider time, ILogger<OutageRecorder> logger) : BackgroundService
{
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(1);

    /// <summary>Single probes are kept for an hour at least.</summary>
    internal static readonly TimeSpan LookBack = TimeSpan.FromMinutes(50);
    private const int MostOperations = 100;
    private const int MostKeptAtOnce = 100;

    private readonly OutageWatch _watch = new();

    // It is made before the prober begins.
    private readonly DateTimeOffset _began = time.GetUtcNow();
    private readonly Channel<OperationView> _ended = Channel.CreateBounded<OperationView>(new BoundedChannelOptions(1_000) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Task following = FollowAsync(stoppingToken);
        using var timer = new PeriodicTimer(Turn, time);
        try
        {
            // Before that nothing is looked at: what an earlier life knew must not be written over.
            bool hasLookedBack = await LookBackAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                hasLookedBack = hasLookedBack || await LookBackAsync(stoppingToken);
                if (hasLookedBack)
                {
                    await TurnAsync(stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The hub stops.
        }

        await following;
    }

    /// <summary>An operation has changed.</summary>
    internal void Take(OperationView operation)
    {
        if (operation.FinishedAt is not null && OutageWatch.KindOf(operation.Type) is not null)
        {
            // The oldest is let go: a fleet in which a thousand operations end within a second is measured by its newest.
            _ended.Writer.TryWrite(operation);
        }
    }

    /// <summary>One turn: sees what is new, measures what is due.</summary>
    internal async Task TurnAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        _watch.See(fleet.Current);
        var unread = new List<OperationView>();
        while (_ended.Reader.TryRead(out OperationView? operation))
        {
            if (!await WithoutFaultAsync(async () => _watch.See(operation, await PrefixesAsync(operation.Id, cancellationToken))))
            {
                unread.Add(operation);
            }
        }

        unread.ForEach(Take);

        foreach (Move move in _watch.TakeDue(now))
        {
            if (!await WithoutFaultAsync(() => MeasureAsync(move, now, cancellationToken)))
            {
                _watch.Retry(move, now);
            }
        }

        if (_watch.TakeUnstored(MostKeptAtOnce) is { IsEmpty: false } active)
        {
            sources.Writer.Enqueue(new KeepActiveNodes(active));
        }
    }

    /// <summary>Pure: the sentence that history keeps.</summary>
    internal static EventDraft ToDraft(OutageRecord outage, DateTimeOffset now) => new()
    {
        At = now,
        Kind = EventKinds.OutageMeasured,
        Severity = outage.Figures.Longest >= TimeSpan.FromSeconds(1) || outage.Figures.GoesOn ? EventSeverity.Warning : EventSeverity.Info,
        Pair = outage.Pair,
        Prefix = outage.Prefix,
        Text = OutageSentences.Of(outage),
        OperationId = outage.OperationId,
    };

    private async Task FollowAsync(CancellationToken stoppingToken)
    {
        await foreach (OperationView operation in operations.WatchAsync(stoppingToken))
        {
            Take(operation);
        }
    }

    /// <summary>What ended shortly before the hub did has not been measured, and what moved meanwhile was not seen.</summary>
    /// <returns>It could be read.</returns>
    internal async Task<bool> LookBackAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        return await WithoutFaultAsync(async () =>
        {
            var unmeasured = new List<OperationView>();
            foreach (OperationView operation in await operations.RecentAsync(OperationFilter.All, MostOperations, cancellationToken))
            {
                if (OutageWatch.KindOf(operation.Type) is not null
                    && (operation.FinishedAt is not { } finished || (now - finished < LookBack && (await sources.Store.OfOperationAsync(operation.Id, cancellationToken)).IsEmpty)))
                {
                    unmeasured.Add(operation);
                }
            }

            _watch.Resume(await sources.Store.ActiveNodesAsync(cancellationToken), unmeasured.Select(o => o.PairId).ToHashSet(StringComparer.Ordinal), _began);
            unmeasured.ForEach(Take);
        });
    }

    private async Task<ImmutableArray<IPNetwork>> PrefixesAsync(string operation, CancellationToken cancellationToken) =>
    [
        .. (await sources.History.IntentsAsync(operation, cancellationToken)).SelectMany(i => i.Roles.Keys).Distinct(StringComparer.Ordinal)
            .Select(p => IPNetwork.TryParse(p, out IPNetwork prefix) ? prefix : (IPNetwork?)null).OfType<IPNetwork>().OrderBy(p => p.ToString(), StringComparer.Ordinal),
    ];

    private async Task MeasureAsync(Move move, DateTimeOffset now, CancellationToken cancellationToken)
    {
        ImmutableArray<OutageRecord> measured = await sources.Meter.MeasureAsync(move, cancellationToken);
        if (measured.Any(o => o.Figures.GoesOn) && _watch.Again(move, now))
        {
            return;
        }

        sources.Writer.Enqueue(new AddOutages(measured));
        foreach (OutageRecord outage in measured)
        {
            sources.Events.Append(ToDraft(outage, now));
        }
    }

    private async Task<bool> WithoutFaultAsync(Func<Task> work)
    {
        try
        {
            await work();
            return true;
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            LogFailed(fault);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What a move of an address cost could not be read or kept; it is tried again")]
    private partial void LogFailed(Exception exception);
}

/// <summary>Who measures outages, and where they go.</summary>
internal sealed record OutageSources(OutageMeter Meter, IHistory History, OutageStore Store, HubWriter Writer, EventLog Events);
