using System.Text.Json;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability.Targets;
using FailoverHub.Web.Tests.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Tests.Reachability.Targets;

/// <summary>The list over a real database, which can be away for a moment.</summary>
public sealed class TargetListTests : IAsyncLifetime
{
    private static readonly Actor Anna = new("anna", "192.0.2.7", null) { Rights = Rights.Administer };

    private TestDatabase _database = null!;
    private Reads _reads = null!;
    private TargetList _list = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _reads = new Reads(_database.Factory);
        _list = new TargetList(_reads, new AuditLog(_database.Factory, new HistoryChanges(), TimeProvider.System), TimeProvider.System);
        await _list.StartAsync(Stop);
    }

    public async ValueTask DisposeAsync()
    {
        _list.Dispose();
        await _database.DisposeAsync();
    }

    /// <summary>Whoever is told "nothing was done" does it once more.</summary>
    [Fact]
    public async Task ChangeThatIsCommitted_IsDone_AlsoWhenTheDatabaseIsAwayRightBehindIt()
    {
        TargetChange[] made = new TargetChange[3];
        _reads.Left = 1;
        made[0] = await _list.AddAsync(Target("Router", "127.0.0.9"), Anna, Stop);
        long seen = _list.Find("router")!.Revision;
        _reads.Left = 1;
        made[1] = await _list.ChangeAsync(Target("router", "127.0.0.8"), seen, Anna, Stop);
        NamedTarget[] changed = [.. _list.Current];
        _reads.Left = 1;
        made[2] = await _list.RemoveAsync("ROUTER", changed[0].Revision, Anna, Stop);

        Assert.All(made, m => Assert.Null(m.Problem));
        Assert.Equal(("Router", "127.0.0.8"), (Assert.Single(changed).Name, changed[0].Draft.Address));
        Assert.Empty(_list.Current);
    }

    [Fact]
    public async Task ListAfterEachChange_IsWhatIsOnTheDisk_InOrder()
    {
        foreach (string name in new[] { "b", "C", "a" })
        {
            await _list.AddAsync(Target(name, "127.0.0.9"), Anna, Stop);
        }

        await _list.ChangeAsync(Target("c", "127.0.0.7"), null, Anna, Stop);
        using var again = new TargetList(_reads, new AuditLog(_database.Factory, new HistoryChanges(), TimeProvider.System), TimeProvider.System);
        await again.StartAsync(Stop);

        Assert.Equal([("a", "127.0.0.9"), ("b", "127.0.0.9"), ("C", "127.0.0.7")], _list.Current.Select(t => (t.Name, t.Draft.Address!)));
        Assert.Equal(_list.Current, again.Current);
        Assert.Equal(_list.Current.Select(t => t.Revision), again.Current.Select(t => t.Revision));
    }

    [Fact]
    public async Task Refusals_AreAudited_WithWhatWasWanted()
    {
        await _list.AddAsync(Target("Router", "127.0.0.9"), Anna, Stop);

        TargetChange[] refused =
        [
            await _list.AddAsync(Target("ROUTER", "127.0.0.8"), Anna, Stop),
            await _list.ChangeAsync(Target("nobody", "127.0.0.8"), null, Anna, Stop),
            await _list.RemoveAsync("nobody", null, Anna, Stop),
        ];

        AuditEntry[] audit = [.. (await AuditAsync()).Skip(1)];
        Assert.Equal([false, true, true], refused.Select(r => r.NotFound));
        Assert.Equal([("target-added", "target ROUTER"), ("target-changed", "target nobody"), ("target-removed", "target nobody")], audit.Select(a => (a.Action, a.Target)));
        Assert.Equal(refused.Select(r => $"refused: {r.Problem}"), audit.Select(a => a.Outcome));
        Assert.All(audit, a => Assert.Equal("anna", a.Actor));
        Assert.Contains("127.0.0.8", audit[0].After, StringComparison.Ordinal);
        Assert.Equal("127.0.0.9", Assert.Single(_list.Current).Draft.Address);
    }

    [Theory]
    [InlineData(TargetList.MostHttp, NamedTargetKind.Http)]
    [InlineData(TargetList.Most, NamedTargetKind.Icmp)]
    public async Task TargetTooMany_IsRefusedInTheAuditToo(int most, NamedTargetKind kind)
    {
        NamedTarget[] full = [.. Enumerable.Range(0, most).Select(i => Target($"t{i}", kind == NamedTargetKind.Http ? "http://127.0.0.9/" : "127.0.0.9", kind)), Target("router", "127.0.0.9")];
        await StoreAsync(full[..most]);
        NamedTarget another = Target("another", full[0].Draft.Address!, kind);

        string problem = (await _list.AddAsync(another, Anna, Stop)).Problem!;
        AuditEntry added = (await AuditAsync())[^1];
        Assert.Equal(("target-added", "target another", $"refused: {problem}"), (added.Action, added.Target, added.Outcome));
        Assert.Contains($"There are {most} targets", problem, StringComparison.Ordinal);

        if (kind == NamedTargetKind.Http)
        {
            await _list.AddAsync(full[^1], Anna, Stop);
            problem = (await _list.ChangeAsync(Target("router", full[0].Draft.Address!, kind), null, Anna, Stop)).Problem!;
            AuditEntry changed = (await AuditAsync())[^1];
            Assert.Equal(("target-changed", $"refused: {problem}"), (changed.Action, changed.Outcome));
            Assert.Contains("127.0.0.9", changed.Before, StringComparison.Ordinal);
            Assert.Contains("http://", changed.After, StringComparison.Ordinal);
        }
    }

    private async Task<AuditEntry[]> AuditAsync() =>
        [.. (await new SqliteHistory(_database.Factory, new HistoryChanges(), AuditMemory.OfThisProcess()).AuditAsync(new HistoryFilter(), null, 50, Stop)).Items.Reverse()];

    private async Task StoreAsync(IEnumerable<NamedTarget> targets)
    {
        await using HubDbContext db = await _database.Factory.CreateDbContextAsync(Stop);
        db.ProbeTargets.AddRange(targets.Select(t => new ProbeTargetEntity
        {
            Name = t.Name, NameKey = t.Name, Kind = t.Draft.Kind.ToString(), Address = t.Draft.Address!, IntervalMs = 5_000, Options = JsonSerializer.Serialize(t.Draft), ChangedAtMs = 0,
        }));
        await db.SaveChangesAsync(Stop);
    }

    private static NamedTarget Target(string name, string address, NamedTargetKind kind = NamedTargetKind.Icmp) =>
        NamedTarget.TryCreate(new NamedTargetDraft { Name = name, Kind = kind, Address = address, Interval = TimeSpan.FromSeconds(5) }, out _)!;

    /// <summary>The way of the list to the database; that of the audit is another.</summary>
    private sealed class Reads(IDbContextFactory<HubDbContext> real) : IDbContextFactory<HubDbContext>
    {
        /// <summary>So often it can be read still.</summary>
        public int Left { get; set; } = int.MaxValue;

        public HubDbContext CreateDbContext() => Left-- > 0 ? real.CreateDbContext() : throw new IOException("The database is away.");
    }
}
