using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Web.Fleet;

/// <summary>What the owner of the present is told. A closed family.</summary>
internal abstract record FleetMessage
{
    private FleetMessage()
    {
    }

    /// <summary>An agent said Hello on a new stream; answered by an <see cref="FleetEffect.Admit"/> or a <see cref="FleetEffect.Refuse"/>.</summary>
    public sealed record StreamOpened(long StreamId, AgentHello Hello, string? RemoteAddress) : FleetMessage
    {
        /// <summary>What its certificate says; null: the endpoint has no TLS, and the node is what it calls itself.</summary>
        public StreamIdentity? Identity { get; init; }
    }

    /// <summary>The stream is no more.</summary>
    public sealed record StreamEnded(long StreamId, string Node) : FleetMessage;

    /// <summary>A whole report came.</summary>
    public sealed record Reported(long StreamId, string Node, ReportFacts Report) : FleetMessage;

    /// <summary>An agent answered an intent.</summary>
    public sealed record IntentAnswered(long StreamId, string Node, IntentAnswer Answer) : FleetMessage;

    /// <summary>A message of another kind came: the stream lives.</summary>
    public sealed record Heard(long StreamId, string Node) : FleetMessage;

    /// <summary>An agent answered a request.</summary>
    public sealed record RequestAnswered(long StreamId, string Node, NodeRequestAnswer Answer) : FleetMessage;

    /// <summary>A request is audited and may be sent, once; without a stream it is lost.</summary>
    public sealed record RequestReleased(string Node, SessionResetOrder Request) : FleetMessage;

    /// <summary>These freezes are stored; others there are not.</summary>
    public sealed record FreezesChanged(ImmutableArray<FreezeFacts> Freezes) : FleetMessage;

    /// <summary>An intent is stored and may be sent.</summary>
    public sealed record IntentReleased(string Node, IntentFacts Intent) : FleetMessage;

    /// <summary>Whoever waits for this revision has checked that it may be given to the node's present stream too.</summary>
    public sealed record OfferAgain(string Node, long Revision) : FleetMessage;

    /// <summary>An operation was accepted, or ended (null). It says the pair's new revision, and the move or the failback policy when it changed one.</summary>
    public sealed record OperationChanged(string PairId, RunningOperation? Running, string OperationId, long? Revision, PairMove? Move) : FleetMessage
    {
        public Failback? Failback { get; init; }
    }

    /// <summary>A drill has begun, or has ended (null). Its moves are told as operations of their own.</summary>
    public sealed record DrillChanged(string PairId, RunningOperation? Drill, string DrillId) : FleetMessage;

    /// <summary>An operator has made the node one of the pair; it is stored.</summary>
    /// <param name="PairId">Which pair.</param>
    /// <param name="Node">Whom.</param>
    /// <param name="InPlaceOf">Who is no longer of it; null: nobody leaves.</param>
    /// <param name="Revision">The pair's new revision.</param>
    public sealed record MemberLetIn(string PairId, string Node, string? InPlaceOf, long Revision) : FleetMessage;

    /// <summary>A node has joined, got another certificate, or lost the right to connect.</summary>
    /// <param name="Node">Its name.</param>
    /// <param name="Identity">What is known of it now.</param>
    /// <param name="Why">What a stream is told whose certificate is not taken any more.</param>
    public sealed record IdentityChanged(string Node, IdentityFacts Identity, string Why) : FleetMessage;

    /// <summary>No stream of the node is taken until this is said again with null.</summary>
    public sealed record NodeHeld(string Node, string? Why) : FleetMessage
    {
        /// <summary>A node that has a stream keeps it and is not held; else the stream ends.</summary>
        public bool UnlessConnected { get; init; }
    }

    /// <summary>The table of nodes calls it otherwise now.</summary>
    public sealed record NodeRenamed(string From, string To) : FleetMessage;

    /// <summary>The table of nodes does not have it any more.</summary>
    public sealed record NodeRemoved(string Node) : FleetMessage;

    /// <summary>A certificate of the node was turned away.</summary>
    public sealed record NodeRefused(string Node, string? RemoteAddress, string Why) : FleetMessage;

    /// <summary>Who answers on shared addresses now, all of it.</summary>
    public sealed record Answered(ImmutableDictionary<IPNetwork, PrefixAnswer> Answers) : FleetMessage;

    /// <summary>Time went by.</summary>
    public sealed record Tick : FleetMessage;
}

/// <summary>Who dials, parsed.</summary>
internal sealed record AgentHello
{
    public required string Node { get; init; }

    public required string AgentVersion { get; init; }

    public required string BootId { get; init; }

    /// <summary>0: it runs by its own configuration.</summary>
    public required long IntentRevision { get; init; }

    public required string DataCenter { get; init; }

    public required ImmutableArray<string> Capabilities { get; init; }
}

/// <summary>What has to be done because of a message. A closed family.</summary>
internal abstract record FleetEffect
{
    private FleetEffect()
    {
    }

    /// <summary>The stream is its node's stream from now on.</summary>
    public sealed record Admit(long StreamId) : FleetEffect;

    /// <summary>The stream must end: it cannot be its node's stream.</summary>
    public sealed record Refuse(long StreamId, StreamEnd End, string Why) : FleetEffect;

    /// <summary>A stream that was its node's must end.</summary>
    public sealed record EndStream(long StreamId, StreamEnd End, string Why) : FleetEffect;

    /// <summary>Nothing is kept any more under that name.</summary>
    public sealed record ForgetNode(string Node) : FleetEffect;

    /// <summary>The pair has no member left.</summary>
    public sealed record ForgetPair(string PairId) : FleetEffect;

    /// <summary>Give this intent to the stream.</summary>
    public sealed record Offer(long StreamId, IntentFacts Intent) : FleetEffect;

    /// <summary>Give this request to the stream.</summary>
    public sealed record Ask(long StreamId, SessionResetOrder Request) : FleetEffect;

    /// <summary>Keep what is known of the node.</summary>
    public sealed record SaveNode(NodeFacts Node) : FleetEffect;

    /// <summary>Keep the pair.</summary>
    public sealed record SavePair(PairFacts Pair) : FleetEffect;

    /// <summary>Keep an intent that a node told the hub about.</summary>
    public sealed record SaveAdoptedIntent(string Node, IntentFacts Intent) : FleetEffect;

    /// <summary>Keep that a node has shown to obey an intent.</summary>
    public sealed record IntentConfirmed(string Node, long Revision) : FleetEffect;

    /// <summary>Keep that an intent is not wanted any more: it may never have arrived, and its operation is over.</summary>
    public sealed record IntentDropped(string Node, long Revision) : FleetEffect;

    /// <summary>Something happened.</summary>
    public sealed record Happened(History.EventDraft Event) : FleetEffect;
}
