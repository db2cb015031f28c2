using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Tests.Fleet;

/// <summary>Makes facts to judge: a pair "web" of nodes web-1 and web-2 that share one prefix, all well unless a test says otherwise.</summary>
internal static class Fleets
{
    public static readonly IPNetwork Prefix = IPNetwork.Parse("203.0.113.10/32");

    public static readonly Moment Now = new(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero), TimeSpan.FromHours(1));

    public static Moment After(this Moment moment, double seconds) => new(moment.Wall.AddSeconds(seconds), moment.Uptime + TimeSpan.FromSeconds(seconds));

    public static PrefixView View(Role? assigned, Role? reported, WithdrawnReason? withdrawn = null, int carrying = 4, bool present = true, IPNetwork? prefix = null) => new()
    {
        Prefix = prefix ?? Prefix,
        AssignedRole = assigned,
        ReportedRole = reported,
        Announced = reported is not null,
        WithdrawnReason = withdrawn,
        AddressPresent = present,
        SessionsCarrying = reported is null ? 0 : carrying,
    };

    public static SessionView Session(int n, BgpSessionState state = BgpSessionState.Established) => new()
    {
        Neighbor = $"127.34.0.{n}",
        State = state,
        StateSince = null,
        LastError = null,
        LastErrorAt = null,
        LastErrorFromPeer = false,
        HoldTime = null,
        MessagesReceived = 0,
        MessagesSent = 0,
        Flaps = 0,
    };

    public static ReportFacts Report(params PrefixView[] prefixes) => new()
    {
        Sequence = 1,
        IntentRevision = 0,
        Drained = false,
        Health = Health.Healthy,
        Prefixes = [.. prefixes],
        Sessions = [.. Enumerable.Range(1, 4).Select(n => Session(n))],
        ReceivedAt = Now,
        StreamId = 1,
    };

    /// <summary>A connected node whose report has just come.</summary>
    public static NodeFacts Node(string name, ReportFacts report) => new()
    {
        Name = name,
        Stream = new StreamFacts(1, "boot", Now, Now),
        Report = report,
        LastReportAt = Now.Wall,
    };

    public static NodeFacts Node(string name, Role role) => Node(name, Report(View(role, role)));

    /// <summary>The same node after its stream has ended long ago.</summary>
    public static NodeFacts Gone(this NodeFacts node) => node with { Stream = null, StreamEndedAt = Now.After(-60) };

    public static PairFacts Pair(params string[] members) => new()
    {
        Id = "p1",
        Name = "web",
        DataCenter = "",
        PreferredNode = "web-1",
        Revision = 1,
        Members = members.ToImmutableSortedSet(StringComparer.OrdinalIgnoreCase),
        Prefixes = [Prefix],
    };

    public static FleetFacts Facts(PairFacts? pair, params NodeFacts[] nodes) => FleetFacts.Empty with
    {
        Nodes = FleetFacts.Empty.Nodes.SetItems(nodes.Select(n => KeyValuePair.Create(n.Name, n))),
        Pairs = pair is null ? FleetFacts.Empty.Pairs : FleetFacts.Empty.Pairs.SetItem(pair.Id, pair),
    };

    /// <summary>The usual pair of these two nodes.</summary>
    public static FleetFacts PairOf(NodeFacts one, NodeFacts two) => Facts(Pair(one.Name, two.Name), one, two);

    public static PairView View(FleetFacts facts) => FleetProjection.Project(facts, Now, 1).Pairs.Single();

    public static FleetFacts Healthy => PairOf(Node("web-1", Role.Primary), Node("web-2", Role.Secondary));
}
