using FailoverHub.Web.Alerts.Maintenance;

namespace FailoverHub.Web.Api.Alerts;

/// <summary>A time in which work is done on something: nobody is told what is wrong with it.</summary>
public sealed record MaintenanceWindowDto
{
    /// <summary>Unique.</summary>
    public required string Id { get; init; }

    /// <summary>"planned", "in-force" or "over".</summary>
    public required string State { get; init; }

    /// <summary>"all", "data-center", "pair" or "node".</summary>
    public required string Scope { get; init; }

    /// <summary>Name of the pair or the node, decimal id of the data center; null: everything.</summary>
    public required string? Target { get; init; }

    /// <summary>When it begins.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>When it ends.</summary>
    public required DateTimeOffset Until { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>Who planned it.</summary>
    public required string By { get; init; }

    /// <summary>When it was planned.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When somebody ended it before its time, null: nobody has.</summary>
    public required DateTimeOffset? EndedAt { get; init; }
}

/// <summary>Body of POST /api/v1/maintenance-windows.</summary>
public sealed record MaintenanceWindowBody
{
    /// <summary>"all", "data-center" (its pairs and nodes), "pair" (its nodes and addresses too) or "node" (only what is said of the node itself).</summary>
    public required string Scope { get; init; }

    /// <summary>Name of the pair or the node, decimal id of the data center; null: everything.</summary>
    public string? Target { get; init; }

    /// <summary>When it begins, at most 366 days ahead; null: now.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>When it ends: 1 min to 30 days after it begins.</summary>
    public required DateTimeOffset Until { get; init; }

    /// <summary>Why: 3 to 500 characters.</summary>
    public required string Reason { get; init; }
}

/// <summary>Body of POST /api/v1/maintenance-windows/{id}/end.</summary>
public sealed record MaintenanceEndBody
{
    /// <summary>Why: 3 to 500 characters.</summary>
    public required string Reason { get; init; }
}

/// <summary>From windows to what the API says of them.</summary>
internal static class MaintenanceMapping
{
    public static MaintenanceWindowDto ToDto(this MaintenanceWindow window, DateTimeOffset now) => new()
    {
        Id = window.Id,
        State = ApiWords.Kebab(window.StateAt(now)),
        Scope = ApiWords.Kebab(window.Scope),
        Target = window.Target.Length == 0 ? null : window.Target,
        From = window.From,
        Until = window.To,
        Reason = window.Reason,
        By = window.By,
        CreatedAt = window.CreatedAt,
        EndedAt = window.EndedAt,
    };
}
