using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Web.Fleet;

/// <summary>One moment on two clocks: the wall's, to show and to store, and the machine's uptime, which no clock adjustment moves, to measure ages.</summary>
internal readonly record struct Moment(DateTimeOffset Wall, TimeSpan Uptime)
{
    public static Moment Of(TimeProvider time) =>
        new(time.GetUtcNow(), TimeSpan.FromTicks((long)(time.GetTimestamp() * ((double)TimeSpan.TicksPerSecond / time.TimestampFrequency))));
}

/// <summary>Everything that is known of the fleet: what was stored and what was heard. The present is computed from it.</summary>
internal sealed record FleetFacts
{
    public required ImmutableSortedDictionary<string, NodeFacts> Nodes { get; init; }

    /// <summary>By id.</summary>
    public required ImmutableSortedDictionary<string, PairFacts> Pairs { get; init; }

    /// <summary>What is frozen; one that is over may still be here for a moment.</summary>
    public ImmutableArray<FreezeFacts> Freezes { get; init; } = [];

    /// <summary>Who answers on shared addresses, by prefix; what is not asked, or does not answer, is absent.</summary>
    public ImmutableDictionary<IPNetwork, PrefixAnswer> Answers { get; init; } = ImmutableDictionary<IPNetwork, PrefixAnswer>.Empty;

    // One machine cannot be "Web-1" and "web-1": names differ in more than case.
    public static FleetFacts Empty { get; } = new()
    {
        Nodes = ImmutableSortedDictionary.Create<string, NodeFacts>(StringComparer.OrdinalIgnoreCase),
        Pairs = ImmutableSortedDictionary.Create<string, PairFacts>(StringComparer.Ordinal),
    };

    // Made when it is first asked for; a copy of these facts takes it along, and makes another one when its pairs are others.
    private MemberIndex? _byMember;

    public PairFacts? PairOf(string node)
    {
        var index = _byMember;
        if (index is null || !ReferenceEquals(index.Pairs, Pairs))
        {
            _byMember = index = new MemberIndex(Pairs);
        }

        return index.Find(node);
    }

    private sealed class MemberIndex
    {
        private readonly Dictionary<string, PairFacts> _pairs = new(StringComparer.OrdinalIgnoreCase);

        public MemberIndex(ImmutableSortedDictionary<string, PairFacts> pairs)
        {
            Pairs = pairs;
            foreach (var pair in pairs.Values)
            {
                foreach (var member in pair.Members)
                {
                    _pairs.TryAdd(member, pair);
                }
            }
        }

        public ImmutableSortedDictionary<string, PairFacts> Pairs { get; }

        public PairFacts? Find(string node) => _pairs.GetValueOrDefault(node);
    }
}

/// <summary>One node.</summary>
internal sealed record NodeFacts
{
    public required string Name { get; init; }

    public string AgentVersion { get; init; } = "";

    public string DataCenter { get; init; } = "";

    public string? RemoteAddress { get; init; }

    /// <summary>What the agent said it can when it last connected, in this run of the hub.</summary>
    public ImmutableArray<string> Capabilities { get; init; } = [];

    /// <summary>When the last report came; survives a restart of the hub.</summary>
    public DateTimeOffset? LastReportAt { get; init; }

    /// <summary>Who it is by the hub's table; null: it has no certificate.</summary>
    public IdentityFacts? Identity { get; init; }

    /// <summary>Why no stream of it is taken for a moment; null: it may connect.</summary>
    public string? Held { get; init; }

    /// <summary>The last sign that two machines use its identity, in this run of the hub.</summary>
    public CloneSign? CopySeen { get; init; }

    /// <summary>The last time that its certificate was turned away, in this run of the hub; null when it has got a new one since.</summary>
    public RefusalFacts? Refusal { get; init; }

    /// <summary>Runs of its agent that have connected with a certificate, in this run of the hub; the newest last.</summary>
    public ImmutableArray<string> Boots { get; init; } = [];

    /// <summary>End of life of the newest certificate that it has used in this run of the hub.</summary>
    public DateTimeOffset? NewestUsed { get; init; }

    /// <summary>The open stream, null: none.</summary>
    public StreamFacts? Stream { get; init; }

    /// <summary>When the last stream ended, in this run of the hub.</summary>
    public Moment? StreamEndedAt { get; init; }

    /// <summary>The newest report of this run of the hub; may be old.</summary>
    public ReportFacts? Report { get; init; }

    /// <summary>What the hub wants of it; null: nothing, it runs by its own configuration.</summary>
    public IntentFacts? Intent { get; init; }

    /// <summary>The newest intent that the node itself has shown to obey; null: none, it runs by its own configuration.</summary>
    public IntentFacts? Confirmed { get; init; }

    /// <summary>The stream that <see cref="Intent"/> was given to; null: none yet.</summary>
    public long? OfferedOn { get; init; }

    /// <summary>The newest revision that it was told and that was given up since, in this run of the hub: nobody sends it any more. 0: none was.</summary>
    public long GivenUp { get; init; }

    /// <summary>When the hub last took over from it a revision that it did not know, in this run of the hub; null: it has not.</summary>
    public Moment? AdoptedAt { get; init; }

    /// <summary>What was last told of addresses that it reports and that are of pairs it is not of, in this run of the hub; null: nothing.</summary>
    public ToldClaims? ToldClaims { get; init; }

    /// <summary>Its answer to the newest intent that it answered.</summary>
    public IntentAnswer? Answer { get; init; }

    /// <summary>Its answer to the last request that it answered.</summary>
    public NodeRequestAnswer? RequestAnswer { get; init; }

    /// <summary>
    /// What was released with that revision is known here: it is wanted, or something newer is, or it was given up already. Who waits only until he sees it wanted may
    /// wait for ever: a node that dials at the same moment without it is not told again, and nobody need have seen what was so between.
    /// </summary>
    public bool HasTakenIn(long revision) => Intent?.Revision >= revision || GivenUp >= revision;
}

/// <summary>An open stream of an agent.</summary>
/// <param name="Id">Unique within one run of the hub.</param>
/// <param name="BootId">The run of the agent that opened it.</param>
/// <param name="OpenedAt">When its Hello was accepted.</param>
/// <param name="LastMessageAt">When the last message came, of any kind.</param>
internal sealed record StreamFacts(long Id, string BootId, Moment OpenedAt, Moment LastMessageAt)
{
    /// <summary>What its certificate says; null: it has none.</summary>
    public StreamIdentity? Identity { get; init; }
}

/// <summary>A whole report, parsed.</summary>
internal sealed record ReportFacts
{
    public required ulong Sequence { get; init; }

    public required long IntentRevision { get; init; }

    public required bool Drained { get; init; }

    public required Health Health { get; init; }

    public required ImmutableArray<PrefixView> Prefixes { get; init; }

    public required ImmutableArray<SessionView> Sessions { get; init; }

    /// <summary>A command on the node itself drained it.</summary>
    public bool LocallyDrained { get; init; }

    public string? ConfigurationProblem { get; init; }

    public string? AddressProblem { get; init; }

    /// <summary>Id of the physical host that it runs on; null: it does not say.</summary>
    public string? Host { get; init; }

    /// <summary>UDP port on which it answers who it is; null: it does not.</summary>
    public int? IdentityPort { get; init; }

    /// <summary>What its configuration lets an intent ask; null: its agent does not say.</summary>
    public IntentLimits? Limits { get; init; }

    public ImmutableArray<CheckView> Checks { get; init; } = [];

    /// <summary>Given by the store on arrival.</summary>
    public Moment ReceivedAt { get; init; }

    /// <summary>The stream that it came on.</summary>
    public long StreamId { get; init; }

    /// <summary>A prefix is held back for a time that runs down: what is shown of it changes though nobody reports.</summary>
    public bool CountsDown => Prefixes.Any(p => p.Hold is { Remaining: not null });

    /// <summary>Says the same as the other, but for counters and what counts down.</summary>
    public bool SaysTheSameAs(ReportFacts other) =>
        (IntentRevision, Drained, LocallyDrained, Health, StreamId, ConfigurationProblem, Limits) == (other.IntentRevision, other.Drained, other.LocallyDrained, other.Health, other.StreamId, other.ConfigurationProblem, other.Limits)
        && (AddressProblem, IdentityPort, Host) == (other.AddressProblem, other.IdentityPort, other.Host)
        && Prefixes.Select(Uncounted).SequenceEqual(other.Prefixes.Select(Uncounted))
        && Checks.Length == other.Checks.Length
        && Checks.Zip(other.Checks).All(c => c.First.SaysTheSameAs(c.Second))
        && Sessions.Length == other.Sessions.Length
        && Sessions.Zip(other.Sessions).All(s => s.First with { MessagesReceived = 0, MessagesSent = 0 } == s.Second with { MessagesReceived = 0, MessagesSent = 0 });

    private PrefixLookup _lookup;

    /// <summary>What it says of the prefix; null: nothing.</summary>
    public PrefixView? Find(IPNetwork prefix) => _lookup.Find(Prefixes, prefix);

    private static PrefixView Uncounted(PrefixView prefix) =>
        prefix.Hold is { Remaining: not null } hold ? prefix with { Hold = hold with { Remaining = TimeSpan.Zero } } : prefix;
}

/// <summary>What one node should do, at one revision.</summary>
internal sealed record IntentFacts
{
    public required long Revision { get; init; }

    public required bool Drained { get; init; }

    public required ImmutableSortedDictionary<string, Role> Roles { get; init; }

    /// <summary>Failback policy by prefix; what is not here is left to the node's own configuration.</summary>
    public ImmutableSortedDictionary<string, Failback> Failback { get; init; } = NoFailback;

    /// <summary>Prefixes that are to be announced as primary now, whatever their failback policy holds.</summary>
    public ImmutableSortedSet<string> AtOnce { get; init; } = [];

    /// <summary>Ends a drain that was ordered on the node itself.</summary>
    public bool LiftLocalDrain { get; init; }

    /// <summary>It demotes a node that could not be reached, and waits for it: such a one may be told whenever it comes back.</summary>
    public bool OnReturn { get; init; }

    public string? OperationId { get; init; }

    public string Reason { get; init; } = "";

    public static ImmutableSortedDictionary<string, Failback> NoFailback { get; } = ImmutableSortedDictionary.Create<string, Failback>(StringComparer.Ordinal);

    /// <summary>
    /// The same to be told once more, later: what was meant for one moment is over. Who was to be primary at once then may have returned since,
    /// and what was drained on the node since was not meant.
    /// </summary>
    public IntentFacts WithoutTheMoment() => this with { AtOnce = [], LiftLocalDrain = false };

    public Role? RoleOf(IPNetwork prefix) => Roles.TryGetValue(prefix.ToString(), out var role) ? role : null;

    public static ImmutableSortedDictionary<string, Role> RolesFrom(IEnumerable<(IPNetwork Prefix, Role Role)> roles) =>
        roles.ToImmutableSortedDictionary(r => r.Prefix.ToString(), r => r.Role, StringComparer.Ordinal);
}

/// <summary>What a node says to an intent.</summary>
internal enum IntentOutcome
{
    /// <summary>UPDATE left on established sessions, or nothing had to change.</summary>
    Applied,

    /// <summary>Kept, but no session is up.</summary>
    AcceptedNotAnnounced,

    /// <summary>Not kept.</summary>
    Rejected,
}

/// <summary>A node's answer to one intent.</summary>
internal sealed record IntentAnswer(long Revision, IntentOutcome Outcome, int SessionsUpdated, string Reason);

/// <summary>A pair as found, with what the hub remembers of it.</summary>
internal sealed record PairFacts
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string DataCenter { get; init; }

    public required string? PreferredNode { get; init; }

    public required long Revision { get; init; }

    public required ImmutableSortedSet<string> Members { get; init; }

    public required ImmutableArray<IPNetwork> Prefixes { get; init; }

    /// <summary>The last planned move that succeeded.</summary>
    public PairMove? LastMove { get; init; }

    /// <summary>The failback policy that an operator has set; null: nobody has.</summary>
    public Failback? Failback { get; init; }

    /// <summary>The operation that is under way.</summary>
    public RunningOperation? Running { get; init; }

    /// <summary>The drill that is under way, whose moves are the operations that run meanwhile.</summary>
    public RunningOperation? Drill { get; init; }

    /// <summary>Last inferred active node by prefix: among equal announcers the one that was there first keeps the address.</summary>
    public ImmutableSortedDictionary<string, string> Active { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
}

/// <summary>A planned move that succeeded.</summary>
internal sealed record PairMove(string To, string By, string OperationId, DateTimeOffset At);

/// <summary>An operation as the fleet sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Title">In words.</param>
/// <param name="MovesTraffic">It is moving the address.</param>
internal sealed record RunningOperation(string Id, string Title, bool MovesTraffic);

/// <summary>Somebody wants nothing to be done for a while.</summary>
/// <param name="Scope">Id of the pair, or <see cref="All"/>.</param>
/// <param name="Until">When it ends by itself, by the hub's wall clock: it survives a restart.</param>
/// <param name="By">Who asked for it.</param>
/// <param name="Reason">Why.</param>
/// <param name="OperationId">The operation that set it.</param>
internal sealed record FreezeFacts(string Scope, DateTimeOffset Until, string By, string Reason, string OperationId)
{
    /// <summary>Scope of a freeze of all pairs.</summary>
    public const string All = "*";

    /// <summary>The one that holds for the pair now and ends last; null: none. Without a pair: of all pairs.</summary>
    public static FreezeView? InForce(IEnumerable<FreezeFacts> freezes, string? pairId, DateTimeOffset now) =>
        freezes.Where(f => (f.Scope == All || f.Scope == pairId) && f.Until > now).MaxBy(f => f.Until) is { } freeze
            ? new FreezeView(freeze.Until, freeze.By, freeze.Reason, freeze.Scope == All)
            : null;
}

/// <summary>Something that a node is asked to do once, now; nothing of it is kept.</summary>
/// <param name="Id">The answer carries it.</param>
/// <param name="Neighbor">The session that is to be reset.</param>
/// <param name="OperationId">For the node's journal.</param>
/// <param name="Reason">For the node's journal, and the neighbor's log.</param>
internal sealed record SessionResetOrder(string Id, string Neighbor, string OperationId, string Reason);

/// <summary>What a node says to a request.</summary>
/// <param name="Id">Of the request.</param>
/// <param name="Done">It did what it was asked.</param>
/// <param name="Text">What it did, or why not.</param>
internal sealed record NodeRequestAnswer(string Id, bool Done, string Text);
