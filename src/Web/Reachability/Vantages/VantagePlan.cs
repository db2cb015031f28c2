using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Reachability.Targets;

namespace FailoverHub.Web.Reachability.Vantages;

/// <summary>In which way a node asks. A closed family.</summary>
internal abstract record VantageWay
{
    private VantageWay()
    {
    }

    /// <summary>ICMP echo.</summary>
    public sealed record Icmp : VantageWay;

    /// <summary>TCP connect.</summary>
    /// <param name="Port">1 to 65535.</param>
    public sealed record Tcp(int Port) : VantageWay;

    /// <summary>GET of what an operator has added.</summary>
    public sealed record Http(NamedTarget Target) : VantageWay;
}

/// <summary>One target that a node asks.</summary>
/// <param name="Id">Of the hub's choice, the same as long as the target stays in the plans of one stream and is asked in the same way.</param>
/// <param name="Target">Id of the target.</param>
/// <param name="Address">Without a zone; null: a URL whose name is looked up for each probe.</param>
/// <param name="Way">How.</param>
/// <param name="Interval">From one probe to the next, 100 ms to 1 h.</param>
/// <param name="Timeout">An answer has to come within that, 50 ms to 10 s.</param>
internal sealed record VantageTask(uint Id, string Target, IPAddress? Address, VantageWay Way, TimeSpan Interval, TimeSpan Timeout);

/// <summary>What one node asks: all of it; the newest plan replaces the one before.</summary>
internal sealed class VantagePlan(ulong revision, ImmutableArray<VantageTask> tasks)
{
    private readonly FrozenDictionary<uint, VantageTask> _byId = tasks.ToFrozenDictionary(t => t.Id);

    /// <summary>Nothing is asked.</summary>
    public static VantagePlan Empty { get; } = new(0, []);

    /// <summary>Grows within one stream, from 1.</summary>
    public ulong Revision { get; } = revision;

    public ImmutableArray<VantageTask> Tasks { get; } = tasks;

    /// <summary>One of the tasks, or null.</summary>
    public VantageTask? Find(uint id) => _byId.GetValueOrDefault(id);
}

/// <summary>What a node says came of one probe.</summary>
/// <param name="Task">Which task.</param>
/// <param name="Age">From sending the probe until the batch was made, by the node's own clock.</param>
/// <param name="RoundTrip">Null: no answer came.</param>
/// <param name="Error">Why not, printable and at most 200 characters; null: nothing came, or it was answered.</param>
internal readonly record struct VantageResult(uint Task, TimeSpan Age, TimeSpan? RoundTrip, string? Error);

/// <summary>A task that a node cannot ask at all.</summary>
/// <param name="Task">Which.</param>
/// <param name="Text">Why not, printable.</param>
internal readonly record struct VantageProblem(uint Task, string Text);

/// <summary>What a node tells at once.</summary>
/// <param name="Results">Oldest first.</param>
/// <param name="Problems">All that there are now.</param>
/// <param name="Dropped">Results that the node has given up since the batch before.</param>
/// <param name="Cut">Results beyond what a batch may have.</param>
/// <param name="Made">When it was made, by a clock of the node that nothing else is known of; null: it does not say.</param>
internal sealed record VantageBatch(ImmutableArray<VantageResult> Results, ImmutableArray<VantageProblem> Problems, long Dropped = 0, int Cut = 0, TimeSpan? Made = null);
