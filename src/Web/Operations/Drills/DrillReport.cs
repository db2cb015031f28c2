using System.Collections.Immutable;
using FailoverHub.Web.Reachability.Outages;

namespace FailoverHub.Web.Operations.Drills;

/// <summary>What a drill showed, from the request to both measured outages.</summary>
/// <param name="Drill">The drill with its steps.</param>
/// <param name="There">The failover.</param>
/// <param name="Back">The failback.</param>
public sealed record DrillReport(OperationView Drill, DrillMove There, DrillMove Back)
{
    /// <summary>It went there and back, and what both moves cost is known of each address.</summary>
    public bool Passed => WentThereAndBack && NotMeasured is null;

    /// <summary>It went there and back, and what that cost is not known: why, and what to do, in English. Null: it is known, or it did not come to that.</summary>
    public string? NotMeasured => !WentThereAndBack ? null : (There.NotMeasured, Back.NotMeasured) switch
    {
        (null, null) => null,
        ({ } there, null) => $"It moved, and the failover was not measured: {there}",
        (null, { } back) => $"It moved, and the failback was not measured: {back}",
        ({ } there, { } back) => there == back ? $"It moved, and was not measured: {there}" : $"It moved, and was not measured. Failover: {there} Failback: {back}",
    };

    private bool WentThereAndBack => Drill.Status == OperationStatus.Succeeded;

    /// <summary>Puts it together; null: no drill has that id.</summary>
    /// <param name="operations">Where operations are.</param>
    /// <param name="outages">Where it is kept what they cost.</param>
    /// <param name="id">Of the drill.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<DrillReport?> FindAsync(IOperations operations, IOutages outages, string id, CancellationToken cancellationToken)
    {
        if (await operations.FindAsync(id, cancellationToken) is not { Type: OperationType.Drill, Steps.Length: > DrillTarget.MeasureBack } drill)
        {
            return null;
        }

        return new DrillReport(drill, await MoveAsync(DrillTarget.FailOver), await MoveAsync(DrillTarget.FailBack));

        async Task<DrillMove> MoveAsync(int step) => DrillTarget.OperationOf(drill.Steps[step]) is { } move
            ? new DrillMove(drill.Steps[step], await operations.FindAsync(move, cancellationToken), await outages.OfOperationAsync(move, cancellationToken))
            : new DrillMove(drill.Steps[step], null, []);
    }
}

/// <summary>One of the two moves of a drill.</summary>
/// <param name="Step">As it stands in the drill.</param>
/// <param name="Operation">The operation that it was; null: it never began.</param>
/// <param name="Measured">What it cost, from each vantage point; empty: not measured, or not yet.</param>
public sealed record DrillMove(OperationStep Step, OperationView? Operation, ImmutableArray<OutageRecord> Measured)
{
    /// <summary>Why what it cost is not known of each address, and what to do; null: it is.</summary>
    public string? NotMeasured
    {
        get
        {
            if (Measured.IsEmpty)
            {
                return Operation is null ? "it was no operation of this drill." : "there are no figures yet; they come some seconds after the move.";
            }

            // One vantage point that saw the whole of it is enough.
            var addresses = Measured.GroupBy(o => o.Prefix).Where(a => !a.Any(o => o.Figures is { Sent: > 0, GoesOn: false })).ToList();
            var silent = addresses.Where(a => a.Any(o => o.Figures.Sent > 0)).Select(a => a.Key).ToList();
            var unprobed = addresses.Select(a => a.Key).Except(silent).ToList();
            var words = (unprobed.Count > 0 ? $"{string.Join(", ", unprobed)} was not probed: see Reachability for why, and drill again." : "")
                + (silent.Count > 0 ? $" {string.Join(", ", silent)} had not answered again when it was measured: see whether it does now." : "");
            return words.Length > 0 ? words.Trim() : null;
        }
    }
}
