using System.Collections.Immutable;
using FailoverHub.Agent.Answering;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Vantage;

namespace FailoverHub.Agent.Hub;

/// <summary>Which hub, and as whom.</summary>
internal sealed record HubLinkSettings
{
    public required Uri Hub { get; init; }

    /// <summary>As it calls itself; the hub goes by the certificate, where there is one.</summary>
    public required string Node { get; init; }

    public required string Version { get; init; }

    /// <summary>By what the hub is recognised over https.</summary>
    public HubTrust Trust { get; init; } = new HubTrust.OfTheSystem();

    /// <summary>What a join has given this node; null: there was none, or the hub is one without certificates.</summary>
    public HubMember? Member { get; init; }

    public int? DataCenter { get; init; }

    /// <summary>Figures of a neighbor for the reports.</summary>
    public required Func<NeighborEndpoint, PeerMetrics> Metrics { get; init; }

    /// <summary>The health checks as they are now, for the reports.</summary>
    public Func<ImmutableArray<CheckReading>> Checks { get; init; } = static () => [];

    /// <summary>Takes what the hub gives to answer identity requests with; null: this hub gives nothing, and what another gave is over.</summary>
    public Action<IdentityGrant?> Granted { get; init; } = static _ => { };

    /// <summary>UDP port on which they are answered now, for the reports; 0: they are not.</summary>
    public Func<int> IdentityPort { get; init; } = static () => 0;

    /// <summary>Asks for the hub what that wants to see from here; null: this node asks nothing for it.</summary>
    public VantagePoint? Vantage { get; init; }

    /// <summary>How long the hub may take for its Welcome.</summary>
    public TimeSpan WelcomeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest wait between two dials.</summary>
    public TimeSpan LongestBackoff { get; init; } = HubBackoff.Longest;

    /// <summary>The longest wait between two dials of a hub that does not take this node, which somebody has to mend.</summary>
    public TimeSpan RefusedBackoff { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>An identity, and where the next one is kept.</summary>
internal sealed record HubMember(HubIdentity Identity, IdentityStore Store);
