using FailoverHub.Web.Api.Reachability;

namespace FailoverHub.Web.Api.Operations;

/// <summary>What a drill showed.</summary>
public sealed record DrillReportDto
{
    /// <summary>It went there and back, and what both moves cost is known of each address: see the outages.</summary>
    public required bool Passed { get; init; }

    /// <summary>It went there and back, and what that cost is not known: why, and what to do. Null: it is known, or it did not come to that.</summary>
    public required string? NotMeasured { get; init; }

    /// <summary>The drill with its steps.</summary>
    public required OperationDto Drill { get; init; }

    /// <summary>The way there.</summary>
    public required DrillMoveDto Failover { get; init; }

    /// <summary>The way back.</summary>
    public required DrillMoveDto Failback { get; init; }
}

/// <summary>One of the two moves of a drill.</summary>
public sealed record DrillMoveDto
{
    /// <summary>The switchover that it was; null: it never began.</summary>
    public required OperationDto? Operation { get; init; }

    /// <summary>What it cost, by prefix and vantage point; empty: not measured, or not yet.</summary>
    public required IReadOnlyList<OutageDto> Outages { get; init; }
}
