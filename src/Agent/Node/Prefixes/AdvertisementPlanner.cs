namespace FailoverHub.Agent.Node.Prefixes;

/// <summary>The verdict of a prefix's health checks.</summary>
internal enum Health
{
    /// <summary>Nothing is checked, or nothing is known yet. Changes nothing.</summary>
    Unknown,
    Healthy,
    Unhealthy,
}

/// <summary>Why a prefix is not announced.</summary>
internal enum WithdrawnReason
{
    Drained,
    Unhealthy,
    AddressMissing,
    NotAssigned,
    Stopping,
}

/// <summary>What is to be done with one prefix.</summary>
internal abstract record AdvertisementDecision
{
    private AdvertisementDecision()
    {
    }

    internal sealed record Announce(Role Role) : AdvertisementDecision
    {
        /// <summary>With GRACEFUL_SHUTDOWN (RFC 8326): it is about to be withdrawn.</summary>
        public bool GracefulShutdown { get; init; }
    }

    internal sealed record Withdraw(WithdrawnReason Reason) : AdvertisementDecision;
}

/// <summary>Everything that a decision about one prefix depends on.</summary>
/// <param name="Stopping">The agent is saying goodbye.</param>
/// <param name="Drained">The operator wants nothing announced.</param>
/// <param name="AddressPresent">The node has the address, or it was given on the command line.</param>
/// <param name="Assigned">The role of the intent, or else of the configuration; null: none.</param>
/// <param name="Health">Verdict of the checks.</param>
internal readonly record struct AdvertisementFacts(bool Stopping, bool Drained, bool AddressPresent, Role? Assigned, Health Health)
{
    /// <summary>It is announced and shall be withdrawn for a drain or a stop, after a while of graceful shutdown.</summary>
    public bool Leaving { get; init; }

    /// <summary>It came and went too often lately, and is withdrawn now.</summary>
    public bool Damped { get; init; }

    /// <summary>A check has no verdict yet, and it is withdrawn now.</summary>
    public bool AwaitsVerdict { get; init; }

    /// <summary>Unhealthy only means secondary: every unhealthy check demotes.</summary>
    public bool OnlyDemotes { get; init; }

    /// <summary>It was demoted too often lately, and is announced as secondary now.</summary>
    public bool StaysDemoted { get; init; }

    /// <summary>Unhealthy in a way that withdraws.</summary>
    public bool Unfit => Health == Health.Unhealthy && !OnlyDemotes;

    /// <summary>It is announced at most as secondary.</summary>
    public bool Demoted => StaysDemoted || (Health == Health.Unhealthy && OnlyDemotes);

    /// <summary>An assigned primary that has returned and is announced as secondary for now.</summary>
    public bool Held { get; init; }

    /// <summary>What it is announced as if it is; null: nothing.</summary>
    public Role? Wanted => (Held || Demoted) && Assigned == Role.Primary ? Role.Secondary : Assigned;
}

/// <summary>
/// The table. Its rows are read from above: the first that fits decides, so of several reasons to be silent the one that the operator
/// gave comes before the ones that the node found. The first row is the exception: what is about to go is still announced for a while,
/// so that the others have moved the traffic before it is gone.
/// </summary>
internal static class AdvertisementPlanner
{
    public static AdvertisementDecision Decide(in AdvertisementFacts facts) => facts switch
    {
        { Leaving: true, Stopping: false, AddressPresent: true, Wanted: { } role, Unfit: false } => new AdvertisementDecision.Announce(role) { GracefulShutdown = true },
        { Stopping: true } => new AdvertisementDecision.Withdraw(WithdrawnReason.Stopping),
        { Drained: true } => new AdvertisementDecision.Withdraw(WithdrawnReason.Drained),
        { AddressPresent: false } => new AdvertisementDecision.Withdraw(WithdrawnReason.AddressMissing),
        { Wanted: null } => new AdvertisementDecision.Withdraw(WithdrawnReason.NotAssigned),
        { Unfit: true } => new AdvertisementDecision.Withdraw(WithdrawnReason.Unhealthy),
        { AwaitsVerdict: true } => new AdvertisementDecision.Withdraw(WithdrawnReason.Unhealthy),

        // Of the five reasons this is the nearest one: its address does not keep still, so it is no good here.
        { Damped: true } => new AdvertisementDecision.Withdraw(WithdrawnReason.Unhealthy),
        { Wanted: { } role } => new AdvertisementDecision.Announce(role),
    };

    /// <summary>The stable word of the reports and the logs.</summary>
    public static string Word(this WithdrawnReason reason) => reason switch
    {
        WithdrawnReason.Drained => "drained",
        WithdrawnReason.Unhealthy => "unhealthy",
        WithdrawnReason.AddressMissing => "address-missing",
        WithdrawnReason.NotAssigned => "not-assigned",
        WithdrawnReason.Stopping => "stopping",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "Not a reason."),
    };
}
