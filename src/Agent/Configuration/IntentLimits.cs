namespace FailoverHub.Agent.Configuration;

/// <summary>What an intent of the hub may ask of this node. An intent that asks for more is refused as a whole.</summary>
internal sealed record IntentLimits
{
    /// <summary>To take everything back, and to lift a drain that was ordered on the node itself.</summary>
    public bool Drain { get; init; } = true;

    /// <summary>To announce a prefix as primary that is not assigned primary, or to let one go sooner that the failback policy holds back as secondary.</summary>
    public bool Promote { get; init; } = true;

    /// <summary>To announce a prefix as secondary, or no longer to assign a role to it, that is assigned primary.</summary>
    public bool Demote { get; init; } = true;
}
