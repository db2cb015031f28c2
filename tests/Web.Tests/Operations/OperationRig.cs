using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>A hub on a clock that stands still, and two fake agents web-1 (primary) and web-2 (secondary) on its real port.</summary>
internal sealed class OperationRig : IAsyncDisposable
{
    public static readonly Actor Alice = new("alice", "192.0.2.7", null);

    private readonly TemporaryFolder _folder = new();
    private readonly Action<IServiceCollection>? _configure;

    private OperationRig(Action<IServiceCollection>? configure) => _configure = configure;

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));

    public HubUnderTest Hub { get; private set; } = null!;

    public FakeAgent A { get; set; } = null!;

    public FakeAgent B { get; set; } = null!;

    public PairView Pair => Hub.Fleet.Current.FindPair("web")!;

    public static async Task<OperationRig> StartAsync(Action<IServiceCollection>? configure = null)
    {
        var rig = new OperationRig(configure);
        rig.Hub = await HubUnderTest.StartAsync(rig._folder.Path, rig.Time, configure);
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Primary);
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Secondary);
        await rig.Hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
        return rig;
    }

    /// <summary>Ends the hub and starts another one on the same folder; the agents have to dial again.</summary>
    public async Task RestartHubAsync()
    {
        await A.DisposeAsync();
        await B.DisposeAsync();
        await Hub.DisposeAsync();
        Hub = await HubUnderTest.StartAsync(_folder.Path, Time, _configure);
    }

    public async Task<string> AcceptedAsync(OperationRequest request) =>
        Assert.IsType<SubmitResult.Accepted>(await Hub.Operations.SubmitAsync(request, Alice, TestContext.Current.CancellationToken)).OperationId;

    public async Task<OperationView> EndedAsync(string id) => await Hub.UntilAsync(id, o => o.IsFinished);

    /// <summary>Lets time pass, second by second, while these agents go on reporting, until the operation is so.</summary>
    public async Task<OperationView> PassTimeUntilAsync(string id, Func<OperationView, bool> holds, params FakeAgent[] reporting)
    {
        var safety = TestContext.Current.CancellationToken;
        while (true)
        {
            var now = await Hub.Operations.FindAsync(id, safety);
            if (now is not null && holds(now))
            {
                return now;
            }

            Time.Advance(TimeSpan.FromSeconds(1));
            foreach (var agent in reporting)
            {
                // A count that changes makes the report one that is shown at once, so its arrival can be awaited.
                var flaps = 0;
                await agent.ReportAsync(r => flaps = (int)++r.Sessions[0].Flaps);
                await Hub.UntilAsync(s => s.Nodes.Any(n => n.Sessions.Any(x => x.Flaps == flaps)));
            }
        }
    }

    public async Task<List<EventRecord>> EventsAsync(HistoryFilter filter)
    {
        await Hub.Writer.FlushAsync(TestContext.Current.CancellationToken);
        return [.. (await Hub.History.EventsAsync(filter, null, 500, TestContext.Current.CancellationToken)).Items];
    }

    public async Task<List<AuditEntry>> AuditAsync() =>
        [.. (await Hub.History.AuditAsync(new HistoryFilter(), null, 500, TestContext.Current.CancellationToken)).Items];

    public HubDbContext OpenDatabase() => Hub.OpenDatabase();

    public async ValueTask DisposeAsync()
    {
        await A.DisposeAsync();
        await B.DisposeAsync();
        await Hub.DisposeAsync();
        _folder.Dispose();
    }

    public static OperationRequest Switchover(string? target = null) => new() { Type = OperationType.Switchover, Pair = "web", Target = target, Reason = "kernel update" };

    public static OperationRequest OnNode(OperationType type, string node) => new() { Type = type, Node = node, Reason = "kernel update" };
}
