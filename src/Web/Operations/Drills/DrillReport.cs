using System.Collections.Immutable;
using FailoverHub.Web.Reachability.Outages;

namespace FailoverHub.Web.Operations.Drills;

/// <summary>What a drill showed, from the request to both measured outages.</summary>
/// <param name="Drill">The drill with its steps.</param>
/// <param name="There">The failover.</param>
/// <param name="Back">The failback.</param>
public sealed record DrillReport(OperationView Drill, DrillMove There, DrillMove Back)
{
    /// <summary>It went there and back.</summary>
    public bool Passed => Drill.Status == OperationStatus.Succeeded;

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
public sealed record DrillMove(OperationStep Step, OperationView? Operation, ImmutableArray<OutageRecord> Measured);
