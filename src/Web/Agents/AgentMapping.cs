using System.Net;
using System.Text.RegularExpressions;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability.Answering;
using FailoverHub.Web.Telemetry.Traces;
using Failback = FailoverHub.Web.Fleet.Failback;
using FailbackHold = FailoverHub.Web.Fleet.FailbackHold;
using FailbackPolicy = FailoverHub.Web.Fleet.FailbackPolicy;
using Health = FailoverHub.Web.Fleet.Health;
using IntentLimits = FailoverHub.Web.Fleet.IntentLimits;
using ProtoFailback = FailoverHub.Protos.V1.FailbackPolicy;
using ProtoHealth = FailoverHub.Protos.V1.Health;
using ProtoRole = FailoverHub.Protos.V1.Role;
using ProtoWithdrawn = FailoverHub.Protos.V1.WithdrawnReason;
using Role = FailoverHub.Web.Fleet.Role;
using WithdrawnReason = FailoverHub.Web.Fleet.WithdrawnReason;

namespace FailoverHub.Web.Agents;

/// <summary>What a message means, or what is wrong with it in words for the agent's log.</summary>
internal readonly record struct Parsed<T>(T? Value, string? Problem)
    where T : class
{
    public static implicit operator Parsed<T>(T value) => new(value, null);
}

/// <summary>
/// The one place where the agents' messages meet our own types. Nonsense is refused here, with a sentence; words that a newer agent may
/// know and we do not are read as "not known".
/// </summary>
internal static partial class AgentMapping
{
    public const int MaxPrefixes = 16_384;
    public const int MaxSessions = 256;
    public const int MaxChecks = 128;
    public const int MaxJournalEntries = 5_000;

    // What JSON's numbers hold exactly. It leaves the hub room to count on from: a node at the end of the range could never be told anything again.
    public const ulong MaxRevision = 1UL << 53;
    // An hour: longer than any operation.
    private const ulong LongestIntentUs = 3_600_000_000;

    // Ten times the longest that an agent can be told; what is longer counts nothing that anybody waits for.
    private const long LongestHoldMs = 864_000_000;

    // 9999-12-31, the last moment that can be shown.
    private const long LastUnixMs = 253_402_300_799_999;

    public static Parsed<AgentHello> Parse(Hello hello)
    {
        if (!NodeName().IsMatch(hello.Node))
        {
            return Wrong<AgentHello>($"'{AgentText.Word(hello.Node)}' is no node name: 1 to 63 letters, digits, '.', '-' or '_', beginning with a letter or digit.");
        }

        if (!AgentText.IsPlain(hello.BootId))
        {
            return Wrong<AgentHello>($"The boot id must have 1 to {AgentText.MaxWord} printable ASCII characters and no space.");
        }

        if (hello.IntentRevision > MaxRevision)
        {
            return Wrong<AgentHello>("The intent revision is out of range.");
        }

        if (hello.DataCenter.Length > 9 || !hello.DataCenter.All(char.IsAsciiDigit))
        {
            return Wrong<AgentHello>($"'{AgentText.Word(hello.DataCenter)}' is no data center: decimal digits, or empty when it is not known.");
        }

        return new AgentHello
        {
            Node = hello.Node,
            AgentVersion = AgentText.Word(hello.AgentVersion),
            BootId = hello.BootId,
            IntentRevision = (long)hello.IntentRevision,
            DataCenter = hello.DataCenter,
            Capabilities = [.. hello.Capabilities.Take(64).Select(AgentText.Word)],
        };
    }

    public static Parsed<ReportFacts> Parse(NodeReport report)
    {
        if (report.Prefixes.Count > MaxPrefixes || report.Sessions.Count > MaxSessions)
        {
            return Wrong<ReportFacts>($"A report has at most {MaxPrefixes} prefixes and {MaxSessions} sessions.");
        }

        if (report.Checks.Count > MaxChecks || report.Checks.Any(c => c.Prefixes.Count > MaxPrefixes))
        {
            return Wrong<ReportFacts>($"A report has at most {MaxChecks} checks, and a check at most {MaxPrefixes} prefixes.");
        }

        if (report.IntentRevision > MaxRevision)
        {
            return Wrong<ReportFacts>("The intent revision is out of range.");
        }

        var prefixes = new List<PrefixView>(report.Prefixes.Count);
        var seen = new HashSet<IPNetwork>();
        foreach (var prefix in report.Prefixes)
        {
            if (PrefixOf(prefix.Prefix) is not { } network)
            {
                return WrongPrefix(prefix.Prefix);
            }

            if (!seen.Add(network))
            {
                return Wrong<ReportFacts>($"The report has {network} twice.");
            }

            prefixes.Add(ToView(prefix, network));
        }

        if (report.Checks.SelectMany(c => c.Prefixes).FirstOrDefault(p => PrefixOf(p) is null) is { } wrong)
        {
            return WrongPrefix(wrong);
        }

        return new ReportFacts
        {
            Sequence = report.Sequence,
            IntentRevision = (long)report.IntentRevision,
            Drained = report.Drained,
            LocallyDrained = report.LocallyDrained,
            ConfigurationProblem = NullIfEmpty(AgentText.Sentence(report.ConfigurationProblem)),
            AddressProblem = NullIfEmpty(AgentText.Sentence(report.AddressProblem)),
            Host = HostOf(report.Host),
            IdentityPort = report.IdentityPort is > 0 and <= ushort.MaxValue ? (int)report.IdentityPort : null,
            Limits = report.Limits is { } limits ? new IntentLimits(!limits.RefusesDrain, !limits.RefusesPromote, !limits.RefusesDemote) : null,
            Health = ToHealth(report.Health),
            Prefixes = [.. prefixes.OrderBy(p => p.Prefix, PrefixOrder.Instance)],
            Sessions = [.. report.Sessions.Select(ToView)],
            Checks = [.. report.Checks.Select(c => ToView(c, report.TakenAtUnixMs))],
        };
    }

    /// <summary>When the node did what it was asked; null: it does not say, or what it says makes no sense and is worth no complaint.</summary>
    public static NodeTimes? TimesOf(IntentResult result) =>
        result.Times is { TraceParent.Length: > 0 and <= AgentText.MaxWord } times
        && times.ReceivedUnixUs / 1_000 is > 0 and <= LastUnixMs
        && times is { StoredAfterUs: <= LongestIntentUs, AnsweredAfterUs: <= LongestIntentUs }
            ? new NodeTimes(
                times.TraceParent,
                DateTimeOffset.UnixEpoch.AddMicroseconds(times.ReceivedUnixUs),
                times.StoredAfterUs > 0 ? TimeSpan.FromMicroseconds(times.StoredAfterUs) : null,
                TimeSpan.FromMicroseconds(times.AnsweredAfterUs))
            : null;

    public static Parsed<IntentAnswer> Parse(IntentResult result)
    {
        IntentOutcome? outcome = result.Outcome switch
        {
            IntentResult.Types.Outcome.Applied => IntentOutcome.Applied,
            IntentResult.Types.Outcome.AcceptedNotAnnounced => IntentOutcome.AcceptedNotAnnounced,
            IntentResult.Types.Outcome.Rejected => IntentOutcome.Rejected,
            _ => null,
        };
        return outcome is null || result.Revision > MaxRevision
            ? Wrong<IntentAnswer>("An intent result needs a revision and one of the outcomes applied, accepted-not-announced, rejected.")
            : new IntentAnswer((long)result.Revision, outcome.Value, Count(result.SessionsUpdated), AgentText.Sentence(result.Reason));
    }

    public static Parsed<NodeRequestAnswer> Parse(NodeRequestResult result) => result.Id.Length is 0 or > AgentText.MaxWord
        ? Wrong<NodeRequestAnswer>($"The answer to a request carries its id, 1 to {AgentText.MaxWord} characters.")
        : new NodeRequestAnswer(result.Id, result.Done, AgentText.Sentence(result.Text));

    public static HubMessage ToMessage(SessionResetOrder request) => new()
    {
        Request = new NodeRequest { Id = request.Id, OperationId = request.OperationId, Reason = request.Reason, ResetSession = new ResetSession { Neighbor = request.Neighbor } },
    };

    /// <summary>The entries as events, oldest first.</summary>
    public static Parsed<List<JournalItem>> Parse(JournalBatch batch, string node, string? pair, DateTimeOffset now)
    {
        if (!AgentText.IsPlain(batch.BootId) || batch.Entries.Count is 0 or > MaxJournalEntries)
        {
            return Wrong<List<JournalItem>>($"A journal batch needs a boot id and 1 to {MaxJournalEntries} entries.");
        }

        var items = new List<JournalItem>(batch.Entries.Count);
        ulong last = 0;
        foreach (var entry in batch.Entries)
        {
            if (entry.Sequence <= last || entry.Sequence > long.MaxValue || !AgentText.IsPlain(entry.Kind))
            {
                return Wrong<List<JournalItem>>($"Journal entry {entry.Sequence} after {last}: entries are numbered from 1, growing, and each has a kind.");
            }

            last = entry.Sequence;
            var sentence = entry.Neighbor.Length == 0 || entry.Text.Contains(entry.Neighbor, StringComparison.Ordinal) ? AgentText.Sentence(entry.Text) : $"{AgentText.Sentence(entry.Text)} ({AgentText.Word(entry.Neighbor)})";
            var (kind, text) = JournalKinds.Of(entry.Kind, sentence);
            var happened = new EventDraft
            {
                At = Happened(entry.AtUnixMs, now),
                Kind = kind,
                Severity = JournalKinds.SeverityOf(entry),
                Pair = pair,
                Node = node,
                Prefix = NullIfEmpty(AgentText.Word(entry.Prefix)),
                Text = text,
                OperationId = NullIfEmpty(AgentText.Word(entry.OperationId)),
            };
            items.Add(new JournalItem((long)entry.Sequence, happened, entry.Kind == LocalCommand.Kind ? LocalCommand.ToAudit(happened, AgentText.Word(entry.Actor)) : null));
        }

        return items;
    }

    /// <param name="intent">What is wanted of the node.</param>
    /// <param name="traceParent">The span that its sending is, as W3C Trace Context has it; null: nobody traces it.</param>
    public static HubMessage ToMessage(IntentFacts intent, string? traceParent = null)
    {
        var message = new NodeIntent
        {
            Revision = (ulong)intent.Revision,
            Drained = intent.Drained,
            OperationId = intent.OperationId ?? "",
            Reason = intent.Reason,
            LiftLocalDrain = intent.LiftLocalDrain,
            TraceParent = traceParent ?? "",
        };
        message.Prefixes.AddRange(intent.Roles.Select(r => ToPrefixIntent(intent, r.Key, r.Value)));
        return new HubMessage { Intent = message };
    }

    private static PrefixIntent ToPrefixIntent(IntentFacts intent, string prefix, Role role)
    {
        var failback = intent.Failback.GetValueOrDefault(prefix);
        return new PrefixIntent
        {
            Prefix = prefix,
            Role = role == Role.Primary ? ProtoRole.Primary : ProtoRole.Secondary,
            AtOnce = intent.AtOnce.Contains(prefix),
            FailbackPolicy = failback?.Policy switch
            {
                FailbackPolicy.Immediate => ProtoFailback.Immediate,
                FailbackPolicy.AfterStable => ProtoFailback.AfterStable,
                FailbackPolicy.Manual => ProtoFailback.Manual,
                FailbackPolicy.Sticky => ProtoFailback.Sticky,
                _ => ProtoFailback.Unspecified,
            },
            StableSeconds = (uint)(failback?.StableFor.TotalSeconds ?? 0),
        };
    }

    public static HubMessage ToAck(string bootId, long sequence) => new() { JournalAck = new JournalAck { BootId = bootId, Sequence = (ulong)sequence } };

    /// <param name="hubVersion">Of the program.</param>
    /// <param name="grant">With what the node answers who it is; null: it is not asked.</param>
    /// <param name="peers">The other nodes of its pair, with the hosts that they are on.</param>
    public static HubMessage ToWelcome(string hubVersion, NodeGrant? grant, IEnumerable<(string Node, string Host)> peers) => new()
    {
        Welcome = new Welcome
        {
            Peers = { peers.Select(p => new PeerHost { Node = p.Node, Host = p.Host }) },
            HubVersion = hubVersion,
            Capabilities = { "journal" },
            Identity = grant is null ? null : new IdentityGrant
            {
                Label = grant.Label,
                AnswerKey = Google.Protobuf.ByteString.CopyFrom(grant.AnswerKey),
                AskKey = Google.Protobuf.ByteString.CopyFrom(grant.AskKey),
            },
        },
    };

    // What is no id of a host is worth no complaint: nothing is decided by it.
    private static string? HostOf(string text) => text.Length is > 0 and <= 63 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_') ? text : null;

    private static PrefixView ToView(PrefixReport prefix, IPNetwork network) => new()
    {
        Prefix = network,
        AssignedRole = ToRole(prefix.AssignedRole),
        ReportedRole = prefix.Announced ? ToRole(prefix.ReportedRole) : null,
        Announced = prefix.Announced,
        WithdrawnReason = prefix.Announced ? null : prefix.WithdrawnReason switch
        {
            ProtoWithdrawn.Drained => WithdrawnReason.Drained,
            ProtoWithdrawn.Unhealthy => WithdrawnReason.Unhealthy,
            ProtoWithdrawn.AddressMissing => WithdrawnReason.AddressMissing,
            ProtoWithdrawn.NotAssigned => WithdrawnReason.NotAssigned,
            ProtoWithdrawn.Stopping => WithdrawnReason.Stopping,
            _ => null,
        },
        AddressPresent = prefix.AddressPresent,
        SessionsCarrying = Count(prefix.EstablishedSessionsCarrying),
        Health = ToHealth(prefix.Health),
        Damped = prefix.Damped,
        Failback = ToPolicy(prefix.FailbackPolicy) is { } policy ? Failback.Of(policy, TimeSpan.FromSeconds(Math.Min(prefix.StableSeconds, (uint)Failback.Longest.TotalSeconds))) : null,
        Hold = prefix.FailbackHold is { } hold
            ? new FailbackHold(hold.RemainingMs is >= 0 and <= LongestHoldMs ? TimeSpan.FromMilliseconds(hold.RemainingMs) : null, AgentText.Sentence(hold.Reason))
            : null,
    };

    private static CheckView ToView(CheckReport check, long takenAt) => new()
    {
        Name = AgentText.Word(check.Name),
        Kind = AgentText.Word(check.Kind),
        Verdict = ToHealth(check.Verdict),
        VerdictFor = Since(check.VerdictSinceUnixMs, takenAt),
        LastRunAgo = Since(check.LastRunUnixMs, takenAt),
        LastRunTook = TimeSpan.FromMilliseconds(check.LastRunMs),
        LastOutput = NullIfEmpty(AgentText.Output(check.LastOutput)),
        Consequence = AgentText.Word(check.Consequence),
        Prefixes = [.. check.Prefixes.Select(PrefixOf).OfType<IPNetwork>()],
    };

    /// <summary>By the node's own clock alone: how far it is from the hub's does not matter. A clock that was set back reads as no time.</summary>
    private static TimeSpan? Since(long unixMs, long takenAt) =>
        Time(unixMs) is { } then && Time(takenAt) is { } now ? now > then ? now - then : TimeSpan.Zero : null;

    private static SessionView ToView(SessionReport session) => new()
    {
        Neighbor = AgentText.Word(session.Neighbor),
        State = session.State switch
        {
            SessionState.Connect => BgpSessionState.Connect,
            SessionState.Active => BgpSessionState.Active,
            SessionState.OpenSent => BgpSessionState.OpenSent,
            SessionState.OpenConfirm => BgpSessionState.OpenConfirm,
            SessionState.Established => BgpSessionState.Established,
            _ => BgpSessionState.Idle,
        },
        StateSince = Time(session.StateSinceUnixMs),
        LastError = NullIfEmpty(AgentText.Sentence(session.LastError)),
        LastErrorAt = Time(session.LastErrorAtUnixMs),
        LastErrorFromPeer = session.LastErrorFromPeer,
        HoldTime = session.HoldTimeSeconds is 0 or > ushort.MaxValue ? null : TimeSpan.FromSeconds(session.HoldTimeSeconds),
        MessagesReceived = (long)Math.Min(session.MessagesReceived, long.MaxValue),
        MessagesSent = (long)Math.Min(session.MessagesSent, long.MaxValue),
        Flaps = Count(session.Flaps),
    };

    private static Health ToHealth(ProtoHealth health) => health switch { ProtoHealth.Healthy => Health.Healthy, ProtoHealth.Unhealthy => Health.Unhealthy, _ => Health.Unknown };

    private static FailbackPolicy? ToPolicy(ProtoFailback policy) => policy switch
    {
        ProtoFailback.Immediate => FailbackPolicy.Immediate,
        ProtoFailback.AfterStable => FailbackPolicy.AfterStable,
        ProtoFailback.Manual => FailbackPolicy.Manual,
        ProtoFailback.Sticky => FailbackPolicy.Sticky,
        _ => null,
    };

    // The parser clears bits beyond the length; an agent that sends them means something else than it says.
    private static IPNetwork? PrefixOf(string text) =>
        IPNetwork.TryParse(text, out var network) && IPAddress.TryParse(text.Split('/')[0], out var address) && address.Equals(network.BaseAddress) ? network : null;

    private static Parsed<ReportFacts> WrongPrefix(string text) => Wrong<ReportFacts>($"'{AgentText.Word(text)}' is no prefix, or has bits set beyond its length.");

    private static Role? ToRole(ProtoRole role) => role switch { ProtoRole.Primary => Role.Primary, ProtoRole.Secondary => Role.Secondary, _ => null };

    private static DateTimeOffset? Time(long unixMs) => unixMs is > 0 and <= LastUnixMs ? DateTimeOffset.FromUnixTimeMilliseconds(unixMs) : null;

    // A node whose clock is years off would else keep its events for ever, and have every search look through all of that time.
    private static DateTimeOffset Happened(long unixMs, DateTimeOffset now) =>
        Time(unixMs) is { } then && then <= now + TimeSpan.FromDays(2) && then >= now - TimeSpan.FromDays(400) ? then : now;

    private static int Count(uint value) => (int)Math.Min(value, int.MaxValue);

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;

    private static Parsed<T> Wrong<T>(string problem)
        where T : class => new(null, problem);

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\z", RegexOptions.CultureInvariant)]
    private static partial Regex NodeName();
}
