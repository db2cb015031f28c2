namespace FailoverHub.Web.Data;

/// <summary>A node that the hub has heard at least once.</summary>
internal sealed class NodeEntity
{
    public required string Name { get; set; }

    public required string AgentVersion { get; set; }

    public required string DataCenter { get; set; }

    public string? RemoteAddress { get; set; }

    /// <summary>Written at most once a minute and when a stream ends: after a crash of the hub it may be a minute early, never late.</summary>
    public long? LastReportAtMs { get; set; }
}

/// <summary>A pair as it was found; what it is now is never stored.</summary>
internal sealed class PairEntity
{
    public required string Id { get; set; }

    public required string Name { get; set; }

    public required string DataCenter { get; set; }

    public string? PreferredNode { get; set; }

    /// <summary>Grows with every accepted change of what is wanted.</summary>
    public long Revision { get; set; }

    /// <summary>What the members share: CIDR texts, separated by one blank.</summary>
    public required string Prefixes { get; set; }

    /// <summary>"AfterStable:60"; null: nobody has set it.</summary>
    public string? Failback { get; set; }

    public List<PairMemberEntity> Members { get; set; } = [];

    /// <summary>The node that was active when that was last known and what brought it there was measured; null: not known yet. A hub that was away compares.</summary>
    public string? ActiveNode { get; set; }

    // The last planned move that succeeded: without it a planned move would look like a failure after a restart of the hub.
    public string? MovedTo { get; set; }

    public string? MovedBy { get; set; }

    public string? MovedByOperation { get; set; }

    public long? MovedAtMs { get; set; }
}

/// <summary>A node is in at most one pair: its name is the key.</summary>
internal sealed class PairMemberEntity
{
    public required string Node { get; set; }

    public required string PairId { get; set; }
}

/// <summary>What an intent is to its node.</summary>
internal enum IntentStage
{
    /// <summary>Written with its operation, not yet allowed to leave the hub: an earlier step has to be observed first.</summary>
    Planned,

    /// <summary>Was sent, or may be while its operation runs; that the node obeys it has not been seen.</summary>
    Released,

    /// <summary>The node has shown that it obeys it.</summary>
    Confirmed,

    /// <summary>Was sent, never confirmed, and something newer was sent.</summary>
    Superseded,

    /// <summary>It may never have arrived, and its operation is over; it must not be sent any more.</summary>
    Dropped,

    /// <summary>Its operation ended before its step; it must never be sent.</summary>
    Abandoned,
}

/// <summary>One revision of what one node should do. The newest that is released or confirmed holds.</summary>
internal sealed class IntentEntity
{
    public required string Node { get; set; }

    public required long Revision { get; set; }

    public required bool Drained { get; set; }

    /// <summary>"203.0.113.10/32=Primary", separated by one blank.</summary>
    public required string Roles { get; set; }

    /// <summary>"203.0.113.10/32=AfterStable:60", separated by one blank; "=once" after it: primary at once, whatever is held.</summary>
    public string Failback { get; set; } = "";

    /// <summary>Ends a drain that was ordered on the node itself.</summary>
    public bool LiftLocalDrain { get; set; }

    /// <summary>It demotes a node that could not be reached; it is told whenever that one comes back.</summary>
    public bool OnReturn { get; set; }

    public required IntentStage Stage { get; set; }

    public string? OperationId { get; set; }

    public required string Reason { get; set; }

    public required long WrittenAtMs { get; set; }
}
