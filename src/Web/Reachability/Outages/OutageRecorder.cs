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
/// Beside it the loop "outages-operations" hands over operations as they end; one that breaks is begun anew, and what it has missed is looked for.
/// </summary>
internal sealed partial class OutageRecorder(IFleetView fleet, IOperations operations, OutageSources sources, TimeProvider time, ILogger<OutageRecorder> logger) : BackgroundService
{
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FollowAgainAfter = TimeSpan.FromSeconds(1);

    /// <summary>What a feed that breaks may have had on its way. Less than <see cref="OutageWatch.After"/>: nothing of that is measured yet, so nothing is told twice.</summary>
    private static readonly TimeSpan MayBeLost = TimeSpan.FromSeconds(10);

    /// <summary>Single probes are kept for an hour at least.</summary>
    internal static readonly TimeSpan LookBack = TimeSpan.FromMinutes(50);
    private const int MostOperations = 100;
    private const int MostKeptAtOnce = 100;

    private readonly OutageWatch _watch = new();

    // It is made before the prober begins.
    private readonly DateTimeOffset _began = time.GetUtcNow();
    private readonly Channel<OperationView> _ended = Channel.CreateBounded<OperationView>(new BoundedChannelOptions(1_000) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    // Since when operations may have ended unseen; null: none has. Set by the one loop, taken by the other.
    private Unseen? _unseen;

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
        await LookForUnseenAsync(cancellationToken);
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

    /// <summary>Until the hub stops: without it no planned move would be measured any more, and nobody would know.</summary>
    private async Task FollowAsync(CancellationToken stoppingToken)
    {
        Unseen? unseen = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(unseen, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception defect)
            {
                LogBroken(defect);
            }

            // Also behind a feed that has ended of itself, which none does while the hub runs.
            unseen = new Unseen(time.GetUtcNow() - MayBeLost);
            await Task.Delay(FollowAgainAfter, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task FollowAsync(Unseen? unseen, CancellationToken stoppingToken)
    {
        // The feed tells what changes from its first step on: what is looked for after that falls in no gap between the two.
        await using IAsyncEnumerator<OperationView> changes = operations.WatchAsync(stoppingToken).GetAsyncEnumerator(stoppingToken);
        ValueTask<bool> next = changes.MoveNextAsync();

        // One that still waits is older, and so has in it what this one is about.
        Interlocked.CompareExchange(ref _unseen, unseen, null);
        while (await next)
        {
            Take(changes.Current);
            next = changes.MoveNextAsync();
        }
    }

    private async Task LookForUnseenAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _unseen, null) is { } unseen
            && !await WithoutFaultAsync(async () => (await UnmeasuredAsync(unseen.Since, cancellationToken)).ForEach(Take)))
        {
            Interlocked.Exchange(ref _unseen, unseen);
        }
    }

    /// <summary>The newest operations that move addresses, as far as they go on, or ended at that time or later and what they cost is not kept.</summary>
    private async Task<List<OperationView>> UnmeasuredAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        var unmeasured = new List<OperationView>();
        foreach (OperationView operation in await operations.RecentAsync(OperationFilter.All, MostOperations, cancellationToken))
        {
            if (OutageWatch.KindOf(operation.Type) is not null
                && (operation.FinishedAt is not { } finished || (finished >= since && (await sources.Store.OfOperationAsync(operation.Id, cancellationToken)).IsEmpty)))
            {
                unmeasured.Add(operation);
            }
        }

        return unmeasured;
    }

    /// <summary>What ended shortly before the hub did has not been measured, and what moved meanwhile was not seen.</summary>
    /// <returns>It could be read.</returns>
    internal async Task<bool> LookBackAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        return await WithoutFaultAsync(async () =>
        {
            List<OperationView> unmeasured = await UnmeasuredAsync(now - LookBack, cancellationToken);
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
        if (_watch.Again(move, part => measured.Any(o => o.At == part.At && o.Figures.GoesOn)))
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

    [LoggerMessage(Level = LogLevel.Critical, Message = "A defect of the hub: operations could not be followed to measure what they cost. It is begun anew in a second; what ends meanwhile is measured all the same")]
    private partial void LogBroken(Exception exception);

    private sealed record Unseen(DateTimeOffset Since);
}

/// <summary>Who measures outages, and where they go.</summary>
internal sealed record OutageSources(OutageMeter Meter, IHistory History, OutageStore Store, HubWriter Writer, EventLog Events);
