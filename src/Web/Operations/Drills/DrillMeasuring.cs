using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Data;
using FailoverHub.Web.Operations.Running;
using FailoverHub.Web.Reachability.Outages;

namespace FailoverHub.Web.Operations.Drills;

/// <summary>One measuring of a drill: what one of its two moves cost, in words. Nothing that goes wrong with it keeps the addresses from coming back.</summary>
/// <param name="step">The move, as it stands in the drill.</param>
/// <param name="prefixes">What it moved.</param>
/// <param name="cancellation">Whoever cancels the drill ends the measuring.</param>
/// <param name="services">Where the figures are.</param>
internal sealed class DrillMeasuring(OperationStep step, ImmutableArray<IPNetwork> prefixes, RunCancellation cancellation, OperationServices services)
{
    private static readonly TimeSpan RetryDiskAfter = TimeSpan.FromSeconds(1);

    /// <summary>What a move cost is kept that soon after the time that counts, or it goes on.</summary>
    private static readonly TimeSpan KeptWithin = TimeSpan.FromSeconds(10);

    /// <summary>So long after it could not be read for the first time it is given up: the addresses are to come back.</summary>
    private static readonly TimeSpan ReadWithin = TimeSpan.FromMinutes(1);

    /// <summary>Measures; a database that is away for a moment is asked again.</summary>
    /// <returns>How the step ends, and what it says.</returns>
    /// <exception cref="OperationCanceledException">The hub is stopping.</exception>
    public async Task<(StepStatus Status, string Detail)> RunAsync(CancellationToken stopping)
    {
        long? failing = null;
        while (true)
        {
            try
            {
                return await MeasureAsync(stopping);
            }
            catch (Exception e) when (StorageFaults.MayPass(e))
            {
                failing ??= services.Time.GetTimestamp();
                if (services.Time.GetElapsedTime(failing.Value) >= ReadWithin)
                {
                    return (StepStatus.Succeeded, $"not measured: the database could not be read ({e.GetBaseException().Message}).");
                }
            }

            await Task.Delay(RetryDiskAfter, services.Time, stopping);
        }
    }

    private async Task<(StepStatus Status, string Detail)> MeasureAsync(CancellationToken stopping)
    {
        using var until = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellation.Token);
        var id = DrillTarget.OperationOf(step);
        var moved = id is null ? null : services.Feed.Find(id) ?? await services.Store.FindAsync(id, stopping);
        await WaitUntilAsync((moved?.FinishedAt ?? step.FinishedAt!.Value) + OutageWatch.After, until.Token);
        if (services.Meter is { } meter && moved is not null)
        {
            // What is kept of it is kept some seconds later; what goes on then is measured as far as it has come.
            var patience = services.Time.GetTimestamp();
            while (!until.IsCancellationRequested && services.Time.GetElapsedTime(patience) < KeptWithin && !await meter.IsKeptAsync(moved.Id, stopping))
            {
                await Task.Delay(DrillPatience.LooksEach, services.Time, until.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        stopping.ThrowIfCancellationRequested();
        if (cancellation.By is { } by)
        {
            return (StepStatus.Skipped, $"Cancelled by {by}.");
        }

        if (services.Meter is null || moved is null)
        {
            return (StepStatus.Succeeded, "not measured.");
        }

        var measured = await services.Meter.OfOperationAsync(moved, prefixes, stopping);
        return (StepStatus.Succeeded, string.Join(" ", measured.GroupBy(o => o.Prefix).Select(g => $"{g.Key}: {string.Join(" ", g.Select(o => OutageSentences.Of(o.Figures, o.VantageName)))}")));
    }

    private async Task WaitUntilAsync(DateTimeOffset then, CancellationToken until)
    {
        var left = then - services.Time.GetUtcNow();
        if (left > TimeSpan.Zero)
        {
            await Task.Delay(left < OutageWatch.After ? left : OutageWatch.After, services.Time, until).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
