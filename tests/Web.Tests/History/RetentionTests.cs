using FailoverHub.Web.Configuration;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.History.Retention;
using FailoverHub.Web.Tests.Data;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.History;

[Trait("Kind", "Long")]
public sealed class RetentionTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));
    private readonly HistoryChanges _changes = new();
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private TestDatabase _database = null!;
    private HubWriter _writer = null!;
    private SqliteHistory _history = null!;
    private RetentionSettings _settings = null!;
    private RetentionLoop _loop = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _writer = new HubWriter(_database.Factory, _time, NullLogger<HubWriter>.Instance);
        _ = _writer.Start();
        _history = new SqliteHistory(_database.Factory, _changes, AuditMemory.OfThisProcess());
        _settings = new RetentionSettings(_database.Factory, new AuditLog(_database.Factory, _changes, _time));
        _loop = new RetentionLoop(_settings, _writer, _time, NullLogger<RetentionLoop>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        _loop.Dispose();
        await _writer.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Round_RemovesWhatIsTooOld_AndWhatItWasFoundBy_ButNotWhatIsOldOnlyByANodesClock()
    {
        int steps = 0;
        await StoreAsync(RemoveEvents.Step * 2 + 10, "old", _time.GetUtcNow().AddDays(-401), _time.GetUtcNow().AddDays(-401));
        await StoreAsync(3, "late", _time.GetUtcNow().AddDays(-30_000 / 10), _time.GetUtcNow());
        await StoreAsync(3, "new", _time.GetUtcNow().AddDays(-399), _time.GetUtcNow().AddDays(-399));
        _writer.BatchCommitted += () => Interlocked.Increment(ref steps);

        await RoundAsync();

        Assert.Equal(6, (await _history.EventsAsync(new HistoryFilter(), null, 500, Stop)).Items.Length);
        Assert.Empty((await _history.EventsAsync(new HistoryFilter { Text = "old" }, null, 500, Stop)).Items);
        Assert.Equal(3, (await _history.EventsAsync(new HistoryFilter { Text = "late" }, null, 500, Stop)).Items.Length);
        Assert.True(steps >= 3, $"{steps} steps");
        await using HubDbContext db = _database.Factory.CreateDbContext();
        string kept = TestDatabases.OnPostgres ? """SELECT count(*)::int AS "Value" FROM "EventTerms" """ : "SELECT count(*) AS Value FROM EventTerms_docsize";
        Assert.Equal(6, await db.Database.SqlQueryRaw<int>(kept).SingleAsync(Stop));
    }

    [Fact]
    public async Task Round_ForgetsHowFarJournalsWereStored_OnlyWhenNothingOfThatRunCanMatterAnyMore()
    {
        await using (HubDbContext db = _database.Factory.CreateDbContext())
        {
            db.JournalPositions.AddRange(
                Position("long-over", 500), Position("still-has-events", 500), Position("over", 300), Position("newest", 450, "web-2"), Position("newest", 1));
            db.Events.Add(new EventEntity { AtMs = Ago(399), RecordedAtMs = Ago(399), Kind = "kind", Severity = EventSeverity.Info, Text = "x", Node = "web-1", BootId = "still-has-events", JournalSequence = 1 });
            await db.SaveChangesAsync(Stop);
        }

        await RoundAsync();

        await using HubDbContext after = _database.Factory.CreateDbContext();
        Assert.Equal(["newest", "over", "still-has-events"], await after.JournalPositions.Where(j => j.Node == "web-1").OrderBy(j => j.BootId).Select(j => j.BootId).ToListAsync(Stop));
        Assert.Equal(1, await after.JournalPositions.CountAsync(j => j.Node == "web-2", Stop));

        long Ago(int days) => _time.GetUtcNow().AddDays(-days).ToUnixTimeMilliseconds();
        JournalPositionEntity Position(string boot, int days, string node = "web-1") => new() { Node = node, BootId = boot, Sequence = 1, UpdatedAtMs = Ago(days) };
    }

    [Fact]
    public async Task Round_RemovesIntentsOfNoOperation_OnlyWhenTheNodeHasConfirmedANewerOne()
    {
        await using (HubDbContext db = _database.Factory.CreateDbContext())
        {
            db.Intents.AddRange(
                Intent("web-1", 1, IntentStage.Superseded), Intent("web-1", 2, IntentStage.Confirmed), Intent("web-1", 3, IntentStage.Superseded, "an operation"), Intent("web-1", 4, IntentStage.Confirmed, days: 1),
                Intent("web-2", 1, IntentStage.Confirmed), Intent("web-2", 2, IntentStage.Released), Intent("web-3", 1, IntentStage.Superseded, days: 399), Intent("web-3", 2, IntentStage.Confirmed));
            await db.SaveChangesAsync(Stop);
        }

        await RoundAsync();

        await using HubDbContext after = _database.Factory.CreateDbContext();
        Assert.Equal(["web-1 3", "web-1 4", "web-2 1", "web-2 2", "web-3 1", "web-3 2"], (await after.Intents.OrderBy(i => i.Node).ThenBy(i => i.Revision).ToListAsync(Stop)).Select(i => $"{i.Node} {i.Revision}"));

        IntentEntity Intent(string node, long revision, IntentStage stage, string? operation = null, int days = 500) => new()
        {
            Node = node, Revision = revision, Drained = false, Stage = stage, OperationId = operation, Roles = "", Reason = "x", WrittenAtMs = _time.GetUtcNow().AddDays(-days).ToUnixTimeMilliseconds(),
        };
    }

    [Trait("Database", "Sqlite")]
    [Fact]
    public async Task Room_ThatBecameFree_GoesBackToTheDisk()
    {
        await StoreAsync(4_000, "old " + new string('x', 1_500), _time.GetUtcNow().AddDays(-401), _time.GetUtcNow().AddDays(-401));
        long before = await PagesAsync();

        for (int i = 0; i < 5; i++)
        {
            await RoundAsync();
        }

        Assert.True(await PagesAsync() < before / 2, $"{before} pages before, {await PagesAsync()} after");
    }

    [Fact]
    public async Task KeptForEver_NothingIsRemoved()
    {
        await _settings.ChangeAsync(RetentionPeriods.Default with { EventDays = null }, new FailoverHub.Web.Operations.Actor("alice", null, null) { Rights = FailoverHub.Web.Operations.Rights.Administer }, Stop);
        await StoreAsync(1, "old", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);

        await RoundAsync();

        Assert.Single((await _history.EventsAsync(new HistoryFilter(), null, 500, Stop)).Items);
    }

    [Fact]
    public async Task Change_OnTheCommandLine_IsAuditedWithWhatWasBefore()
    {
        Assert.Equal(0, await RunAsync("--events", "30"));
        Assert.Equal(0, await RunAsync());

        AuditEntry entry = (await _history.AuditAsync(new HistoryFilter { Kind = RetentionSettings.Action }, null, 10, Stop)).Items.Single();
        Assert.Equal(("""{"eventDays":400,"probeHours":24,"minuteDays":30,"hourDays":400}""", """{"eventDays":30,"probeHours":24,"minuteDays":30,"hourDays":400}""", "accepted"), (entry.Before, entry.After, entry.Outcome));
        Assert.Equal(new RetentionPeriods(30, 24), await _settings.ReadAsync(Stop));
        Assert.Contains("Events: 30 days.", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Change_ThatMakesNoSense_NamesEveryProblemAndChangesNothing()
    {
        Assert.Equal(1, await RunAsync("--events", "0", "--probes", "never", "--minutes", "401", "--hours", "-1"));

        Assert.Contains("--events: '0'", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("--probes: 'never'", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("--minutes: '401'", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("--hours: '-1'", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(RetentionPeriods.Default, await _settings.ReadAsync(Stop));
    }

    private Task<int> RunAsync(params string[] arguments) =>
        HubCommandLine.Build(_output, _error).Parse(["retention", .. TestDatabases.Arguments(_database.Path), .. arguments]).InvokeAsync(cancellationToken: Stop);

    // Each step is enqueued when the one before is on the disk: it is done when a flush finds nothing more to follow.
    private async Task RoundAsync()
    {
        await _loop.BeginRoundAsync(Stop);
        for (int i = 0; i < 12; i++)
        {
            await _writer.FlushAsync(Stop);
        }
    }

    private async Task StoreAsync(int count, string text, DateTimeOffset at, DateTimeOffset recordedAt)
    {
        await using HubDbContext db = _database.Factory.CreateDbContext();
        db.Events.AddRange(Enumerable.Range(0, count).Select(_ => new EventEntity
        {
            AtMs = at.ToUnixTimeMilliseconds(),
            RecordedAtMs = recordedAt.ToUnixTimeMilliseconds(),
            Kind = "kind",
            Severity = EventSeverity.Info,
            Text = text,
        }));
        await db.SaveChangesAsync(Stop);
    }

    private async Task<long> PagesAsync()
    {
        await using HubDbContext db = _database.Factory.CreateDbContext();
        return await db.Database.SqlQueryRaw<long>("SELECT page_count AS Value FROM pragma_page_count()").SingleAsync(Stop);
    }
}
