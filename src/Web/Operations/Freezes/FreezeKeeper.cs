using System.Collections.Immutable;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Running;

namespace FailoverHub.Web.Operations.Freezes;

/// <summary>
/// Carries out what freezes mean: ends those whose time is over, with an audit entry, and tells nodes of frozen pairs to hold failback until an
/// operator says so, and afterwards what they kept before. It looks at every new snapshot and acts on the difference, so that a node that was
/// away is told when it comes back, and a restart of the hub needs no special case. One task, from <see cref="StartAsync"/> to its disposal.
/// </summary>
internal sealed partial class FreezeKeeper(OperationServices services, FreezeStore store, FreezeDesk desk, ILogger<FreezeKeeper> logger) : IAsyncDisposable
{
    private static readonly Actor Hub = new("hub", null, null);

    /// <summary>
    /// A node that has rejected what a freeze means for it (its disk is full, perhaps), or confirms it and does something else, is told again after this; then after twice as long, and so on: each time is an
    /// intent and an audit entry, and it reports each second.
    /// </summary>
    public static readonly TimeSpan FirstAgain = TimeSpan.FromSeconds(5);

    /// <summary>The longest that it is left alone.</summary>
    public static readonly TimeSpan LastAgain = TimeSpan.FromMinutes(10);

    // Of nodes that were told in vain: which revision, how often in a row, and when they are told again. Used by the loop only.
    private readonly Dictionary<string, (long Revision, int Times, TimeSpan DueAt)> _inVain = new(StringComparer.OrdinalIgnoreCase);

    private readonly CancellationTokenSource _stopping = new();
    private ImmutableDictionary<string, ImmutableSortedDictionary<string, Failback>> _held = ImmutableDictionary<string, ImmutableSortedDictionary<string, Failback>>.Empty;
    private Task _loop = Task.CompletedTask;

    /// <summary>Takes up what an earlier run of the hub left behind.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _held = await store.HeldAsync(cancellationToken);
        _loop = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>What a node kept before a freeze is kept under its new name. Whoever calls it holds the lock of admission, and has stored it.</summary>
    public void Renamed(string old, string name)
    {
        if (_held.TryGetValue(old, out var before))
        {
            _held = _held.Remove(old).SetItem(name, before);
        }
    }

    /// <summary>The node is no more. Whoever calls it holds the lock of admission, and has stored it.</summary>
    public void Removed(string node) => _held = _held.Remove(node);

    public async ValueTask DisposeAsync()
    {
        if (!_stopping.IsCancellationRequested)
        {
            await _stopping.CancelAsync();
            await _loop;
        }
    }

    private async Task RunAsync()
    {
        try
        {
            await foreach (var state in services.Fleet.WatchStateAsync(_stopping.Token))
            {
                if (state.Facts.Freezes.Any(f => f.Until <= state.Snapshot.At) || DueOrders(state).Count > 0)
                {
                    await ActAsync();
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The hub is stopping.
        }
        catch (Exception defect)
        {
            LogDefect(logger, defect);
        }
    }

    // Under the lock of admission: what a node is told must not cross what an operation tells it.
    private async Task ActAsync()
    {
        await services.Admission.WaitAsync(_stopping.Token);
        var stored = true;
        try
        {
            var state = services.Fleet.State;
            foreach (var over in state.Facts.Freezes.Where(f => f.Until <= state.Snapshot.At))
            {
                await ExpireAsync(over, state);
            }

            foreach (var order in DueOrders(services.Fleet.State))
            {
                await TellAsync(order);
            }
        }
        catch (Exception e) when (StorageFaults.MayPass(e))
        {
            LogNotStored(logger, e);
            stored = false;
        }
        finally
        {
            services.Admission.Release();
        }

        if (!stored)
        {
            await services.RestForDiskAsync(_stopping.Token);
        }
    }

    private async Task ExpireAsync(FreezeFacts over, FleetState state)
    {
        var pair = state.Snapshot.Pairs.FirstOrDefault(p => p.Id == over.Scope);
        var draft = new AuditDraft
        {
            Actor = Hub,
            Action = "freeze-expired",
            Target = over.Scope == FreezeFacts.All ? "all pairs" : AuditTarget.Pair(pair?.Name ?? over.Scope),
            Reason = $"Its time was over at {FreezeTarget.Time(over.Until)}; {over.By} had frozen it: {over.Reason}",
            Outcome = "accepted",
            CorrelationId = over.OperationId,
        };
        await store.EndAsync(over.Scope, draft, null, _stopping.Token);
        var whatIsOver = over.Scope == FreezeFacts.All ? "All pairs are" : pair is null ? $"A pair that there is no more ({over.Scope}) is" : $"{pair.Name} is";
        services.Feed.Tell(EventKinds.FreezeExpired, pair?.Name, over.OperationId, $"{whatIsOver} no longer frozen: the time that {over.By} gave is over.");
        await desk.PublishAsync(services.Fleet.State.Facts.Freezes.Remove(over));
    }

    private async Task TellAsync(FailbackOrder order)
    {
        if (order.Wanted is not { } wanted)
        {
            await store.ForgetAsync(order.Node, _stopping.Token);
            _held = _held.Remove(order.Node);
            return;
        }

        var intent = await store.TellAsync(order, wanted, Hub, services.Fleet.Current, _stopping.Token);
        if (_inVain.GetValueOrDefault(order.Node) is { Times: 1 } && !HasRejected(services.Fleet.State.Facts.Nodes.GetValueOrDefault(order.Node)))
        {
            services.Feed.Tell(EventKinds.FailbackNotKept, order.Pair.Name, order.Freeze, $"{order.Node} has confirmed its failback policies, and reports others. It is told again, after longer each time: look at its agent's log.", EventSeverity.Warning);
        }

        if (order.Before is { } before && !_held.ContainsKey(order.Node))
        {
            _held = _held.Add(order.Node, before);
        }

        await services.Fleet.PostAsync(new FleetMessage.IntentReleased(order.Node, intent), _stopping.Token);
        await services.Fleet.WaitUntilAsync(s => s.Facts.Nodes.GetValueOrDefault(order.Node) is not { } node || node.HasTakenIn(intent.Revision), _stopping.Token);
        LogTold(logger, order.Node, order.Reason);
    }

    private List<FailbackOrder> DueOrders(FleetState state)
    {
        var now = Moment.Of(services.Time).Uptime;
        return [.. Orders(state, _held).Where(o => IsDue(state.Facts.Nodes.GetValueOrDefault(o.Node), o, now))];
    }

    private bool IsDue(NodeFacts? node, FailbackOrder order, TimeSpan now)
    {
        var name = order.Node;
        if (node?.Intent is not { } intent || !(HasRejected(node) || WasToldThat(intent, order)))
        {
            _inVain.Remove(name);
            return true;
        }

        if (!_inVain.TryGetValue(name, out var known) || known.Revision != intent.Revision)
        {
            var wait = Math.Min(FirstAgain.TotalSeconds * Math.Pow(2, Math.Min(known.Times, 16)), LastAgain.TotalSeconds);
            _inVain[name] = known = (intent.Revision, known.Times + 1, now + TimeSpan.FromSeconds(wait));
        }

        return now >= known.DueAt;
    }

    // Only what belongs to no operation: what an operation asked for and the node rejected is that one's, and over with it.
    private static bool HasRejected(NodeFacts? node) =>
        node is { Intent: { OperationId: null } intent, Answer: { Outcome: IntentOutcome.Rejected } answer } && answer.Revision == intent.Revision;

    private static bool WasToldThat(IntentFacts intent, FailbackOrder order) => intent.OperationId is null && order.Wanted is { } wanted && intent.Failback.SequenceEqual(wanted.Failback);

    /// <summary>What has to be told to whom. Only to nodes that are there and obey what they were last told, or have rejected it, and while no operation tells them something else. Pure.</summary>
    internal static IEnumerable<FailbackOrder> Orders(FleetState state, ImmutableDictionary<string, ImmutableSortedDictionary<string, Failback>> held)
    {
        foreach (var pair in state.Snapshot.Pairs.Where(p => p.OperationId is null))
        {
            var freeze = state.Facts.Freezes.Where(f => (f.Scope == FreezeFacts.All || f.Scope == pair.Id) && f.Until > state.Snapshot.At).MaxBy(f => f.Until)?.OperationId;
            foreach (var node in pair.Members.Select(m => m.Node).Where(n => n is { IsFresh: true, KeepsFailback: true } && (n.ReportedRevision >= n.IntentRevision || HasRejected(state.Facts.Nodes.GetValueOrDefault(n.Name)))))
            {
                var now = NodeWanted.Of(pair, node);
                var inForce = IntentFacts.NoFailback.SetItems(node.Prefixes.Where(p => now.Roles.ContainsKey(p.Prefix.ToString()) && p.Failback is not null).Select(p => KeyValuePair.Create(p.Prefix.ToString(), p.Failback!)));
                if (pair.Freeze is not null)
                {
                    if (inForce.Values.Any(MovesByItself))
                    {
                        // What has a policy that never moves anything by itself keeps it.
                        yield return new FailbackOrder(
                            node.Name,
                            (pair.Id, pair.Name),
                            now with { Failback = now.Failback.SetItems(inForce.Select(f => KeyValuePair.Create(f.Key, MovesByItself(f.Value) ? Failback.Of(FailbackPolicy.Manual, TimeSpan.Zero) : f.Value))) },
                            now.Failback,
                            $"Frozen by {pair.Freeze.By}: {pair.Freeze.Reason}") { Holds = true, Freeze = freeze };
                    }
                }
                else if (held.TryGetValue(node.Name, out var before))
                {
                    var back = now.Failback.SetItems(before.Where(f => now.Roles.ContainsKey(f.Key)).Select(f => KeyValuePair.Create(f.Key, pair.FailbackIsSet ? pair.Failback : f.Value)));
                    yield return inForce.All(f => back.GetValueOrDefault(f.Key) == f.Value)
                        ? new FailbackOrder(node.Name, (pair.Id, pair.Name), null, now.Failback, "It keeps what it kept before.")
                        : new FailbackOrder(node.Name, (pair.Id, pair.Name), now with { Failback = back }, now.Failback, "No longer frozen");
                }
            }
        }
    }

    private static bool MovesByItself(Failback failback) => failback.Policy is FailbackPolicy.Immediate or FailbackPolicy.AfterStable;

    [LoggerMessage(Level = LogLevel.Information, Message = "{Node} is told other failback policies: {Why}")]
    private static partial void LogTold(ILogger logger, string node, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "What a freeze means for the nodes could not be stored; it is tried again")]
    private static partial void LogNotStored(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Critical, Message = "A defect of the hub: freezes hold, but until the next start none of them ends by itself, and nodes are not told of them")]
    private static partial void LogDefect(ILogger logger, Exception exception);
}

/// <summary>What a node is to be told because of a freeze, or because it is over.</summary>
/// <param name="Node">Whom.</param>
/// <param name="Pair">Of which pair.</param>
/// <param name="Wanted">All that is wanted of it; null: nothing more, it has its policies again.</param>
/// <param name="Now">The policies that were wanted of it until now.</param>
/// <param name="Reason">For the node's journal and the audit.</param>
internal sealed record FailbackOrder(string Node, (string Id, string Name) Pair, NodeWanted? Wanted, ImmutableSortedDictionary<string, Failback> Now, string Reason)
{
    /// <summary>It is to hold failback; else it is no longer frozen.</summary>
    public bool Holds { get; init; }

    /// <summary>The operation that has frozen it, where that is known.</summary>
    public string? Freeze { get; init; }

    /// <summary>What it is to have again afterwards; null: that is known.</summary>
    public ImmutableSortedDictionary<string, Failback>? Before => Holds ? Now : null;
}
