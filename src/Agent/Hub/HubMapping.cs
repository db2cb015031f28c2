using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Agent.Platform.Journaling;
using FailoverHub.Agent.Speaker;
using FailoverHub.Protos.V1;
using Session = FailoverHub.Bgp.Session.SessionState;

namespace FailoverHub.Agent.Hub;

/// <summary>The only place where the node's own types and those of the stream meet. What the hub sends is checked here.</summary>
internal static class HubMapping
{
    // Of a pair, which normally has two nodes.
    private const int MostPeers = 16;

    public static AgentMessage Hello(HubLinkSettings settings, string bootId, NodeState state) =>
        Hello(settings.Node, settings.Version, bootId, state.Intent?.Revision ?? 0, settings.DataCenter, settings.Vantage is not null);

    /// <param name="node">As it calls itself.</param>
    /// <param name="version">Of the program.</param>
    /// <param name="bootId">Of the process.</param>
    /// <param name="revision">Of the intent in force; 0: none.</param>
    /// <param name="dataCenter">The platform's id; null: not known.</param>
    /// <param name="asks">It asks what the hub wants to see from there.</param>
    public static AgentMessage Hello(string node, string version, string bootId, ulong revision, int? dataCenter = null, bool asks = false)
    {
        var hello = new Hello
        {
            Node = node,
            AgentVersion = version,
            BootId = bootId,
            IntentRevision = revision,
            Capabilities = { "journal", "failback", "local-commands", "reset-session", "identity" },
            DataCenter = dataCenter?.ToString(CultureInfo.InvariantCulture) ?? "",
        };
        if (asks)
        {
            hello.Capabilities.Add("vantage");
        }

        return new AgentMessage { Hello = hello };
    }

    /// <summary>With what this hub is answered who this node is; null: it asks nobody, or it is nothing that could be used.</summary>
    public static Answering.IdentityGrant? Grant(Welcome welcome) =>
        welcome.Identity is { } given ? Answering.IdentityGrant.Of(given.Label, given.AnswerKey.Span, given.AskKey.Span) : null;

    /// <summary>On which hosts the other nodes of the pair are, as far as the hub knows; what could be no host is passed over.</summary>
    public static ImmutableArray<Identity.PeerHost> Peers(Welcome welcome) =>
    [
        .. welcome.Peers.Take(MostPeers).Where(peer => IsWord(peer.Node) && IsWord(peer.Host)).Select(peer => new Identity.PeerHost(peer.Node, peer.Host)),
    ];

    private static bool IsWord(string text) => text.Length is > 0 and <= 63 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    public static AgentMessage Report(NodeState state, Func<Configuration.NeighborEndpoint, PeerMetrics> metrics, ulong sequence, Moment taken)
    {
        var report = new NodeReport
        {
            Sequence = sequence,
            IntentRevision = state.Intent?.Revision ?? 0,
            Drained = state.Drained,
            ConfigurationProblem = state.ConfigurationProblem ?? "",
            AddressProblem = state.AddressProblem ?? "",
            Host = state.Instance?.HostId ?? "",
            LocallyDrained = state.Orders.Drain is not null,
            Limits = new Protos.V1.IntentLimits
            {
                RefusesDrain = !state.Settings.Limits.Drain,
                RefusesPromote = !state.Settings.Limits.Promote,
                RefusesDemote = !state.Settings.Limits.Demote,
            },
            Health = CheckReports.ToWire(HealthVerdicts.Of(state)),
            TakenAtUnixMs = taken.At.ToUnixTimeMilliseconds(),
        };
        report.Prefixes.AddRange(state.Prefixes.Select(prefix => Report(state, prefix, taken.Monotonic)));
        report.Sessions.AddRange(state.Sessions.Select(session => Report(session, metrics(session.Neighbor))));
        return new AgentMessage { Report = report };
    }

    public static AgentMessage Result(IntentAnswer answer, IntentTimes? times = null)
    {
        var result = new IntentResult { Revision = answer.Revision, Times = times };
        switch (answer.Outcome)
        {
            case IntentOutcome.Applied(var sessions):
                result.Outcome = IntentResult.Types.Outcome.Applied;
                result.SessionsUpdated = (uint)sessions;
                break;
            case IntentOutcome.AcceptedNotAnnounced(var reason):
                result.Outcome = IntentResult.Types.Outcome.AcceptedNotAnnounced;
                result.Reason = reason;
                break;
            case IntentOutcome.Rejected(var reason):
                result.Outcome = IntentResult.Types.Outcome.Rejected;
                result.Reason = reason;
                break;
            default:
                throw new InvalidOperationException($"No word for {answer.Outcome.GetType().Name}.");
        }

        return new AgentMessage { IntentResult = result };
    }

    public static AgentMessage Result(RequestAnswer answer) =>
        new() { RequestResult = new NodeRequestResult { Id = answer.Id, Done = answer.Done, Text = answer.Text } };

    /// <summary>A request that this agent knows; null: one of a newer hub, which no capability of ours has asked for.</summary>
    public static NodeEvent? Request(NodeRequest request) => request.BodyCase == NodeRequest.BodyOneofCase.ResetSession
        ? new NodeEvent.ResetRequested(new SessionResetRequest(request.Id, request.ResetSession.Neighbor, request.OperationId, Checks.Printable.Of(request.Reason, int.MaxValue)))
        : null;

    public static AgentMessage Batch(JournalPage page)
    {
        var batch = new JournalBatch { BootId = page.BootId };
        batch.Entries.AddRange(page.Entries.Select(numbered => new Protos.V1.JournalEntry
        {
            Sequence = numbered.Sequence,
            AtUnixMs = numbered.Entry.At.ToUnixTimeMilliseconds(),
            Kind = numbered.Entry.Kind,
            Prefix = numbered.Entry.Prefix,
            Neighbor = numbered.Entry.Neighbor,
            Text = numbered.Entry.Text,
            OperationId = numbered.Entry.OperationId,
            Actor = numbered.Entry.Actor,
        }));
        return new AgentMessage { Journal = batch };
    }

    /// <summary>An intent, or what is wrong with it: both go to the node, which answers.</summary>
    public static NodeEvent Intent(Protos.V1.NodeIntent intent)
    {
        var prefixes = ImmutableArray.CreateBuilder<Node.Intents.PrefixIntent>(intent.Prefixes.Count);
        foreach (var entry in intent.Prefixes)
        {
            if (!SharedPrefix.TryParse(entry.Prefix, out var prefix, out var problem))
            {
                return new NodeEvent.IntentMalformed(intent.Revision, intent.OperationId, problem.TrimEnd('.'));
            }

            if (FromWire(entry.Role) is not { } role)
            {
                return new NodeEvent.IntentMalformed(intent.Revision, intent.OperationId, $"it gives {prefix} no role that this agent knows");
            }

            if (entry.StableSeconds > Configuration.FailbackOptions.LongestStable.TotalSeconds)
            {
                return new NodeEvent.IntentMalformed(intent.Revision, intent.OperationId, $"it holds {prefix} back for {entry.StableSeconds} s, more than {Configuration.FailbackOptions.LongestStable.TotalSeconds:0}; manual holds it back for any time");
            }

            if (!Enum.IsDefined(entry.FailbackPolicy))
            {
                return new NodeEvent.IntentMalformed(intent.Revision, intent.OperationId, $"it gives {prefix} no failback policy that this agent knows");
            }

            prefixes.Add(new Node.Intents.PrefixIntent(prefix, role)
            {
                FailbackPolicy = FromWire(entry.FailbackPolicy),
                StableFor = entry.StableSeconds == 0 ? null : TimeSpan.FromSeconds(entry.StableSeconds),
                AtOnce = entry.AtOnce,
            });
        }

        return new NodeEvent.IntentReceived(new Node.Intents.NodeIntent
        {
            Revision = intent.Revision,
            Drained = intent.Drained,
            Prefixes = prefixes.ToImmutable(),
            OperationId = intent.OperationId,
            
            // Whatever an operator has typed there: it gets into the log, the status and what systemd is told, each of them by the line.
            Reason = Checks.Printable.Of(intent.Reason, int.MaxValue),
            LiftLocalDrain = intent.LiftLocalDrain,
        });
    }

    private static PrefixReport Report(NodeState state, PrefixState prefix, TimeSpan now)
    {
        var report = new PrefixReport
        {
            Prefix = prefix.Prefix.ToString(),
            AssignedRole = ToWire(prefix.AssignedRole),
            AddressPresent = prefix.AddressPresent,
            Health = CheckReports.ToWire(prefix.Health),
            EstablishedSessionsCarrying = (uint)state.SessionsCarrying(prefix),
            FailbackPolicy = ToWire(prefix.FailbackPolicy.Policy),
            StableSeconds = (uint)Math.Ceiling(prefix.FailbackPolicy.StableFor.TotalSeconds),
            FailbackHold = Hold(prefix, now),
            Damped = prefix.HeldBack,
        };
        switch (prefix.Decision)
        {
            case AdvertisementDecision.Announce(var role):
                report.Announced = true;
                report.ReportedRole = ToWire(role);
                break;
            case AdvertisementDecision.Withdraw(var reason):
                report.WithdrawnReason = ToWire(reason);
                break;
            default:
                throw new InvalidOperationException($"No word for {prefix.Decision.GetType().Name}.");
        }

        return report;
    }

    private static FailbackHold? Hold(PrefixState prefix, TimeSpan now) => prefix.Failback.IsHeld
        ? new FailbackHold
        {
            RemainingMs = prefix.Failback.ReleaseAt(prefix.FailbackPolicy) is { } end ? (long)Math.Max(0, Math.Ceiling((end - now).TotalMilliseconds)) : -1,
            Reason = Failback.Describe(prefix),
        }
        : null;

    private static SessionReport Report(SessionStatus session, PeerMetrics metrics) => new()
    {
        Neighbor = session.Neighbor.ToString(),
        State = ToWire(session.State),
        StateSinceUnixMs = session.Since.At.ToUnixTimeMilliseconds(),
        LastError = session.LastTrouble?.Text ?? "",
        LastErrorAtUnixMs = session.LastTrouble?.At.ToUnixTimeMilliseconds() ?? 0,
        LastErrorFromPeer = session.LastTrouble?.FromPeer ?? false,
        HoldTimeSeconds = session.HoldTime?.Seconds ?? 0u,
        MessagesReceived = metrics.MessagesReceived,
        MessagesSent = metrics.MessagesSent,
        Flaps = (uint)session.Flaps,
    };

    private static Protos.V1.Role ToWire(Node.Role? role) => role switch
    {
        Node.Role.Primary => Protos.V1.Role.Primary,
        Node.Role.Secondary => Protos.V1.Role.Secondary,
        _ => Protos.V1.Role.Unspecified,
    };

    private static Node.Role? FromWire(Protos.V1.Role role) => role switch
    {
        Protos.V1.Role.Primary => Node.Role.Primary,
        Protos.V1.Role.Secondary => Node.Role.Secondary,
        _ => null,
    };

    private static FailbackPolicy ToWire(Configuration.FailbackPolicy policy) => policy switch
    {
        Configuration.FailbackPolicy.Immediate => FailbackPolicy.Immediate,
        Configuration.FailbackPolicy.AfterStable => FailbackPolicy.AfterStable,
        Configuration.FailbackPolicy.Manual => FailbackPolicy.Manual,
        Configuration.FailbackPolicy.Sticky => FailbackPolicy.Sticky,
        _ => throw new ArgumentOutOfRangeException(nameof(policy), policy, "Not a policy."),
    };

    private static Configuration.FailbackPolicy? FromWire(FailbackPolicy policy) => policy switch
    {
        FailbackPolicy.Immediate => Configuration.FailbackPolicy.Immediate,
        FailbackPolicy.AfterStable => Configuration.FailbackPolicy.AfterStable,
        FailbackPolicy.Manual => Configuration.FailbackPolicy.Manual,
        FailbackPolicy.Sticky => Configuration.FailbackPolicy.Sticky,
        _ => null,
    };

    private static Protos.V1.WithdrawnReason ToWire(Node.Prefixes.WithdrawnReason reason) => reason switch
    {
        Node.Prefixes.WithdrawnReason.Drained => Protos.V1.WithdrawnReason.Drained,
        Node.Prefixes.WithdrawnReason.Unhealthy => Protos.V1.WithdrawnReason.Unhealthy,
        Node.Prefixes.WithdrawnReason.AddressMissing => Protos.V1.WithdrawnReason.AddressMissing,
        Node.Prefixes.WithdrawnReason.NotAssigned => Protos.V1.WithdrawnReason.NotAssigned,
        Node.Prefixes.WithdrawnReason.Stopping => Protos.V1.WithdrawnReason.Stopping,
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "Not a reason."),
    };

    private static SessionState ToWire(Session state) => state switch
    {
        Session.Idle => SessionState.Idle,
        Session.Connect => SessionState.Connect,
        Session.Active => SessionState.Active,
        Session.OpenSent => SessionState.OpenSent,
        Session.OpenConfirm => SessionState.OpenConfirm,
        Session.Established => SessionState.Established,
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Not a state."),
    };
}
