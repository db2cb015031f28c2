using System.Collections.Immutable;

namespace FailoverHub.Web.Alerts.Maintenance;

/// <summary>What work is done on.</summary>
public enum MaintenanceScope
{
    /// <summary>Everything: no alert of a pair, a node or an address is told.</summary>
    All,

    /// <summary>A data center, with its pairs and nodes.</summary>
    DataCenter,

    /// <summary>A pair, with its nodes and addresses.</summary>
    Pair,

    /// <summary>A node: what is said of the node itself. Its pair stays as it is.</summary>
    Node,
}

/// <summary>How a window stands at a moment.</summary>
public enum MaintenanceState
{
    /// <summary>It has not begun.</summary>
    Planned,

    /// <summary>It keeps alerts quiet.</summary>
    InForce,

    /// <summary>Its time is over, or somebody has ended it.</summary>
    Over,
}

/// <summary>A time in which work is done on something, so that what is wrong with it is nobody's news.</summary>
public sealed record MaintenanceWindow
{
    /// <summary>Unique; grows with time.</summary>
    public required string Id { get; init; }

    /// <summary>What kind of thing it is about.</summary>
    public required MaintenanceScope Scope { get; init; }

    /// <summary>Name of the pair or the node, decimal id of the data center; empty: everything.</summary>
    public required string Target { get; init; }

    /// <summary>When it begins, UTC.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>When it ends, UTC: at most 30 days after it begins.</summary>
    public required DateTimeOffset To { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>Who planned it.</summary>
    public required string By { get; init; }

    /// <summary>When it was planned.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When somebody ended it before its time, null: nobody has.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>When it ends, or ended.</summary>
    public DateTimeOffset Until => EndedAt ?? To;

    /// <summary>"pair web", "everything".</summary>
    public string About => Scope switch
    {
        MaintenanceScope.All => "everything",
        MaintenanceScope.DataCenter => $"data center {Target}",
        MaintenanceScope.Pair => $"pair {Target}",
        _ => $"node {Target}",
    };

    /// <summary>How it stands.</summary>
    public MaintenanceState StateAt(DateTimeOffset now) => now >= Until ? MaintenanceState.Over : now >= From ? MaintenanceState.InForce : MaintenanceState.Planned;
}

/// <summary>A window that somebody wants.</summary>
public sealed record MaintenanceRequest
{
    /// <summary>What kind of thing it is about.</summary>
    public required MaintenanceScope Scope { get; init; }

    /// <summary>Name of the pair or the node, decimal id of the data center; null: everything.</summary>
    public string? Target { get; init; }

    /// <summary>When it begins; null: now.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>When it ends.</summary>
    public required DateTimeOffset To { get; init; }

    /// <summary>Why: 3 to 500 characters.</summary>
    public required string Reason { get; init; }
}

/// <summary>What became of it.</summary>
public abstract record MaintenanceResult
{
    private MaintenanceResult()
    {
    }

    /// <summary>It is so now.</summary>
    /// <param name="Window">As it stands; of one that was removed, as it was.</param>
    public sealed record Done(MaintenanceWindow Window) : MaintenanceResult;

    /// <summary>It makes no sense.</summary>
    /// <param name="Problems">What is wrong, by field.</param>
    public sealed record Invalid(ImmutableSortedDictionary<string, string> Problems) : MaintenanceResult;

    /// <summary>There is none with that id.</summary>
    /// <param name="What">A sentence.</param>
    public sealed record NotFound(string What) : MaintenanceResult;

    /// <summary>It is not in a state in which that can be done.</summary>
    /// <param name="Why">A sentence, with what can be done.</param>
    public sealed record TooLate(string Why) : MaintenanceResult;

    /// <summary>The right is missing.</summary>
    /// <param name="Why">A sentence.</param>
    public sealed record Forbidden(string Why) : MaintenanceResult;

    /// <summary>It could not be audited, so nothing was done.</summary>
    /// <param name="Why">A sentence.</param>
    public sealed record Unavailable(string Why) : MaintenanceResult;
}
