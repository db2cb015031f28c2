using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>A hub on a clock that stands still, and two fake agents web-1 (primary) and web-2 (secondary) on its real port.</summary>
internal sealed class OperationRig : IAsyncDisposable
{
    public static readonly Actor Alice = People.Alice;

    private TemporaryFolder _folder = new();
    private TemporaryFolder? _copy;
    private readonly Action<IServiceCollection>? _configure;
    private uint _mark;

    private OperationRig(Action<IServiceCollection>? configure) => _configure = configure;

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));

    public HubUnderTest Hub { get; private set; } = null!;

    public FakeAgent A { get; set; } = null!;

    public FakeAgent B { get; set; } = null!;

    public PairView Pair => Hub.Fleet.Current.FindPair("web")!;

    /// <summary>With <paramref name="keepsFailback"/> the agents are newer: they keep failback policies, and are configured to be primary at once.</summary>
    public static async Task<OperationRig> StartAsync(Action<IServiceCollection>? configure = null, bool keepsFailback = false)
    {
        var rig = new OperationRig(configure);
        rig.Hub = await HubUnderTest.StartAsync(rig._folder.Path, rig.Time, configure);
        await People.AddAsync(rig.Hub);
        rig.A = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-1", ProtoRole.Primary, keepsFailback: keepsFailback);
        rig.B = await FakeAgent.StartAsync(rig.Hub.AgentUrl, "web-2", ProtoRole.Secondary, keepsFailback: keepsFailback);
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

    /// <summary>Keeps the database as it is now: what a kill at this moment would leave.</summary>
    public void CopyData()
    {
        _copy = new TemporaryFolder();

        // First, as a backup does: it is never ahead of the database.
        foreach (var file in Directory.GetFiles(_folder.Path, AuditMemory.FileName))
        {
            File.Copy(file, Path.Combine(_copy.Path, Path.GetFileName(file)));
        }

        if (TestDatabases.OnPostgres)
        {
            TestDatabases.Copy(_folder.Path, _copy.Path);
        }

        foreach (var file in Directory.GetFiles(_folder.Path, "*.db*").Concat(Directory.GetFiles(_folder.Path, "*.pem")))
        {
            File.Copy(file, Path.Combine(_copy.Path, Path.GetFileName(file)));
        }
    }

    /// <summary>Goes on as if the hub had been killed when its data was copied: another one starts on the copy; the agents have to dial again.</summary>
    public async Task KillHubAsync()
    {
        await A.DisposeAsync();
        await B.DisposeAsync();
        await Hub.DisposeAsync();
        _folder.Dispose();
        _folder = _copy ?? throw new InvalidOperationException("Copy the data first.");
        Hub = await HubUnderTest.StartAsync(_folder.Path, Time, _configure);
    }

    public async Task<string> AcceptedAsync(OperationRequest request) =>
        Assert.IsType<SubmitResult.Accepted>(await Hub.Operations.SubmitAsync(request, Alice, TestContext.Current.CancellationToken)).OperationId;

    public async Task<OperationView> EndedAsync(string id) => await Hub.UntilAsync(id, o => o.IsFinished);

    /// <summary>Lets time pass, second by second, until it holds: a hub that has just started may not count yet when time jumps.</summary>
    public async Task TickUntilAsync(Func<bool> holds)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        while (!holds())
        {
            Assert.False(safety.IsCancellationRequested, $"It never came. {Hub.Describe()}");
            Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
    }

    /// <summary>
    /// Lets time pass, second by second, until the operation is so. Each second these agents report, and the next one does not begin before
    /// the hub shows those very reports: nobody turns stale because a machine is slow. The disk is not waited for, so a test whose deadline
    /// must not pass while an intent is being stored first waits until the intent has arrived.
    /// </summary>
    public async Task<OperationView> PassTimeUntilAsync(string id, Func<OperationView, bool> holds, params FakeAgent[] reporting)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            var now = await Hub.Operations.FindAsync(id, safety.Token);
            if (now is not null && holds(now))
            {
                return now;
            }

            Assert.False(now is { IsFinished: true }, $"The operation has ended otherwise: {now?.Status}, {now?.Outcome}");
            Assert.False(safety.IsCancellationRequested, $"The operation stayed at {now?.Status}. {Hub.Describe()}");
            Time.Advance(TimeSpan.FromSeconds(1));
            foreach (var agent in reporting)
            {
                // A number that no other report of any agent has: it is shown at once, and its arrival can be told from every other one's.
                var mark = ++_mark;
                await agent.ReportAsync(r => r.Sessions[0].Flaps = mark);
                await Hub.UntilAsync(s => s.FindNode(agent.Node) is { Sessions: [{ } first, ..] } && first.Flaps == mark);
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
