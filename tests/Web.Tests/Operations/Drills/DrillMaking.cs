using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Drills;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Fleet;

namespace FailoverHub.Web.Tests.Operations.Drills;

/// <summary>A drill, and what it is asked of and waited for in tests.</summary>
internal static class DrillMaking
{
    public static readonly OperationRequest Drill = new() { Type = OperationType.Drill, Pair = "web", Reason = "monthly drill" };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    // What is known of nodes is written a moment later than operations are.
    public static async Task KeepDataAsync(OperationRig rig)
    {
        await rig.Hub.Writer.FlushAsync(Stop);
        rig.CopyData();
    }

    /// <summary>Both nodes come back to a hub that was started anew, as they were left: one of them primary, and obeying what it was last told.</summary>
    public static async Task DialAsync(OperationRig rig, string primary)
    {
        foreach (var node in (string[])["web-1", "web-2"])
        {
            var revision = rig.Hub.Fleet.State.Facts.Nodes.GetValueOrDefault(node)?.Intent?.Revision ?? 0;
            var agent = await FakeAgent.StartAsync(rig.Hub.AgentUrl, node, node == primary ? Protos.V1.Role.Primary : Protos.V1.Role.Secondary, revision: (ulong)revision);
            if (node == "web-1")
            {
                rig.A = agent;
            }
            else
            {
                rig.B = agent;
            }
        }

        await rig.Hub.UntilAsync(s => s.FindPair("web") is { } pair && pair.Members.All(m => m.Node.IsFresh));
    }

    /// <summary>It has gone there and measures: virtual time stands still, so it stays there.</summary>
    public static async Task AwayAsync(OperationRig rig, string id)
    {
        var now = await rig.Hub.UntilAsync(id, o => o.IsFinished || o.Steps[DrillTarget.MeasureThere].Status == StepStatus.Running);
        Assert.False(now.IsFinished, Described(now));
    }

    /// <summary>Time passes only while it is measured or waited for: a move has a deadline, and virtual time does not wait for the disk.</summary>
    public static async Task<OperationView> EndAsync(OperationRig rig, string id, params FakeAgent[] reporting)
    {
        while (true)
        {
            var now = await rig.Hub.UntilAsync(id, o => o.IsFinished || NeedsTime(o));
            if (now.IsFinished)
            {
                return now;
            }

            await rig.PassTimeUntilAsync(id, o => o.IsFinished || !NeedsTime(o), reporting is [] ? [rig.A, rig.B] : reporting);
        }
    }

    private static bool NeedsTime(OperationView drill) =>
        drill.Steps[DrillTarget.MeasureThere].Status == StepStatus.Running
        || drill.Steps[DrillTarget.MeasureBack].Status == StepStatus.Running
        || drill.Steps[DrillTarget.FailBack] is { Status: StepStatus.Running, Detail: { } said } && said.StartsWith("Not yet", StringComparison.Ordinal);

    public static string Described(OperationView drill) =>
        string.Join(Environment.NewLine, [$"{drill.Status}: {drill.Outcome}", .. drill.Steps.Select(s => $"{s.Title}: {s.Status}, {s.StartedAt:HH:mm:ss} to {s.FinishedAt:HH:mm:ss}. {s.Detail}")]);

    /// <summary>The hub lost one probe of three, a node two of thirty: it looked ten times as often.</summary>
    internal sealed class TwoVantagePoints : IMoveMeter
    {
        private static readonly DateTimeOffset At = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

        public Task<bool> IsKeptAsync(string operation, CancellationToken cancellationToken) => Task.FromResult(true);

        public Task<ImmutableArray<OutageRecord>> OfOperationAsync(OperationView operation, ImmutableArray<IPNetwork> prefixes, CancellationToken cancellationToken) => Task.FromResult<ImmutableArray<OutageRecord>>(
        [
            Of("hub", "hub", prefixes[0], new OutageFigures(3, 1, At, At, TimeSpan.FromSeconds(1), false, TimeSpan.FromSeconds(1)) { Shortest = TimeSpan.FromSeconds(0.9) }),
            Of("id-c", "node-c", prefixes[0], new OutageFigures(30, 2, At.AddSeconds(0.5), At.AddSeconds(0.6), TimeSpan.FromSeconds(0.2), false, TimeSpan.FromSeconds(0.1)) { Shortest = TimeSpan.FromSeconds(0.1) }),
        ]);

        private static OutageRecord Of(string id, string name, IPNetwork prefix, OutageFigures figures) => new()
        {
            At = At,
            Pair = "web",
            Prefix = prefix.ToString(),
            Vantage = id,
            VantageName = name,
            Kind = MoveKind.Switchover,
            OperationId = null,
            From = null,
            To = null,
            Figures = figures,
        };
    }

    /// <summary>Its figures cannot be read some times, as when the server of the database is started anew.</summary>
    internal sealed class MeterOfALostDatabase(int failsSoOften) : IMoveMeter
    {
        private readonly TwoVantagePoints _meter = new();

        public int Failed { get; private set; }

        public Task<bool> IsKeptAsync(string operation, CancellationToken cancellationToken) => Task.FromResult(true);

        public Task<ImmutableArray<OutageRecord>> OfOperationAsync(OperationView operation, ImmutableArray<IPNetwork> prefixes, CancellationToken cancellationToken)
        {
            if (Failed < failsSoOften)
            {
                Failed++;
                throw new IOException("the server is away");
            }

            return _meter.OfOperationAsync(operation, prefixes, cancellationToken);
        }
    }

    /// <summary>A hub with a fault that no waiting mends.</summary>
    internal sealed class DefectiveMeter : IMoveMeter
    {
        public Task<bool> IsKeptAsync(string operation, CancellationToken cancellationToken) => Task.FromResult(true);

        public Task<ImmutableArray<OutageRecord>> OfOperationAsync(OperationView operation, ImmutableArray<IPNetwork> prefixes, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("no such column");
    }

    /// <summary>The one shared address, as the test says it is; whenever it is asked for there is a newer answer, and around every move it missed one.</summary>
    internal sealed class AnsweringAddress(ReachabilityState state) : IReachability
    {
        // Than any move of these tests: the network has had time.
        private static readonly DateTimeOffset Later = new(2026, 12, 31, 12, 0, 0, TimeSpan.Zero);

        private int _asked;

        public ImmutableArray<TargetReachability> Current =>
        [
            new TargetReachability
            {
                Prefix = Fleets.Prefix,
                Address = Fleets.Prefix.BaseAddress,
                Method = ProbeMethod.Icmp,
                Port = null,
                VantagePoint = "hub",
                State = state,
                Recent = [.. Enumerable.Range(0, 3).Select(_ => new ProbeSample(Later.AddMilliseconds(Interlocked.Increment(ref _asked)), state == ReachabilityState.Reachable ? TimeSpan.FromMilliseconds(1) : null, null))],
                Problem = null,
            },
        ];

        public TargetReachability? Find(IPNetwork prefix) => Current.FirstOrDefault(t => t.Prefix.Equals(prefix));

        public Task<IReadOnlyList<ProbeSample>> SamplesAsync(IPNetwork prefix, DateTimeOffset from, DateTimeOffset to, int limit, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<ProbeSample>>([.. Enumerable.Range(0, 3).Select(i => new ProbeSample(from.AddSeconds(i), i == 1 ? null : TimeSpan.FromMilliseconds(1), i == 1 ? "no answer" : null))]);

        public async IAsyncEnumerable<ImmutableArray<TargetReachability>> WatchAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            yield return Current;
            await new TaskCompletionSource().Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
