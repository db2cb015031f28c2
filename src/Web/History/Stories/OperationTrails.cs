using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;

namespace FailoverHub.Web.History.Stories;

/// <summary>Everything that belongs to one operation, from the request to what traffic felt of it.</summary>
public sealed record OperationTrail
{
    /// <summary>The operation with its steps.</summary>
    public required OperationView Operation { get; init; }

    /// <summary>Who asked for it and with which rules, what was refused on the way, newest first.</summary>
    public required ImmutableArray<AuditEntry> Audit { get; init; }

    /// <summary>What was wanted of the nodes, in the order of writing.</summary>
    public required ImmutableArray<IntentRecord> Intents { get; init; }

    /// <summary>What came of it on hub and nodes, newest first: at most 500.</summary>
    public required ImmutableArray<EventRecord> Events { get; init; }

    /// <summary>What probes of its addresses showed meanwhile, by prefix.</summary>
    public required ImmutableArray<MeasuredOutage> Outages { get; init; }

    /// <summary>The same from each vantage point, as it was measured some seconds after the end and is kept; empty: not yet.</summary>
    public required ImmutableArray<OutageRecord> Measured { get; init; }

    /// <summary>The same until it is kept: what the probes show so far. Empty: it is kept, or the operation moves nothing.</summary>
    public required ImmutableArray<OutageRecord> SoFar { get; init; }
}

/// <summary>Tells the story of an operation out of what the rooms keep under its id. An operation that is under way has the story until now.</summary>
internal sealed class OperationTrails(IOperations operations, IHistory history, IReachability reachability, IOutages outages, TimeProvider time, IMoveMeter? meter = null)
{
    // What is probed each second shows what came a little later than the last step too.
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan After = TimeSpan.FromSeconds(15);
    private const int MostEvents = 500;
    private const int MostProbes = 10_000;

    /// <summary>Null: no operation has that id.</summary>
    public async Task<OperationTrail?> FindAsync(string id, CancellationToken cancellationToken)
    {
        if (await operations.FindAsync(id, cancellationToken) is not { } operation)
        {
            return null;
        }

        var filter = new HistoryFilter { OperationId = id };
        ImmutableArray<IntentRecord> intents = await history.IntentsAsync(id, cancellationToken);
        ImmutableArray<OutageRecord> measured = await outages.OfOperationAsync(id, cancellationToken);
        return new OperationTrail
        {
            Operation = operation,
            Audit = (await history.AuditAsync(filter, null, MostEvents, cancellationToken)).Items,
            Intents = intents,
            Events = (await history.EventsAsync(filter, null, MostEvents, cancellationToken)).Items,
            Measured = measured,
            SoFar = measured.IsEmpty && meter is not null ? await meter.OfOperationAsync(operation, PrefixesOf(intents), cancellationToken) : [],
            Outages = await MeasureAsync(operation, intents, cancellationToken),
        };
    }

    private async Task<ImmutableArray<MeasuredOutage>> MeasureAsync(OperationView operation, ImmutableArray<IntentRecord> intents, CancellationToken cancellationToken)
    {
        var outages = ImmutableArray.CreateBuilder<MeasuredOutage>();
        DateTimeOffset until = (operation.FinishedAt ?? time.GetUtcNow()) + After;
        foreach (IPNetwork network in PrefixesOf(intents))
        {
            outages.Add(MeasuredOutage.Of(network, await reachability.SamplesAsync(network, operation.RequestedAt - Before, until, MostProbes, cancellationToken)));
        }

        return outages.ToImmutable();
    }

    private static ImmutableArray<IPNetwork> PrefixesOf(ImmutableArray<IntentRecord> intents) =>
    [
        .. intents.SelectMany(i => i.Roles.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .Select(p => IPNetwork.TryParse(p, out IPNetwork network) ? network : (IPNetwork?)null).OfType<IPNetwork>(),
    ];
}
