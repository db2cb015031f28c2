namespace FailoverHub.Agent.Addresses;

/// <summary>Who puts the shared addresses on an interface.</summary>
internal enum AddressMode
{
    /// <summary>Somebody else: the agent only looks.</summary>
    Watched,

    /// <summary>The agent, where they are missing; it takes off again what it added itself.</summary>
    Managed,
}

/// <summary>What the agent has to do with the addresses of the interfaces.</summary>
internal sealed record AddressOptions
{
    public AddressMode Mode { get; init; }

    /// <summary>The interface that managed addresses are put on; null: loopback.</summary>
    public string? Device { get; init; }
}
