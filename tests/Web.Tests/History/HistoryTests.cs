using System.Globalization;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Data;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.History;

[Trait("Kind", "Long")]
public sealed class HistoryTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));
    private readonly HistoryChanges _changes = new();
    private TestDatabase _database = null!;
    private HubWriter _writer = null!;
    private EventLog _events = null!;
    private AuditLog _audit = null!;
    private SqliteHistory _history = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _writer = new HubWriter(_database.Factory, _time, NullLogger<HubWriter>.Instance);
        _ = _writer.Start();
        _events = new EventLog(_writer, _changes, _time);
        _audit = new AuditLog(_database.Factory, _changes, _time);
        _history = new SqliteHistory(_database.Factory, _changes, AuditMemory.OfThisProcess());
    }

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        await _database.DisposeAsync();
    }

    private static AuditDraft Draft(string target = "pair web", string action = "switchover", string actor = "alice", string? reason = "why") =>
        new() { Actor = new Actor(actor, "192.0.2.7", null), Action = action, Target = target, Reason = reason, Outcome = "accepted" };

    private EventDraft Event(string text, string kind = "announced", EventSeverity severity = EventSeverity.Info, string? pair = "web", string? operation = null) =>
        new() { At = _time.GetUtcNow(), Kind = kind, Severity = severity, Pair = pair, Node = "web-1", Text = text, OperationId = operation };

    [Fact]
    public async Task Chain_OfManyWritersAtOnce_IsIntactAndWithoutAGap()
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, 40), Cancellation, async (i, ct) => await _audit.WriteAsync(Draft(reason: $"reason {i}"), ct));

        var result = await _history.VerifyAuditAsync(Cancellation);
        Assert.Equal((true, 40L, null), (result.Intact, result.Entries, result.FirstBrokenId));
        var page = await _history.AuditAsync(new HistoryFilter(), null, 500, Cancellation);
        Assert.Equal(Enumerable.Range(1, 40).Reverse().Select(i => (long)i), page.Items.Select(a => a.Id));
        Assert.Equal(page.Items[0].Hash, result.HeadHash);
    }

    [Fact]
    public async Task EmptyChain_IsIntact() =>
        Assert.Equal(new AuditVerification(true, 0, null, new string('0', 64)), await _history.VerifyAuditAsync(Cancellation));

    [Theory]
    [InlineData("UPDATE Audit SET Reason = 'another' WHERE Id = 3", 3)]
    [InlineData("UPDATE Audit SET Actor = 'mallory' WHERE Id = 1", 1)]
    [InlineData("UPDATE Audit SET RemoteAddress = NULL WHERE Id = 5", 5)]
    [InlineData("DELETE FROM Audit WHERE Id = 2", 3)]
    [InlineData("DELETE FROM Audit WHERE Id = 1", 2)]
    [InlineData("UPDATE Audit SET Hash = PreviousHash WHERE Id = 4", 4)]
    public async Task Chain_ChangedBehindTheHubsBack_IsBrokenAtThatEntry(string sql, long broken)
    {
        for (var i = 0; i < 5; i++)
        {
            await _audit.WriteAsync(Draft(reason: $"reason {i}"), Cancellation);
        }

        await using (var db = _database.Factory.CreateDbContext())
        {
            await RawSql.OpenAuditAsync(db);
            await RawSql.ExecuteAsync(db, sql);
        }

        var result = await _history.VerifyAuditAsync(Cancellation);
        Assert.Equal((false, broken), (result.Intact, result.FirstBrokenId));
    }

    [Fact]
    public async Task ChangeThatFails_LeavesNoEntryAndTheNextOneFollowsOn()
    {
        await _audit.WriteAsync(Draft(), Cancellation);
        await Assert.ThrowsAsync<DbUpdateException>(() => _audit.ChangeAsync(
            Draft(action: "token-created"),
            (db, _) =>
            {
                db.PairMembers.Add(new PairMemberEntity { Node = "n", PairId = "nowhere" });
                return Task.CompletedTask;
            },
            Cancellation));
        await _audit.WriteAsync(Draft(), Cancellation);

        var result = await _history.VerifyAuditAsync(Cancellation);
        Assert.Equal((true, 2L), (result.Intact, result.Entries));
    }

    [Fact]
    public async Task EntryOfControlCharactersAndTooMuchText_IsKeptPlainAndTheChainStaysIntact()
    {
        var nasty = new string('é', 300) + "\0" + new string('x', 299) + "\ud800";
        await _audit.WriteAsync(
            new AuditDraft
            {
                Actor = new Actor(nasty, nasty, nasty),
                Action = nasty,
                Target = nasty,
                Reason = nasty,
                Before = nasty,
                After = nasty,
                Outcome = nasty,
                CorrelationId = nasty,
            },
            Cancellation);
        await _audit.WriteAsync(Draft(), Cancellation);

        var result = await _history.VerifyAuditAsync(Cancellation);
        Assert.Equal((true, 2L, null), (result.Intact, result.Entries, result.FirstBrokenId));
        var kept = (await _history.AuditAsync(new HistoryFilter(), null, 10, Cancellation)).Items[^1];
        Assert.Equal(new string('é', 300) + " " + new string('x', 192) + Cut.Mark, kept.Reason);
        Assert.Equal(new string('é', 300) + " " + new string('x', 299) + "\ufffd", kept.Outcome);
        Assert.Equal((200, 200), (kept.Actor.Length, kept.ForwardedFor!.Length));
    }

    [Fact]
    public async Task Search_ForMoreWordsThanThereMayBe_LooksForTheFirstTen()
    {
        _events.Append(Event("a b c d e f g h i j"));
        await _writer.FlushAsync(Cancellation);
        var words = "a b c d e f g h i j" + string.Concat(Enumerable.Repeat(" missing", 2_000));

        Assert.Single((await _history.EventsAsync(new HistoryFilter { Text = words }, null, 10, Cancellation)).Items);
    }

    [Fact]
    public void HashOfAnEntry_TellsFieldsApart()
    {
        var at = _time.GetUtcNow();
        string Hash(AuditDraft draft) => HistoryRecords.ToEntity(draft, 1, at, AuditChain.Root).Hash;

        var all = new[]
        {
            Hash(Draft()),
            Hash(Draft() with { Reason = null }),
            Hash(Draft() with { Reason = "" }),
            Hash(Draft(target: "pair webswitchover", action: "")),
            Hash(Draft(target: "pair web", action: "switchover") with { Before = "x" }),
            Hash(Draft(target: "pair web", action: "switchover") with { After = "x" }),
        };

        Assert.Equal(all.Length, all.Distinct().Count());
    }

    [Fact]
    public async Task Events_ComeInPagesNewestFirst()
    {
        for (var i = 1; i <= 7; i++)
        {
            _events.Append(Event($"event {i}"));
        }

        await _writer.FlushAsync(Cancellation);

        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = await _history.EventsAsync(new HistoryFilter(), cursor, 3, Cancellation);
            seen.AddRange(page.Items.Select(e => e.Text));
            cursor = page.NextCursor;
            _events.Append(Event("comes in between"));
            await _writer.FlushAsync(Cancellation);
        }
        while (cursor is not null);

        Assert.Equal(Enumerable.Range(1, 7).Reverse().Select(i => $"event {i}"), seen);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("0")]
    [InlineData("x")]
    [InlineData("1; DROP TABLE Events")]
    public async Task CursorThatIsNotOurs_IsRefused(string cursor) =>
        await Assert.ThrowsAsync<FormatException>(() => _history.EventsAsync(new HistoryFilter(), cursor, 10, Cancellation));

    [Fact]
    public async Task Events_AreFilteredByEverythingThatIsAsked()
    {
        var start = _time.GetUtcNow();
        _events.Append(Event("100% of web-1 announced", operation: "op1"));
        _time.Advance(TimeSpan.FromMinutes(1));
        _events.Append(Event("1000 of them were lost", "session-lost", EventSeverity.Warning, pair: "shop"));
        _time.Advance(TimeSpan.FromMinutes(1));
        _events.Append(Event("nobody announces", "pair-state-changed", EventSeverity.Critical));
        await _writer.FlushAsync(Cancellation);

        async Task<int> Count(HistoryFilter filter) => (await _history.EventsAsync(filter, null, 10, Cancellation)).Items.Length;
        Assert.Equal(3, await Count(new HistoryFilter()));
        Assert.Equal(2, await Count(new HistoryFilter { Pair = "web" }));
        Assert.Equal(3, await Count(new HistoryFilter { Node = "web-1" }));
        Assert.Equal(1, await Count(new HistoryFilter { Kind = "session-lost" }));
        Assert.Equal(2, await Count(new HistoryFilter { MinimumSeverity = EventSeverity.Warning }));
        Assert.Equal(1, await Count(new HistoryFilter { OperationId = "op1" }));
        Assert.Equal(2, await Count(new HistoryFilter { From = start.AddMinutes(1) }));
        Assert.Equal(1, await Count(new HistoryFilter { To = start.AddMinutes(1) }));
        Assert.Equal(1, await Count(new HistoryFilter { Text = "100%" }));
        Assert.Equal(2, await Count(new HistoryFilter { Text = "ANNOUNCE" }));
        Assert.Equal(1, await Count(new HistoryFilter { Text = "web-1 100% announced" }));
        Assert.Equal(3, await Count(new HistoryFilter { Text = "web-1" }));
        Assert.Equal(2, await Count(new HistoryFilter { Text = "announc*" }));
        Assert.Equal(0, await Count(new HistoryFilter { Text = "_eb-1" }));
        Assert.Equal(0, await Count(new HistoryFilter { Text = "\\" }));
    }

    [Fact]
    public async Task Audit_OfAPair_HasWhatWasDoneToItsNodesToo()
    {
        await _audit.WriteAsync(Draft(AuditTarget.Pair("web")), Cancellation);
        await _audit.WriteAsync(Draft(AuditTarget.NodeOfPair("web-1", "web"), "drain"), Cancellation);
        await _audit.WriteAsync(Draft(AuditTarget.Pair("web-2"), actor: "bob"), Cancellation);

        async Task<int> Count(HistoryFilter filter) => (await _history.AuditAsync(filter, null, 10, Cancellation)).Items.Length;
        Assert.Equal(2, await Count(new HistoryFilter { Pair = "web" }));
        Assert.Equal(1, await Count(new HistoryFilter { Node = "web-1" }));
        Assert.Equal(1, await Count(new HistoryFilter { Actor = "bob" }));
        Assert.Equal(1, await Count(new HistoryFilter { Kind = "drain" }));
        Assert.Equal(3, await Count(new HistoryFilter { Text = "why" }));
    }

    [Fact]
    public async Task Watch_TellsTheNewestNumbers()
    {
        await using var watch = _history.WatchAsync(Cancellation).GetAsyncEnumerator(Cancellation);
        await watch.MoveNextAsync();
        Assert.Equal(new HistoryAppended(0, 0), watch.Current);

        await _audit.WriteAsync(Draft(), Cancellation);

        await watch.MoveNextAsync();
        Assert.Equal(new HistoryAppended(0, 1), watch.Current);
    }

    [Fact]
    public async Task Times_AreKeptToTheMillisecondInUtc()
    {
        _events.Append(Event("x") with { At = new DateTimeOffset(2026, 5, 4, 14, 0, 0, 123, TimeSpan.FromHours(2)) });
        await _writer.FlushAsync(Cancellation);

        var stored = Assert.Single((await _history.EventsAsync(new HistoryFilter(), null, 10, Cancellation)).Items);
        Assert.Equal("2026-05-04T12:00:00.123+00:00", stored.At.ToString("yyyy-MM-ddTHH:mm:ss.fffzzz", CultureInfo.InvariantCulture));
    }
}
