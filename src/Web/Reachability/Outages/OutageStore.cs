using System.Collections.Immutable;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability.Vantages;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Reachability.Outages;

/// <summary>Outage figures on the disk.</summary>
internal sealed class OutageStore(IDbContextFactory<HubDbContext> factory, VantageNames names) : IOutages
{
    public async Task<ImmutableArray<OutageRecord>> OfPairAsync(string pair, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 500);
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        return [.. (await db.Outages.AsNoTracking().Where(o => o.Pair == pair).OrderByDescending(o => o.AtMs).ThenByDescending(o => o.Id).Take(limit).ToListAsync(cancellationToken)).Select(FromRow)];
    }

    public async Task<ImmutableArray<OutageRecord>> OfOperationAsync(string id, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        return [.. (await db.Outages.AsNoTracking().Where(o => o.OperationId == id).ToListAsync(cancellationToken)).Select(FromRow).OrderBy(o => o.Prefix, StringComparer.Ordinal).ThenBy(o => o.At).ThenBy(o => o.Vantage, StringComparer.Ordinal)];
    }

    public async Task<ImmutableArray<OutageRecord>> OfEventAsync(EventRecord told, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        (long from, long to) = ((told.At - ToldMove.LongestBefore).ToUnixTimeMilliseconds(), told.At.ToUnixTimeMilliseconds());
        return ToldMove.Of(told, (await db.Outages.AsNoTracking().Where(o => o.Pair == told.Pair && o.OperationId == null && o.AtMs >= from && o.AtMs <= to).ToListAsync(cancellationToken)).Select(FromRow));
    }

    /// <summary>Where the addresses of each pair were, by the pair's id, when that was last known and measured.</summary>
    public async Task<Dictionary<string, string>> ActiveNodesAsync(CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        return await db.Pairs.AsNoTracking().Where(p => p.ActiveNode != null).ToDictionaryAsync(p => p.Id, p => p.ActiveNode!, cancellationToken);
    }

    private OutageRecord FromRow(OutageEntity row) => new()
    {
        At = DateTimeOffset.FromUnixTimeMilliseconds(row.AtMs),
        Pair = row.Pair,
        Prefix = row.Prefix,
        Vantage = row.Vantage,
        VantageName = names.Of(row.Vantage).Name,
        Kind = Enum.TryParse(row.Kind, out MoveKind kind) ? kind : MoveKind.Change,
        OperationId = row.OperationId,
        From = row.FromNode,
        To = row.ToNode,
        Figures = new OutageFigures(
            row.Sent, row.Lost, At(row.FirstLossMs), At(row.LastLossMs), TimeSpan.FromMilliseconds(row.LongestMs), row.GoesOn, TimeSpan.FromMilliseconds(row.ResolutionMs))
        {
            Shortest = row.ShortestMs is { } shortest ? TimeSpan.FromMilliseconds(shortest) : null,
            Unprobed = row.UnprobedMs is { } unprobed ? TimeSpan.FromMilliseconds(unprobed) : null,
        },
    };

    private static DateTimeOffset? At(long? milliseconds) => milliseconds is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;
}

/// <summary>Where the addresses of some pairs are, on its way to the disk.</summary>
/// <param name="active">By the pair's id.</param>
internal sealed class KeepActiveNodes(ImmutableArray<(string PairId, string Node)> active) : HubWrite
{
    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        foreach ((string id, string node) in active)
        {
            // Its row may be on its way in the same batch.
            if (await db.Pairs.FindAsync([id], cancellationToken) is { } pair)
            {
                pair.ActiveNode = node;
            }
        }
    }
}

/// <summary>Figures of one move on their way to the disk; those of an operation are there once, however often it is measured.</summary>
internal sealed class AddOutages(ImmutableArray<OutageRecord> outages) : HubWrite
{
    public override async Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        if (outages is [{ OperationId: { } id }, ..])
        {
            await db.Outages.Where(o => o.OperationId == id).ExecuteDeleteAsync(cancellationToken);
        }

        db.Outages.AddRange(outages.Select(o => new OutageEntity
        {
            AtMs = o.At.ToUnixTimeMilliseconds(),
            Pair = o.Pair,
            Prefix = o.Prefix,
            Vantage = o.Vantage,
            Kind = o.Kind.ToString(),
            OperationId = o.OperationId,
            FromNode = o.From,
            ToNode = o.To,
            FirstLossMs = o.Figures.FirstLossAt?.ToUnixTimeMilliseconds(),
            LastLossMs = o.Figures.LastLossAt?.ToUnixTimeMilliseconds(),
            Sent = o.Figures.Sent,
            Lost = o.Figures.Lost,
            LongestMs = (long)o.Figures.Longest.TotalMilliseconds,
            ShortestMs = (long?)o.Figures.Shortest?.TotalMilliseconds,
            UnprobedMs = (long?)o.Figures.Unprobed?.TotalMilliseconds,
            GoesOn = o.Figures.GoesOn,
            ResolutionMs = (int)o.Figures.Resolution.TotalMilliseconds,
        }));
    }
}
