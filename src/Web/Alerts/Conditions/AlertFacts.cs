using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Alerts.Conditions;

/// <summary>All that rules are asked about, as it was at one moment.</summary>
internal sealed record AlertFacts
{
    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>How long the hub has been up. Who has not come back yet is waited for.</summary>
    public required TimeSpan HubUpFor { get; init; }

    public required FleetSnapshot Fleet { get; init; }

    /// <summary>Of each shared prefix that is probed.</summary>
    public required IReadOnlyDictionary<IPNetwork, TargetReachability> Reachability { get; init; }

    /// <summary>How nodes stand that ask for the hub.</summary>
    public ImmutableArray<VantageStanding> Vantages { get; init; } = [];

    /// <summary>What is probed beside them: what operators have added, and nodes.</summary>
    public ImmutableArray<ProbedTarget> Targets { get; init; } = [];

    /// <summary>Operations that did not succeed and were not made up for.</summary>
    public ImmutableArray<FailedOperation> Operations { get; init; } = [];

    public HubCondition Hub { get; init; } = new();

    /// <summary>Channels whose newest message could not be delivered, with the error; null: it is not known yet how that one fared.</summary>
    public ImmutableArray<(string Id, string Name, string? Error)> FailingChannels { get; init; } = [];
}

/// <summary>How the hub itself is.</summary>
internal sealed record HubCondition
{
    /// <summary>It finds itself cut off; null: it does not, as far as can be told.</summary>
    public HubCutOff? CutOff { get; init; }

    /// <summary>Something has answered it since it was started, so that "not cut off" says something.</summary>
    public bool KnowsItsWayOut { get; init; } = true;

    /// <summary>Its history cannot be written.</summary>
    public bool CannotWrite { get; init; }

    /// <summary>Free room of the data folder's disk, 0 to 1; null: not known.</summary>
    public double? FreeDisk { get; init; }
}

/// <summary>What one rule finds of one subject. What is not found is as it should be.</summary>
/// <param name="Key">Of which rule and subject.</param>
/// <param name="IsKnown">False: it cannot be judged now, which neither raises nor ends an alert; a subject that ends with a slash stands for all that begin with it.</param>
internal readonly record struct Finding(AlertKey Key, bool IsKnown)
{
    /// <summary>What is wrong, a sentence. Empty: it cannot be judged.</summary>
    public string Text { get; init; } = "";

    /// <summary>"pair web", "node node-a", for people.</summary>
    public string About { get; init; } = "";

    public string? Pair { get; init; }

    public string? Node { get; init; }

    public string? Prefix { get; init; }

    public string? OperationId { get; init; }
}
