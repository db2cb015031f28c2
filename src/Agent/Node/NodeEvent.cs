using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Discovery;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Routes;
using FailoverHub.Bgp.Session;

namespace FailoverHub.Agent.Node;

/// <summary>What can happen to a node. A closed family.</summary>
internal abstract record NodeEvent
{
    private NodeEvent()
    {
    }

    /// <summary>The agent begins; the first event there is.</summary>
    /// <param name="Prefixes">Shared prefixes on the interfaces.</param>
    /// <param name="Text">How it begins, in a sentence for the journal.</param>
    internal sealed record Started(ImmutableHashSet<IPNetwork> Prefixes, string Text) : NodeEvent
    {
        /// <summary>Those of them that are there only because the agent has put them there, now or in an earlier life.</summary>
        public ImmutableHashSet<IPNetwork> Own { get; init; } = [];
    }

    /// <summary>The interfaces were read, and differ.</summary>
    internal sealed record AddressesChanged(ImmutableHashSet<IPNetwork> Prefixes) : NodeEvent
    {
        /// <summary>What is on an interface only because the agent has put it there.</summary>
        public ImmutableHashSet<IPNetwork> Own { get; init; } = [];
    }

    /// <summary>The kernel does not add or take off an address as the agent wants it; null: it does again.</summary>
    /// <param name="Problem">Which and why, in a sentence.</param>
    internal sealed record AddressTrouble(string? Problem) : NodeEvent;

    /// <summary>The metadata service says this of the machine.</summary>
    internal sealed record InstanceLearned(InstanceFacts Facts) : NodeEvent;

    /// <summary>The hub wants this.</summary>
    internal sealed record IntentReceived(NodeIntent Intent) : NodeEvent;

    /// <summary>The hub sent something that cannot be an intent.</summary>
    internal sealed record IntentMalformed(ulong Revision, string OperationId, string Problem) : NodeEvent;

    /// <summary>The hub sent this one and a newer one before the node had looked at it: only the newer one counts.</summary>
    /// <param name="Revision">Of the one that nobody looks at.</param>
    /// <param name="OperationId">Of the same, empty: none.</param>
    /// <param name="By">Revision of the other.</param>
    internal sealed record IntentSuperseded(ulong Revision, string OperationId, ulong By) : NodeEvent;

    /// <summary>The hub wants one session to be reset, once.</summary>
    internal sealed record ResetRequested(SessionResetRequest Request) : NodeEvent;

    /// <summary>A stream to the hub has begun. The answer to the intent in force may have been lost with the last one, or with the last process.</summary>
    internal sealed record HubConnected : NodeEvent;

    /// <summary>The hub has renewed this node's certificate, does not take it, or takes it again. Nothing follows from it but that it is known.</summary>
    /// <param name="Kind">Of the journal's entry.</param>
    /// <param name="Text">What became of it and what to do, in a sentence.</param>
    internal sealed record MembershipChanged(TransitionKind Kind, string Text) : NodeEvent;

    /// <summary>The intent of <see cref="NodeEffect.PersistIntent"/> is on the disk.</summary>
    internal sealed record IntentPersisted(NodeIntent Intent) : NodeEvent;

    /// <summary>The intent of <see cref="NodeEffect.PersistIntent"/> could not be kept.</summary>
    internal sealed record IntentNotPersisted(NodeIntent Intent, string Problem) : NodeEvent;

    /// <summary>What came of <see cref="NodeEffect.PersistFailback"/>.</summary>
    /// <param name="Problem">Null: it is on the disk. Else why not.</param>
    internal sealed record FailbackPersisted(string? Problem) : NodeEvent;

    /// <summary>Somebody on the node itself wants this.</summary>
    internal sealed record CommandReceived(LocalCommand Command) : NodeEvent;

    /// <summary>Somebody on the node itself had <c>doctor</c> write a file of the machine: for the history, nothing else changes.</summary>
    /// <param name="Actor">Who, as the kernel says.</param>
    /// <param name="Path">Of the file.</param>
    internal sealed record FileWritten(string Actor, string Path) : NodeEvent;

    /// <summary>The orders of <see cref="NodeEffect.PersistOrders"/> are on the disk.</summary>
    internal sealed record OrdersPersisted(LocalOrders Orders, LocalCommand Command) : NodeEvent;

    /// <summary>The orders of <see cref="NodeEffect.PersistOrders"/> could not be kept.</summary>
    internal sealed record OrdersNotPersisted(LocalCommand Command, string Problem) : NodeEvent;

    /// <summary>A session changed its state.</summary>
    internal sealed record SessionChanged(NeighborEndpoint Neighbor, SessionState To, string Reason) : NodeEvent
    {
        /// <summary>The agent itself ended it, to begin anew with other options or because it stops: nothing was lost.</summary>
        public bool Asked { get; init; }
    }

    /// <summary>A session came up.</summary>
    internal sealed record SessionEstablished(NeighborEndpoint Neighbor, NegotiatedParameters Parameters) : NodeEvent;

    /// <summary>Something went wrong with a session.</summary>
    internal sealed record SessionFailed(NeighborEndpoint Neighbor, SessionError Error) : NodeEvent;

    /// <summary>The neighbor sent an UPDATE that is wrong and does not end the session (RFC 7606). Told once in ten minutes for each neighbor.</summary>
    /// <param name="Neighbor">Who sent it.</param>
    /// <param name="Problem">What is wrong with it and which prefixes it names, in words.</param>
    internal sealed record UpdateMalformed(NeighborEndpoint Neighbor, string Problem) : NodeEvent;

    /// <summary>Every UPDATE up to this version of the advertisements is written on the session's socket.</summary>
    /// <param name="Neighbor">Whose session.</param>
    /// <param name="Version">Of the advertisements.</param>
    internal sealed record AdvertisementsWritten(NeighborEndpoint Neighbor, long Version) : NodeEvent
    {
        /// <summary>Prefixes of them that the session cannot carry: the neighbor does not have these.</summary>
        public ImmutableArray<SkippedPrefix> Skipped { get; init; } = [];
    }

    /// <summary>A check has another verdict.</summary>
    /// <param name="Check">As it was configured when it ran.</param>
    /// <param name="Verdict">Healthy or unhealthy.</param>
    /// <param name="Text">What its last run found, in words.</param>
    internal sealed record HealthChanged(CheckOptions Check, Health Verdict, string Text) : NodeEvent;

    /// <summary>The configuration was read again and is good.</summary>
    /// <param name="Settings">What the node decides by from now on.</param>
    /// <param name="Peers">The neighbors of <paramref name="Settings"/>, in the same order.</param>
    /// <param name="Text">What was read and what is other now, in a sentence for the journal.</param>
    internal sealed record Reconfigured(NodeSettings Settings, ImmutableArray<PeerOptions> Peers, string Text) : NodeEvent;

    /// <summary>The configuration was read again and cannot be obeyed: the one that runs stays.</summary>
    /// <param name="Problem">Why, all of it, in sentences.</param>
    internal sealed record ConfigurationRefused(string Problem) : NodeEvent;

    /// <summary>Time has passed. Given when <see cref="NodeState.NextDeadline"/> has come.</summary>
    internal sealed record Tick : NodeEvent;

    /// <summary>The agent is asked to end.</summary>
    /// <param name="Cause">What asked: <c>SIGTERM</c>.</param>
    /// <param name="AtOnce">Without a graceful shutdown first; ends one that is going on.</param>
    internal sealed record StopRequested(string Cause, bool AtOnce = false) : NodeEvent;
}
