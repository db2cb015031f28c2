using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Fleet.Present;

namespace FailoverHub.Web.Fleet;

/// <summary>The present, computed: (what is known, now) to what may be shown. Nothing here remembers anything.</summary>
internal static class FleetProjection
{
    /// <summary>A report older than this is no longer current.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(3);

    /// <summary>A stream that says nothing for longer than this is as good as gone.</summary>
    public static readonly TimeSpan SilentFor = TimeSpan.FromSeconds(15);

    /// <summary>The present, by somebody who remembers nothing. Whoever computes it again and again keeps a <see cref="FleetProjector"/>.</summary>
    public static FleetSnapshot Project(FleetFacts facts, Moment now, long version) => new FleetProjector().Project(facts, now, version);

    /// <summary>How much is known of the node now: from the age of what was heard and whether the stream is open.</summary>
    public static NodeLink LinkOf(NodeFacts node, Moment now)
    {
        if (node.Stream is not { } stream)
        {
            if (node.Identity is { RevokedAt: not null })
            {
                return NodeLink.Revoked;
            }

            if (node.StreamEndedAt is { } ended && now.Uptime - ended.Uptime <= FreshFor)
            {
                return NodeLink.Stale;
            }

            return node.LastReportAt is null ? NodeLink.NeverSeen : NodeLink.Offline;
        }

        // What came on an earlier stream says nothing about this one: the agent may have been restarted between.
        var current = node.Report is { } report && report.StreamId == stream.Id ? report : null;
        var age = now.Uptime - (current?.ReceivedAt ?? stream.OpenedAt).Uptime;
        return age > SilentFor ? NodeLink.Offline : current is null || age > FreshFor ? NodeLink.Stale : NodeLink.Connected;
    }

    /// <summary>What is wanted of the node for the prefix: the hub's intent, or without one the node's own configuration.</summary>
    public static Role? AssignedRole(NodeFacts node, IPNetwork prefix) =>
        node.Intent is { } intent
            ? intent.RoleOf(prefix)
            : node.Report?.Find(prefix)?.AssignedRole;

    /// <summary>
    /// The node that the platform should route the prefix to: of those that may announce it the one with the best role; among equals the one
    /// that was there first, if that is known; and who is held back came later than who is not. Null: nobody fresh announces it, or it cannot be told because a silent node may have it.
    /// </summary>
    public static string? InferActive(IEnumerable<MemberView> members, IPNetwork prefix, string? before)
    {
        var announcers = members.Select(m => (m.Node, Role: PossibleRole(m, prefix))).Where(a => a.Role is not null).ToList();
        var best = announcers.Where(a => a.Role == announcers.Min(x => x.Role)).Select(a => a.Node).ToList();
        var unheld = best.Where(n => n.Find(prefix) is not { Hold: not null }).ToList();
        var active = best.Count == 1 ? best[0]
            : best.Find(n => string.Equals(n.Name, before, StringComparison.OrdinalIgnoreCase)) ?? (unheld.Count == 1 ? unheld[0] : null);
        return active is { IsFresh: true } ? active.Name : null;
    }

    /// <summary>
    /// The best role that the node may announce the prefix with now; null when it surely announces nothing. Silence withdraws nothing: only the
    /// hub's link may be broken, and then the node goes on with what it last did or was last told, and a failed check may pass again.
    /// </summary>
    public static Role? PossibleRole(MemberView member, IPNetwork prefix)
    {
        if (member.Node.IsFresh)
        {
            return AnnouncedRole(member, prefix);
        }

        var view = member.Find(prefix);
        if (view is null)
        {
            // It does not have the prefix, or the hub has been started anew and has not heard it yet; then it is as it was when the pair was found.
            return member.Node.HasReported ? null : member.MayBePrimary ? Role.Primary : Role.Secondary;
        }

        // What was drained on the node itself may have been undrained there, and nobody would have told the hub.
        var mayBeUndrained = member.Node is { LocallyDrained: true, AssignedDrained: false };
        var drained = !mayBeUndrained && (member.Node.Drained || view.WithdrawnReason is WithdrawnReason.Drained);
        return drained || view.WithdrawnReason is WithdrawnReason.NotAssigned or WithdrawnReason.Stopping
            ? null
            : view.ReportedRole is { } reported && view.AssignedRole is { } assigned ? (Role)Math.Min((int)reported, (int)assigned) : view.ReportedRole ?? view.AssignedRole;
    }

    /// <summary>
    /// The role that the node announces the prefix with now, null when it is withdrawn, when no session is up, or when the node is not fresh.
    /// For a moment after a change no session may carry the *newest* UPDATE yet; the prefix is on the wire all the same.
    /// </summary>
    public static Role? AnnouncedRole(MemberView member, IPNetwork prefix) =>
        member.Node is { IsFresh: true, EstablishedSessions: > 0 } && member.Find(prefix) is { Announced: true } view
            ? view.ReportedRole
            : null;

    /// <summary>
    /// Whether another node may rely on this one for the prefix. Stricter than <see cref="AnnouncedRole"/>, which is for showing: the newest
    /// UPDATE is on the wire, and nothing that is wanted of the node and not yet seen could take the prefix away.
    /// </summary>
    public static bool SurelyAnnounces(NodeView node, IPNetwork prefix) =>
        CarriesOnTheWire(node, prefix) && !node.AssignedDrained && node.ReportedRevision >= node.IntentRevision;

    /// <summary>The newest UPDATE for the prefix has left on an established session, as a fresh report says.</summary>
    public static bool CarriesOnTheWire(NodeView node, IPNetwork prefix) =>
        node is { IsFresh: true, EstablishedSessions: > 0 } && node.Find(prefix) is { Announced: true, SessionsCarrying: > 0 };

    /// <summary>Why a node that lost an intent must not be told it again as things are now, half a sentence; null: nothing stands against it.</summary>
    public static string? AgainstReturningTo(FleetFacts facts, NodeFacts node, IntentFacts intent, Moment now)
    {
        // Anybody may say that he announces an address: that somebody else surely does is believed of the node's pair only, or of the pair whose address it claims; that somebody may be
        // primary, of anybody.
        var everybody = facts.Nodes.Values.Where(n => n.Name != node.Name && n.DataCenter == node.DataCenter).Select(n => ProjectNode(n, now)).ToList();
        var own = facts.PairOf(node.Name);
        foreach (var (name, role) in intent.Roles)
        {
            var prefix = IPNetwork.Parse(name);
            if (intent.Drained)
            {
                var pair = own ?? facts.Pairs.Values.FirstOrDefault(p => p.DataCenter == node.DataCenter && p.Prefixes.Contains(prefix));
                if (!everybody.Exists(o => pair?.Members.Contains(o.Name) == true && SurelyAnnounces(o, prefix)))
                {
                    return $"nobody else surely announces {prefix} now";
                }
            }
            else if (role == Role.Primary && everybody.Find(o => o.Find(prefix) is { } view && (view.AssignedRole == Role.Primary || view.ReportedRole == Role.Primary)) is { } primary)
            {
                return $"{primary.Name} may be primary for {prefix} now";
            }
        }

        return null;
    }

    private static NodeView ProjectNode(NodeFacts node, Moment now)
    {
        var link = LinkOf(node, now);
        return ProjectNode(node, link, link == NodeLink.Connected && node.Report is { } report ? now.Uptime - report.ReceivedAt.Uptime : null, YoungSign(node, now));
    }

    /// <summary>The last sign that two machines use the node's identity, while it is young.</summary>
    internal static CloneSign? YoungSign(NodeFacts node, Moment now) =>
        node.CopySeen is { } sign && now.Uptime - sign.At.Uptime <= StreamAdmission.SignFor ? sign : null;

    private static NodeIdentityView? ToView(IdentityFacts? identity) => identity is null ? null : new NodeIdentityView
    {
        NodeId = identity.NodeId,
        JoinedAt = identity.JoinedAt,
        Serial = identity.Serial,
        IssuedAt = identity.IssuedAt,
        NotAfter = identity.NotAfter,
        Renewals = identity.Renewals,
        RevokedAt = identity.RevokedAt,
        RevokedReason = identity.RevokedReason,
    };

    /// <param name="node">What is known of it.</param>
    /// <param name="link">How much that is worth now.</param>
    /// <param name="counting">The age of its report if that may be called current; null: nothing counts on.</param>
    /// <param name="clone">The last sign of a copy, while it is young.</param>
    internal static NodeView ProjectNode(NodeFacts node, NodeLink link, TimeSpan? counting, CloneSign? clone) => new()
    {
        Name = node.Name,
        Link = link,
        Identity = ToView(node.Identity),
        CloneSign = clone?.Text,
        CloneSignAt = clone?.At.Wall,
        Refusal = node.Refusal?.Why,
        RefusedAt = node.Refusal?.At,
        RefusedFrom = node.Refusal?.RemoteAddress,
        LastReportAt = node.LastReportAt,
        ConnectedSince = node.Stream?.OpenedAt.Wall,
        AgentVersion = node.AgentVersion,
        DataCenter = node.DataCenter,
        RemoteAddress = node.RemoteAddress,
        IntentRevision = node.Intent?.Revision ?? 0,
        ReportedRevision = node.Report?.IntentRevision ?? 0,
        AssignedDrained = node.Intent?.Drained ?? node.Report is { Drained: true, LocallyDrained: false },
        Drained = node.Report?.Drained ?? false,
        LocallyDrained = node.Report?.LocallyDrained ?? false,
        ConfigurationProblem = node.Report?.ConfigurationProblem,
        AddressProblem = node.Report?.AddressProblem,
        IdentityPort = node.Report?.IdentityPort,
        Host = node.Report?.Host,
        Limits = node.Report?.Limits,
        Capabilities = node.Capabilities,
        Checks = node.Report?.Checks ?? [],
        HasReported = node.Report is not null,
        Health = node.Report?.Health ?? Health.Unknown,
        Prefixes = PrefixesOf(node, counting),
        Sessions = node.Report?.Sessions ?? [],
    };

    private static ImmutableArray<PrefixView> PrefixesOf(NodeFacts node, TimeSpan? counting)
    {
        var reported = (node.Report?.Prefixes ?? []).Select(p => p with { AssignedRole = AssignedRole(node, p.Prefix), LocalRole = LocalRole(node, p), Hold = HoldOf(p, counting) }).ToList();
        foreach (var wanted in node.Intent?.Roles ?? ImmutableSortedDictionary<string, Role>.Empty)
        {
            // Wanted, but the node does not report it: it has not heard of it, or has said nothing since the hub started.
            if (IPNetwork.TryParse(wanted.Key, out var prefix) && node.Report?.Find(prefix) is null)
            {
                reported.Add(new PrefixView
                {
                    Prefix = prefix,
                    AssignedRole = wanted.Value,
                    ReportedRole = null,
                    Announced = false,
                    WithdrawnReason = null,
                    AddressPresent = false,
                    SessionsCarrying = 0,
                });
            }
        }

        return [.. reported.OrderBy(p => p.Prefix, PrefixOrder.Instance)];
    }

    /// <summary>The node obeys the newest intent and says another role than that: somebody changed it there.</summary>
    private static Role? LocalRole(NodeFacts node, PrefixView reported) =>
        node is { Intent: { } intent, Report: { } report } && report.IntentRevision == intent.Revision && intent.RoleOf(reported.Prefix) is { } wanted && reported.AssignedRole != wanted
            ? reported.AssignedRole
            : null;

    private static FailbackHold? HoldOf(PrefixView reported, TimeSpan? counting) =>
        reported.Hold is { Remaining: { } remaining } hold
            ? hold with { Remaining = counting is { } age ? remaining > age ? remaining - age : TimeSpan.Zero : null }
            : reported.Hold;

    /// <param name="pair">What is kept of the pair.</param>
    /// <param name="nodes">Its nodes as far as they are known, by name.</param>
    /// <param name="others">Nodes of its data center that are not of the pair and have one of its prefixes, or one of its nodes': what those announce whose reports are current counts on the wire all the same.</param>
    /// <param name="freeze">What is in force on the pair now; null: it is not frozen.</param>
    /// <param name="answers">Who answers on its addresses, as far as that is current.</param>
    internal static PairView ProjectPair(PairFacts pair, ImmutableArray<NodeView> nodes, ImmutableArray<NodeView> others, FreezeView? freeze, ImmutableArray<AnswerView> answers)
    {
        ImmutableArray<MemberView> members = [.. nodes.Select(n => MemberOf(pair, n))];
        var claimable = others.IsEmpty ? [] : pair.Prefixes.Concat(nodes.SelectMany(n => n.Prefixes).Select(p => p.Prefix)).Distinct().Order(PrefixOrder.Instance).ToList();
        ImmutableArray<MemberView> outsiders = [.. others.Where(n => n.IsFresh).Select(n => MemberOf(pair, n))];
        var active = pair.Prefixes.ToDictionary(p => p, p => InferActive(members, p, pair.Active.GetValueOrDefault(p.ToString())) is { } name
            && !outsiders.Any(o => AnnouncedRole(o, p) <= AnnouncedRole(members.First(m => m.Node.Name == name), p)) ? name : null);
        var (state, reason) = PairStateRules.Judge(pair, members, outsiders, active);

        if (freeze is not null && state == PairState.Healthy)
        {
            (state, reason) = (PairState.Frozen, $"{PairWords.Frozen(freeze)} {reason}");
        }

        // One name for the whole pair only when all its prefixes are on that node.
        var actives = active.Values.Distinct().ToList();
        var activeNode = actives.Count == 1 && state != PairState.Unknown ? actives[0] : null;
        return ObservedActive.Over(new PairView
        {
            Id = pair.Id,
            Name = pair.Name,
            State = state,
            StateReason = reason,
            PreferredNode = pair.PreferredNode,
            ActiveNode = activeNode,
            ActiveNodeBasis = activeNode is null ? ActiveNodeBasis.Unknown : ActiveNodeBasis.Inferred,
            Prefixes = pair.Prefixes,
            Failback = Failback.Wanted(pair.Failback, ReportedFailback(pair, members)),
            FailbackIsSet = pair.Failback is not null,
            Freeze = freeze,
            Revision = pair.Revision,
            OperationId = (pair.Drill ?? pair.Running)?.Id,
            MoveId = pair.Running is { MovesTraffic: true } moving ? moving.Id : null,
            Members = members,
            Claimants = [.. others.Where(n => n is { HasReported: true, Link: not NodeLink.Revoked })
                .Select(n => new ClaimantView(n.Name, [.. claimable.Where(p => n.Find(p) is not null)]))],
        }, active, answers);
    }

    /// <summary>What the preferred node keeps: it is the one that returns.</summary>
    private static Failback? ReportedFailback(PairFacts pair, ImmutableArray<MemberView> members) =>
        members.FirstOrDefault(m => string.Equals(m.Node.Name, pair.PreferredNode, StringComparison.OrdinalIgnoreCase))?.Prefixes.FirstOrDefault()?.Failback;

    /// <summary>The same pair with nodes that only said the same once more.</summary>
    internal static PairView WithMembers(PairView view, PairFacts pair, ImmutableArray<NodeView> nodes) => view with { Members = [.. nodes.Select(n => MemberOf(pair, n))] };

    /// <summary>Whether nothing but ages and counters differ, so that no pair is judged otherwise.</summary>
    internal static bool SaysTheSame(NodeView a, NodeView b)
    {
        // Whole records are compared, so that whatever a view may tell one day counts as a difference by itself.
        if (ReferenceEquals(a, b))
        {
            return true;
        }

        return a with { LastReportAt = b.LastReportAt, Sessions = b.Sessions, Checks = b.Checks } == b
            && a.Sessions.Length == b.Sessions.Length && a.Sessions.Zip(b.Sessions).All(s => s.First with { MessagesReceived = s.Second.MessagesReceived, MessagesSent = s.Second.MessagesSent } == s.Second)
            && a.Checks.Length == b.Checks.Length && a.Checks.Zip(b.Checks).All(c => c.First.SaysTheSameAs(c.Second));
    }

    private static MemberView MemberOf(PairFacts pair, NodeView node) => new()
    {
        Node = node,
        MayBePrimary = pair.PreferredNode is null || string.Equals(pair.PreferredNode, node.Name, StringComparison.OrdinalIgnoreCase),
        Prefixes = [.. pair.Prefixes.Select(node.Find).OfType<PrefixView>()],
    };
}
