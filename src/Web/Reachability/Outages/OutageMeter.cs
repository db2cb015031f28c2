using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability.Storage;

namespace FailoverHub.Web.Reachability.Outages;

/// <summary>What a move that an operation made cost, from every vantage point.</summary>
internal interface IMoveMeter
{
    /// <summary>As it is kept; else measured now over the same time, as far as that has come. So a drill's steps, its report and the operation's page say the same.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="prefixes">What it moves.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>By prefix and vantage point, the hub first; empty: it moves nothing.</returns>
    Task<ImmutableArray<OutageRecord>> OfOperationAsync(OperationView operation, ImmutableArray<IPNetwork> prefixes, CancellationToken cancellationToken);

    /// <summary>Whether what it cost is kept: from then on it says the same.</summary>
    /// <param name="operation">Its id.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<bool> IsKeptAsync(string operation, CancellationToken cancellationToken);
}

/// <summary>What a move of an address cost, by the stored probes of every vantage point. Remembers nothing.</summary>
internal sealed class OutageMeter(ProbeSampleStore probes, IReachabilityHistory charts, OutageStore store, TimeProvider time) : IMoveMeter
{
    /// <summary>Before the last probe of an earlier life of the hub: a move that it had seen is measured fifteen seconds later, and its silence may have begun forty seconds before.</summary>
    private static readonly TimeSpan BeforeTheEnd = TimeSpan.FromSeconds(60);

    /// <inheritdoc/>
    public async Task<ImmutableArray<OutageRecord>> OfOperationAsync(OperationView operation, ImmutableArray<IPNetwork> prefixes, CancellationToken cancellationToken) =>
        await store.OfOperationAsync(operation.Id, cancellationToken) is { IsEmpty: false } kept ? kept
        : OutageWatch.MoveOf(operation, prefixes, time.GetUtcNow()) is { } move ? await MeasureAsync(move, cancellationToken)
        : [];

    /// <inheritdoc/>
    public async Task<bool> IsKeptAsync(string operation, CancellationToken cancellationToken) => !(await store.OfOperationAsync(operation, cancellationToken)).IsEmpty;

    /// <summary>Measures it anew from what the probes showed, by prefix and vantage point, the hub first; what was taken back later behind it, likewise.</summary>
    public async Task<ImmutableArray<OutageRecord>> MeasureAsync(Move move, CancellationToken cancellationToken)
    {
        var found = new List<OutageRecord>();
        foreach (Move part in move.Parts)
        {
            found.AddRange(await MeasurePartAsync(part, cancellationToken));
        }

        return [.. found];
    }

    private async Task<ImmutableArray<OutageRecord>> MeasurePartAsync(Move move, CancellationToken cancellationToken)
    {
        var found = ImmutableArray.CreateBuilder<OutageRecord>();
        foreach (IPNetwork prefix in move.Prefixes)
        {
            ImmutableArray<VantageName> vantages = await charts.VantagesAsync(prefix.ToString(), cancellationToken);
            foreach ((string vantage, string name) in vantages.IsEmpty ? [new VantageName(ProbeSeries.Hub, ProbeSeries.Hub)] : vantages)
            {
                IReadOnlyList<ProbeSample> samples = await ReadAroundAsync(new ProbeSeries(prefix.ToString(), vantage), move, cancellationToken);
                if (samples.Count > 0 || vantage == ProbeSeries.Hub)
                {
                    found.Add(new OutageRecord
                    {
                        At = move.At,
                        Pair = move.Pair,
                        Prefix = prefix.ToString(),
                        Vantage = vantage,
                        VantageName = name,
                        Kind = move.Kind,
                        OperationId = move.OperationId,
                        From = move.From,
                        To = move.To,
                        Figures = move.OperationId is null ? OutageFigures.Of(samples) : OutageFigures.Of(samples, move.At, move.SettledAt),
                    });
                }
            }
        }

        return found.ToImmutable();
    }

    /// <summary>Of a move that nobody saw: from a minute before the hub was last there. None, when that is longer ago than single probes tell.</summary>
    private async Task<IReadOnlyList<ProbeSample>> ReadAroundAsync(ProbeSeries series, Move move, CancellationToken cancellationToken)
    {
        if (move.HubBegan is not { } began)
        {
            return MoveBorders.Within(await ReadAsync(series, move, cancellationToken), move);
        }

        IReadOnlyList<ProbeSample> all = await ReadAsync(series, move with { Since = began - OutageRecorder.LookBack }, cancellationToken);
        return all.LastOrDefault(s => s.At < began) is { } last ? [.. all.Where(s => s.At >= last.At - BeforeTheEnd)] : [];
    }

    /// <summary>All of them: ten minutes of silence and bursts are more than is read at once.</summary>
    private async Task<IReadOnlyList<ProbeSample>> ReadAsync(ProbeSeries series, Move move, CancellationToken cancellationToken)
    {
        var all = new List<ProbeSample>();
        IReadOnlyList<ProbeSample> some;
        do
        {
            some = await probes.ReadAsync(series, all.Count == 0 ? move.Since : all[^1].At.AddMilliseconds(1), move.Until, ProbeSampleStore.MostRead, cancellationToken);
            all.AddRange(some);
        }
        while (some.Count == ProbeSampleStore.MostRead);
        return all;
    }
}
