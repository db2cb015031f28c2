using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Tests.Node;

/// <summary>A node with two neighbors, driven by hand on a clock of its own.</summary>
internal sealed class NodeUnderTest
{
    public static readonly IPNetwork Shared = IPNetwork.Parse("203.0.113.10/32");
    public static readonly IPNetwork Other = IPNetwork.Parse("2001:db8:e001:1b8c::/64");
    public static readonly NeighborEndpoint First = new(IPAddress.Parse("192.0.2.1"), 179);
    public static readonly NeighborEndpoint Second = new(IPAddress.Parse("192.0.2.2"), 179);

    private static readonly DateTimeOffset _origin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private TimeSpan _now = TimeSpan.FromSeconds(1);

    public NodeUnderTest(Role? role = Role.Primary, NodeIntent? stored = null, params ConfiguredPrefix[] announce)
    {
        State = NodeState.Initial(
            new NodeSettings { Node = "node-a", DefaultRole = role, Announce = [.. announce], Neighbors = [First, Second] },
            stored,
            new Moment(TimeSpan.Zero, _origin));
    }

    /// <summary>A primary with its damping, and what else is wanted.</summary>
    public NodeUnderTest(Func<NodeSettings, NodeSettings> with)
    {
        var settings = new NodeSettings { Node = "node-a", DefaultRole = Role.Primary, Neighbors = [First, Second], Damping = new DampingSettings() };
        State = NodeState.Initial(with(settings), null, new Moment(TimeSpan.Zero, _origin));
    }

    public NodeState State { get; private set; }

    /// <summary>Monotonic.</summary>
    public TimeSpan Now => _now;

    /// <summary>Effects of the last event.</summary>
    public ImmutableArray<NodeEffect> Effects { get; private set; } = [];

    /// <summary>Routes handed to the sessions by the last event, null when they were left alone.</summary>
    public ImmutableArray<Advertisement>? Handed => Effects.OfType<NodeEffect.SetAdvertisements>().LastOrDefault()?.Advertisements;

    public IEnumerable<TransitionKind> Recorded => Effects.OfType<NodeEffect.Record>().Select(record => record.Kind);

    public IntentAnswer? Answer => Effects.OfType<NodeEffect.AnswerIntent>().LastOrDefault()?.Answer;

    public static NodeIntent Intent(ulong revision, bool drained = false, params PrefixIntent[] prefixes) =>
        new() { Revision = revision, Drained = drained, Prefixes = [.. prefixes], OperationId = $"op-{revision}", Reason = "a test" };

    public NodeUnderTest Give(NodeEvent occurred)
    {
        (State, Effects) = NodeReducer.Apply(State, occurred, new Moment(_now, _origin + _now));
        return this;
    }

    /// <summary>Before <see cref="Start"/>: these were primary here once.</summary>
    public NodeUnderTest Remember(params IPNetwork[] prefixes) => Remember(new FailbackMemory([.. prefixes]));

    public NodeUnderTest Remember(FailbackMemory memory)
    {
        State = State with { FailbackMemory = memory };
        return this;
    }

    /// <summary>Before <see cref="Start"/>: the metadata service said so to an earlier start.</summary>
    public NodeUnderTest ToldBefore(params IPNetwork[] shared)
    {
        State = NodeState.Resume(State.Settings, new NodeMemory { Intent = State.Intent, Failback = State.FailbackMemory, Shared = [.. shared] }, new Moment(TimeSpan.Zero, _origin));
        return this;
    }

    /// <summary>Before <see cref="Start"/>: there was an intent, and it cannot be read.</summary>
    public NodeUnderTest LoseIntent(bool drained = false)
    {
        State = State with { IntentWasLost = true, IntentDrainPresumed = drained };
        return this;
    }

    /// <summary>Before <see cref="Start"/>: what was ordered on the node in its life before.</summary>
    public NodeUnderTest Obeying(LocalOrders orders)
    {
        State = State with { Orders = orders };
        return this;
    }

    /// <summary>Gives a command and, like the node loop, the news that it is kept.</summary>
    public NodeUnderTest Order(LocalCommand command)
    {
        Give(new NodeEvent.CommandReceived(command));
        var persist = Assert.Single(Effects.OfType<NodeEffect.PersistOrders>());
        Assert.Same(command, persist.Command);
        return Give(new NodeEvent.OrdersPersisted(persist.Orders, command));
    }

    public NodeUnderTest Limit(IntentLimits limits)
    {
        State = State with { Settings = State.Settings with { Limits = limits } };
        return this;
    }

    public NodeUnderTest Start(params IPNetwork[] onInterfaces) => Give(new NodeEvent.Started([.. onInterfaces], "started"));

    /// <summary>Gives an intent and, like the node loop, the news that it is kept.</summary>
    public NodeUnderTest Keep(NodeIntent intent)
    {
        Give(new NodeEvent.IntentReceived(intent));
        Assert.Equal(intent, Assert.Single(Effects.OfType<NodeEffect.PersistIntent>()).Intent);
        return Give(new NodeEvent.IntentPersisted(intent));
    }

    public NodeUnderTest Establish(NeighborEndpoint neighbor)
    {
        Give(new NodeEvent.SessionChanged(neighbor, SessionState.Established, "up"));
        Give(new NodeEvent.SessionEstablished(neighbor, new NegotiatedParameters
        {
            PeerRouterId = new RouterId(1),
            PeerAs = 65000,
            HoldTime = new HoldTime(9),
            FourOctetAs = true,
            Families = [RouteFamily.Ipv4Unicast],
            Ipv4WithIpv6NextHop = true,
            RouteRefresh = true,
        }));
        return this;
    }

    public NodeUnderTest Written(NeighborEndpoint neighbor, params SkippedPrefix[] skipped) =>
        Give(new NodeEvent.AdvertisementsWritten(neighbor, State.Version) { Skipped = [.. skipped] });

    public NodeUnderTest BothUp() => Establish(First).Written(First).Establish(Second).Written(Second);

    public NodeUnderTest Lose(NeighborEndpoint neighbor, string reason = "cut")
    {
        Give(new NodeEvent.SessionFailed(neighbor, new SessionError(reason, true, 0, 0)));
        return Give(new NodeEvent.SessionChanged(neighbor, SessionState.Idle, reason));
    }

    public NodeUnderTest After(TimeSpan time)
    {
        _now += time;
        return this;
    }

    /// <summary>Other settings, before the next event, with what is kept of the verdicts.</summary>
    public void Reconfigure(Func<NodeSettings, NodeSettings> with) => State = HealthVerdicts.Keep(State with { Settings = with(State.Settings) });

    public AdvertisementDecision Decision(IPNetwork prefix) => State.Prefixes.Single(known => known.Prefix.Equals(prefix)).Decision;
}
