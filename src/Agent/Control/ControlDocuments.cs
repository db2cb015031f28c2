using System.Text.Json;
using System.Text.Json.Serialization;
using FailoverHub.Agent.Identity;

namespace FailoverHub.Agent.Control;

/// <summary>
/// What is asked, in one line of JSON: <c>{"command":"status"}</c>, <c>{"command":"trace","neighbor":"2001:db8::1"}</c>,
/// <c>{"command":"role","prefix":"203.0.113.10/32","role":"secondary","reason":"kernel update"}</c>.
/// </summary>
internal sealed record ControlRequest(string? Command, string? Neighbor = null)
{
    /// <summary>Of <c>role</c> and <c>failback</c>; null: all.</summary>
    public string? Prefix { get; init; }

    /// <summary>Of <c>role</c>: <c>primary</c>, <c>secondary</c> or <c>default</c>.</summary>
    public string? Role { get; init; }

    /// <summary>Of a command that changes something: why.</summary>
    public string? Reason { get; init; }
}

/// <summary>What is answered, in one line of JSON: one of these.</summary>
internal sealed record ControlAnswer
{
    /// <summary>Why there is no other answer, in a sentence.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StatusDocument? Status { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TraceDocument? Trace { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CommandDocument? Command { get; init; }
}

/// <summary>What came of a command that changes something.</summary>
/// <param name="Outcome"><c>applied</c>, <c>accepted-not-announced</c>, <c>begun</c> (the node's disk has still to take it) or <c>refused</c>.</param>
/// <param name="Text">What is different now, or how far it has come, in a sentence; empty: it was refused.</param>
/// <param name="Changed">The neighbors are told something.</param>
/// <param name="SessionsUpdated">Established sessions on which it is written. Not: a router chose it.</param>
/// <param name="SessionsEstablished">Of those that are up.</param>
/// <param name="Reason">Why it was refused, or why no neighbor was told; null: neither.</param>
internal sealed record CommandDocument(string Outcome, string Text, bool Changed, int SessionsUpdated, int SessionsEstablished, string? Reason);

/// <summary>The node at one moment. Times are UTC; ages and lengths of time are in seconds.</summary>
internal sealed record StatusDocument
{
    public required string Node { get; init; }

    public required string Version { get; init; }

    public required int ProcessId { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset ReadAt { get; init; }

    /// <summary><c>running</c>, <c>graceful-shutdown</c> or <c>stopping</c>.</summary>
    public required string State { get; init; }

    /// <summary>What this status lacks, and why; null: nothing.</summary>
    public string? Problem { get; init; }

    /// <summary>Why the newest configuration was not taken, in sentences; null: it was.</summary>
    public string? ConfigurationProblem { get; init; }

    /// <summary>Which address the kernel does not add or take off, in a sentence; null: none.</summary>
    public string? AddressProblem { get; init; }

    public required string RouterId { get; init; }

    public required uint LocalAs { get; init; }

    public required uint PeerAs { get; init; }

    /// <summary>Null: stand-alone.</summary>
    public string? Hub { get; init; }

    /// <summary>Null: stand-alone.</summary>
    public HubDocument? HubLink { get; init; }

    /// <summary>What it asks for its hub; null: it is stand-alone, or <c>--probing off</c>.</summary>
    public ProbingDocument? Probing { get; init; }

    /// <summary>Why what a join has given this node cannot be used; null: it can, or there was no join.</summary>
    public string? JoinProblem { get; init; }

    /// <summary>How segments are signed, null: not at all. Never the key.</summary>
    public string? Authentication { get; init; }

    public int? TtlSecurity { get; init; }

    /// <summary>Flapping prefixes are held back.</summary>
    public required bool DampingOn { get; init; }

    /// <summary>By whoever.</summary>
    public required bool Drained { get; init; }

    /// <summary>By the intent, or by one that cannot be read any more.</summary>
    public bool DrainedByIntent { get; init; }

    /// <summary>By a command on this node; null: none drains it.</summary>
    public LocalDrainDocument? LocalDrain { get; init; }

    /// <summary>What was ordered on this node cannot be read: nothing is announced as primary that is not ordered anew or named by a newer intent.</summary>
    public bool OrdersLost { get; init; }

    /// <summary>Null: it runs by its configuration.</summary>
    public IntentDocument? Intent { get; init; }

    /// <summary>An intent was kept and cannot be read: until the hub sends another, everything is announced at most as secondary.</summary>
    public bool IntentLost { get; init; }

    public GracefulShutdownDocument? GracefulShutdown { get; init; }

    /// <summary>What the metadata service said last; null: nothing.</summary>
    public MachineDocument? Machine { get; init; }

    public required IReadOnlyList<PrefixDocument> Prefixes { get; init; }

    /// <summary>In the order of the configuration.</summary>
    public IReadOnlyList<CheckDocument> Checks { get; init; } = [];

    public required IReadOnlyList<SessionDocument> Sessions { get; init; }
}

/// <param name="Actor">Who ordered it; null: nobody knows, it is presumed because the file of the orders cannot be read.</param>
/// <param name="Reason">Why, empty: no reason was given.</param>
/// <param name="At">When.</param>
/// <param name="AgeSeconds">How long ago that is, by the wall clock.</param>
internal sealed record LocalDrainDocument(string? Actor, string Reason, DateTimeOffset At, double AgeSeconds);

/// <param name="Role">What it is to be.</param>
/// <param name="Actor">Who ordered it.</param>
/// <param name="Reason">Why, empty: no reason was given.</param>
/// <param name="At">When.</param>
internal sealed record RoleOrderDocument(string Role, string Actor, string Reason, DateTimeOffset At);

internal sealed record IntentDocument(ulong Revision, string OperationId, string Reason);

/// <param name="Region">Of the platform; null: not said.</param>
/// <param name="Label">Name of the machine at the platform; null: not said.</param>
/// <param name="HostId">Of the physical host; null: not said.</param>
/// <param name="Source">The machine's own IPv6 address; null: it has none.</param>
/// <param name="Shared">Prefixes of another machine that are shared with this one.</param>
/// <param name="ReadAt">When it was said.</param>
/// <param name="AgeSeconds">How long ago that is.</param>
/// <param name="Text">All of it in one line.</param>
internal sealed record MachineDocument(
    string? Region, string? Label, string? HostId, string? Source, IReadOnlyList<string> Shared, DateTimeOffset ReadAt, double AgeSeconds, string Text);

/// <param name="Then"><c>drain</c> or <c>stop</c>.</param>
/// <param name="Cause">In words.</param>
/// <param name="Since">When it began.</param>
/// <param name="Until">When it ends.</param>
/// <param name="SecondsLeft">Until everything is withdrawn.</param>
internal sealed record GracefulShutdownDocument(string Then, string Cause, DateTimeOffset Since, DateTimeOffset Until, double SecondsLeft);

internal sealed record PrefixDocument
{
    public required string Prefix { get; init; }

    /// <summary><c>primary</c>, <c>secondary</c> or null.</summary>
    public string? AssignedRole { get; init; }

    public required bool AddressPresent { get; init; }

    /// <summary>Of its checks: <c>healthy</c>, <c>unhealthy</c> or <c>unknown</c>, also without any.</summary>
    public string Health { get; init; } = "unknown";

    /// <summary>Not announced before a check has its first verdict.</summary>
    public bool AwaitsVerdict { get; init; }

    public required bool Announced { get; init; }

    /// <summary>What it is announced as, null: it is not.</summary>
    public string? Role { get; init; }

    /// <summary>Announced with GRACEFUL_SHUTDOWN (RFC 8326).</summary>
    public required bool GracefulShutdown { get; init; }

    /// <summary>One of <c>drained</c>, <c>unhealthy</c>, <c>address-missing</c>, <c>not-assigned</c>, <c>stopping</c>; null: it is announced.</summary>
    public string? WithdrawnReason { get; init; }

    /// <summary>Established sessions that have it.</summary>
    public required int SessionsCarrying { get; init; }

    /// <summary>Null: it was steady.</summary>
    public DampingDocument? Damping { get; init; }

    /// <summary><c>immediate</c>, <c>after-stable</c>, <c>manual</c> or <c>sticky</c>: what becomes of it when it returns as an assigned primary.</summary>
    public required string FailbackPolicy { get; init; }

    /// <summary>Of <c>after-stable</c>.</summary>
    public required double FailbackStableSeconds { get; init; }

    /// <summary>Null: nothing is held back.</summary>
    public FailbackHoldDocument? FailbackHold { get; init; }

    /// <summary>A command on this node that gives it its role; null: none does.</summary>
    public RoleOrderDocument? RoleOrder { get; init; }
}

/// <summary>An assigned primary that has returned and is announced as secondary for now.</summary>
/// <param name="Returned">From what, in words.</param>
/// <param name="SecondsLeft">If nothing breaks until then; null: until an operator fails back, or not counting because no session is established.</param>
internal sealed record FailbackHoldDocument(string Returned, double? SecondsLeft);

/// <param name="Penalty">As it has decayed by now.</param>
/// <param name="Flaps">That it comes from.</param>
/// <param name="Suppressed">It is not announced before <paramref name="Until"/>, whatever its address does.</param>
/// <param name="HeldBack">Nothing else keeps it from being announced.</param>
/// <param name="Until">If it is steady until then; null: it is not suppressed.</param>
/// <param name="SecondsLeft">Until then.</param>
internal sealed record DampingDocument(double Penalty, int Flaps, bool Suppressed, bool HeldBack, DateTimeOffset? Until, double? SecondsLeft);

internal sealed record SessionDocument
{
    public required string Neighbor { get; init; }

    /// <summary><c>idle</c>, <c>connect</c>, <c>active</c>, <c>open-sent</c>, <c>open-confirm</c> or <c>established</c>.</summary>
    public required string State { get; init; }

    public DateTimeOffset? Since { get; init; }

    public double? AgeSeconds { get; init; }

    /// <summary>Since when it is not established, over all dials in between; null: it is.</summary>
    public DateTimeOffset? DownSince { get; init; }

    public double? DownSeconds { get; init; }

    /// <summary>Why it went there, in words.</summary>
    public string? Reason { get; init; }

    public DateTimeOffset? NextDialAt { get; init; }

    public int TimesEstablished { get; init; }

    /// <summary>How often it was lost after it had come up.</summary>
    public int Flaps { get; init; }

    public int FailuresInARow { get; init; }

    public NegotiatedDocument? Negotiated { get; init; }

    public MessagesDocument? Sent { get; init; }

    public MessagesDocument? Received { get; init; }

    /// <summary>Prefixes that the neighbor has from us; while its output is blocked, those before what waits.</summary>
    public int PrefixesAnnounced { get; init; }

    /// <summary>Prefixes that this session cannot carry, and why, in sentences.</summary>
    public required IReadOnlyList<string> NotCarried { get; init; }

    public ErrorDocument? LastError { get; init; }

    public NotificationDocument? LastNotificationSent { get; init; }

    public NotificationDocument? LastNotificationReceived { get; init; }

    /// <summary>UPDATEs of the neighbor that were wrong without ending the session (RFC 7606).</summary>
    public long MalformedUpdates { get; init; }

    public string? LastUpdateProblem { get; init; }

    public DateTimeOffset? LastUpdateProblemAt { get; init; }

    public double? LastUpdateProblemAgeSeconds { get; init; }

    /// <summary>Since when the neighbor takes nothing of our output; null: nothing waits.</summary>
    public DateTimeOffset? OutputBlockedSince { get; init; }

    public LatenessDocument? KeepaliveLateness { get; init; }
}

internal sealed record NegotiatedDocument
{
    public required uint PeerAs { get; init; }

    public required string PeerRouterId { get; init; }

    public required double HoldSeconds { get; init; }

    public required double KeepaliveSeconds { get; init; }

    /// <summary><c>ipv4-unicast</c>, <c>ipv6-unicast</c>.</summary>
    public required IReadOnlyList<string> Families { get; init; }

    public required bool FourOctetAs { get; init; }

    public required bool Ipv4WithIpv6NextHop { get; init; }

    public required bool RouteRefresh { get; init; }

    public required bool EnhancedRouteRefresh { get; init; }

    public required bool ExtendedMessages { get; init; }

    public required bool GracefulRestart { get; init; }

    public required bool GracefulNotification { get; init; }
}

internal sealed record MessagesDocument(long Total, long Open, long Update, long Notification, long Keepalive, long RouteRefresh, long RefreshMarks);

/// <param name="At">When it happened.</param>
/// <param name="AgeSeconds">How long ago that is.</param>
/// <param name="Text">In words.</param>
/// <param name="From"><c>neighbor</c> or <c>this-node</c>: who said so.</param>
/// <param name="Code">Of the NOTIFICATION (RFC 4271 4.5), 0: there was none.</param>
/// <param name="Subcode">Likewise.</param>
/// <param name="Advice">What can be done about it; null: nothing is known that the text does not say.</param>
internal sealed record ErrorDocument(DateTimeOffset At, double AgeSeconds, string Text, string From, int Code, int Subcode, string? Advice);

internal sealed record NotificationDocument(DateTimeOffset At, double AgeSeconds, int Code, int Subcode, string Text);

/// <summary>How late keepalives left, in milliseconds.</summary>
/// <param name="LastMilliseconds">The last one.</param>
/// <param name="Most99Milliseconds">99 of 100 were not later, to a factor of two.</param>
/// <param name="WorstMilliseconds">The latest of all.</param>
internal sealed record LatenessDocument(double LastMilliseconds, double Most99Milliseconds, double WorstMilliseconds);

/// <summary>The last messages of one neighbor, or of all: 200 rows of each, in the order of their times.</summary>
internal sealed record TraceDocument(IReadOnlyList<TraceRowDocument> Messages);

/// <param name="Neighbor">Whose session.</param>
/// <param name="At">Of the message, or of the first of a run of keepalives.</param>
/// <param name="LastAt">Of the last of a run; else as <paramref name="At"/>.</param>
/// <param name="Direction"><c>sent</c> or <c>received</c>.</param>
/// <param name="Type"><c>open</c>, <c>update</c>, <c>notification</c>, <c>keepalive</c>, <c>route-refresh</c>, or <c>refused</c>: a header that is none.</param>
/// <param name="Length">Octets with the header.</param>
/// <param name="Connection">Which connection to this neighbor, from 1.</param>
/// <param name="Count">More than 1: so many keepalives, the last at <paramref name="LastAt"/>.</param>
/// <param name="Text">The message in one line.</param>
internal sealed record TraceRowDocument(
    string Neighbor, DateTimeOffset At, DateTimeOffset LastAt, string Direction, string Type, int Length, int Connection, long Count, string Text);

// Source-generated: reflection would not survive publishing as native code.
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(ControlAnswer))]
internal sealed partial class ControlJson : JsonSerializerContext
{
    /// <summary>For people: indented.</summary>
    public static ControlJson Readable { get; } = new(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true });
}
