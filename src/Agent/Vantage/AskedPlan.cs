using System.Collections.Immutable;
using FailoverHub.Agent.Checks;

namespace FailoverHub.Agent.Vantage;

/// <summary>What the hub wants to be asked, as it came: any of it may be wrong, which <see cref="PlanReading"/> says.</summary>
/// <param name="Revision">Of the hub's choice; what is sent back carries it.</param>
/// <param name="Tasks">In the hub's order.</param>
internal sealed record AskedPlan(ulong Revision, ImmutableArray<AskedTask> Tasks);

/// <summary>One address of it.</summary>
/// <param name="Id">Of the hub's choice.</param>
/// <param name="Address">Empty: that of the URL, or whatever its name leads to.</param>
/// <param name="IntervalMs">Milliseconds.</param>
/// <param name="TimeoutMs">Milliseconds.</param>
/// <param name="Way">Null: none that this agent knows.</param>
internal sealed record AskedTask(uint Id, string Address, uint IntervalMs, uint TimeoutMs, AskedWay? Way);

/// <summary>How it is to be asked. A closed family.</summary>
internal abstract record AskedWay
{
    private AskedWay()
    {
    }

    /// <summary>Echo request.</summary>
    internal sealed record Icmp : AskedWay;

    /// <summary>A connection to this port.</summary>
    internal sealed record Tcp(uint Port) : AskedWay;

    /// <summary>A GET of this URL.</summary>
    internal sealed record Http(string Url) : AskedWay
    {
        /// <summary>From the first to the last; none: 200 to 399.</summary>
        public ImmutableArray<StatusRange> Statuses { get; init; } = [];

        /// <summary>A regular expression; empty: any body.</summary>
        public string BodyPattern { get; init; } = "";

        /// <summary>A certificate that cannot be verified is good enough.</summary>
        public bool TrustAnyCertificate { get; init; }

        /// <summary>For which the certificate has to be valid still.</summary>
        public uint CertificateDays { get; init; }
    }
}
