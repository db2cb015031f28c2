using System.Globalization;
using CsCheck;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.History.Retention;
using FailoverHub.Web.History.Search;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Data;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Tests.History.Search;

/// <summary>The index finds exactly what looking at every row would find, by every filter that a page offers and all their combinations.</summary>
[Trait("Kind", "Long")]
public sealed class SearchTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 10, 30, 22, 0, 0, TimeSpan.Zero);
    private static readonly string[] Words = ["announced", "lost", "hold", "timer", "primary"];
    private TestDatabase _database = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Each filter on or off: 2 to the power of their number.</summary>
    public static TheoryData<int> Combinations { get; } = [.. Enumerable.Range(1, 127)];

    public async ValueTask InitializeAsync() => _database = await TestDatabase.CreateAsync();

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Events_ByAnyFilters_AreThoseThatLookingAtEachOneFinds()
    {
        var random = new Random(7);
        List<EventEntity> all = [];
        for (int i = 0; i < 600; i++)
        {
            all.Add(new EventEntity
            {
                // Not in the order of their numbers: journals come late.
                AtMs = Start.AddMinutes(random.Next(0, 60 * 24 * 40)).AddMilliseconds(random.Next(60_000)).ToUnixTimeMilliseconds(),
                RecordedAtMs = 0,
                Kind = $"kind-{random.Next(3)}",
                Severity = (EventSeverity)random.Next(3),
                Pair = random.Next(4) is var p and > 0 ? $"pair-{p}" : null,
                Node = random.Next(4) is var n and > 0 ? $"node-{n}" : null,
                Text = string.Join(' ', Words.Where(_ => random.Next(2) == 0)),
                OperationId = random.Next(5) == 0 ? "op" : null,
            });
        }

        await using (HubDbContext db = _database.Factory.CreateDbContext())
        {
            db.Events.AddRange(all);
            await db.SaveChangesAsync(Stop);
        }

        var history = new SqliteHistory(_database.Factory, new HistoryChanges(), AuditMemory.OfThisProcess());
        var filter = Gen.Select(
            Gen.Int[0, 59_000].Nullable(), Gen.Int[0, 59_000].Nullable(), Gen.Int[1, 4].Nullable(), Gen.Int[1, 4].Nullable(),
            Gen.Int[0, 3].Nullable(), Gen.Int[0, 2].Nullable(), Gen.Int[0, 4].Array[0, 2], Gen.Bool);
        await filter.SampleAsync(
            async f =>
            {
                var (from, to, pair, node, kind, severity, words, operation) = f;
                var wanted = new HistoryFilter
                {
                    From = from is { } begin ? Start.AddMinutes(begin).AddSeconds(17) : null,
                    To = to is { } end ? Start.AddMinutes(end).AddSeconds(31) : null,
                    Pair = pair is { } p ? $"pair-{p}" : null,
                    Node = node is { } n ? $"node-{n}" : null,
                    Kind = kind is { } k ? $"kind-{k}" : null,
                    MinimumSeverity = (EventSeverity?)severity,
                    Text = string.Join(' ', words.Select(w => Words[w])),
                    OperationId = operation ? "op" : null,
                };

                IEnumerable<long> expected = all.Where(e =>
                    (wanted.From is null || e.AtMs >= wanted.From.Value.ToUnixTimeMilliseconds())
                    && (wanted.To is null || e.AtMs < wanted.To.Value.ToUnixTimeMilliseconds())
                    && (wanted.Pair is null || e.Pair == wanted.Pair) && (wanted.Node is null || e.Node == wanted.Node)
                    && (wanted.Kind is null || e.Kind == wanted.Kind) && (wanted.MinimumSeverity is null || e.Severity >= wanted.MinimumSeverity)
                    && (wanted.OperationId is null || e.OperationId == wanted.OperationId)
                    && words.All(w => e.Text.Split(' ').Contains(Words[w]))).Select(e => e.Id).OrderDescending();
                Assert.Equal(expected.Take(500), (await history.EventsAsync(wanted, null, 500, Stop)).Items.Select(e => e.Id));
            },
            iter: 300,
            threads: 1);
    }

    /// <summary>A page is put together from near and far entries, also where the index is looked through piece by piece.</summary>
    [Fact]
    public async Task Entries_FarApart_AreFoundNewestFirstAndPageByPage()
    {
        long[] numbers = [1, 2, 8_191, 8_192, 8_193, 65_536, 70_000, 140_000, 1_000_000, 1_000_001, 3_000_000];
        await using (HubDbContext db = _database.Factory.CreateDbContext())
        {
            db.Events.AddRange(numbers.Select(n => new EventEntity { Id = n, AtMs = Start.AddSeconds(n).ToUnixTimeMilliseconds(), RecordedAtMs = 0, Kind = n % 2 == 0 ? "even" : "odd", Severity = EventSeverity.Info, Text = "Announced 203.0.113.10/32" }));
            await db.SaveChangesAsync(Stop);
        }

        var history = new SqliteHistory(_database.Factory, new HistoryChanges(), AuditMemory.OfThisProcess());
        async Task<List<long>> AllAsync(HistoryFilter filter)
        {
            List<long> found = [];
            string? cursor = null;
            do
            {
                HistoryPage<EventRecord> page = await history.EventsAsync(filter, cursor, 2, Stop);
                found.AddRange(page.Items.Select(e => e.Id));
                cursor = page.NextCursor;
            }
            while (cursor is not null);
            return found;
        }

        Assert.Equal(numbers.OrderDescending(), await AllAsync(new HistoryFilter { Text = "announcing 203.0.113*" }));
        Assert.Equal(numbers.Where(n => n % 2 == 0).OrderDescending(), await AllAsync(new HistoryFilter { Kind = "even" }));
        Assert.Equal(numbers.Where(n => n is > 2 and <= 1_000_000).OrderDescending(), await AllAsync(new HistoryFilter { From = Start.AddSeconds(3), To = Start.AddSeconds(1_000_001) }));
        Assert.Empty(await AllAsync(new HistoryFilter { Text = "nounced" }));
    }

    /// <summary>Journals come late and clocks are wrong, so that no block of numbers is one span of time; what is old is removed, and a block with it or not.</summary>
    [Fact]
    public async Task Events_OfManyBlocksInNoOrderOfTime_AreFoundByAnySpan_AlsoWhenSomeAreRemoved()
    {
        var random = new Random(11);
        List<EventEntity> all = [];
        for (int i = 0; i < 900; i++)
        {
            // Thirty blocks of 8,192 numbers, a day each; one in ten comes up to three days late, and a few have a clock of before 1970 or of another century.
            int number = i * 273 + random.Next(1, 270);
            TimeSpan late = random.Next(10) == 0 ? TimeSpan.FromMinutes(random.Next(3 * 24 * 60)) : TimeSpan.Zero;
            DateTimeOffset at = random.Next(60) switch { 0 => new DateTimeOffset(1969, 12, 31, 23, 0, 0, TimeSpan.Zero).AddMinutes(random.Next(120)), 1 => Start.AddYears(90), _ => Start.AddDays(number / 8_192.0) - late };
            all.Add(new EventEntity { Id = number, AtMs = at.ToUnixTimeMilliseconds(), RecordedAtMs = Start.AddDays(number / 8_192.0).ToUnixTimeMilliseconds(), Kind = $"kind-{random.Next(3)}", Severity = EventSeverity.Info, Text = "lost" });
        }

        await using (HubDbContext db = _database.Factory.CreateDbContext())
        {
            db.Events.AddRange(all);
            await db.SaveChangesAsync(Stop);
        }

        await AssertSpansAsync(all, random);
        long old = Start.AddDays(11.5).ToUnixTimeMilliseconds();
        var writer = new HubWriter(_database.Factory, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<HubWriter>.Instance);
        await using (writer)
        {
            _ = writer.Start();
            writer.Enqueue(new RemoveEvents(writer, old, _ => { }));
            await writer.FlushAsync(Stop);
        }

        Assert.NotEqual(0, all.RemoveAll(e => e.AtMs < old && e.RecordedAtMs < old));
        await AssertSpansAsync(all, random);
    }

    private async Task AssertSpansAsync(List<EventEntity> all, Random random)
    {
        var history = new SqliteHistory(_database.Factory, new HistoryChanges(), AuditMemory.OfThisProcess());
        for (int i = 0; i < 150; i++)
        {
            EventEntity edge = all[random.Next(all.Count)];
            long from = random.Next(4) == 0 ? long.MinValue : edge.AtMs + random.Next(2);
            long to = random.Next(4) == 0 ? long.MaxValue : edge.AtMs + random.Next(3) * random.Next(1, 400_000_000);
            string? kind = random.Next(2) == 0 ? "kind-1" : null;
            var wanted = new HistoryFilter
            {
                From = from == long.MinValue ? null : DateTimeOffset.FromUnixTimeMilliseconds(from),
                To = to == long.MaxValue ? null : DateTimeOffset.FromUnixTimeMilliseconds(to),
                Kind = kind,
            };
            List<long> found = [];
            string? cursor = null;
            do
            {
                HistoryPage<EventRecord> page = await history.EventsAsync(wanted, cursor, 150, Stop);
                found.AddRange(page.Items.Select(e => e.Id));
                cursor = page.NextCursor;
            }
            while (cursor is not null);
            Assert.Equal(all.Where(e => e.AtMs >= from && e.AtMs < to && (kind is null || e.Kind == kind)).Select(e => e.Id).OrderDescending(), found);
        }
    }

    /// <summary>No combination looks at rows that the index has not named: the outer loop is the index, the rows are fetched by their number.</summary>
    [Trait("Database", "Sqlite")]
    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task EveryCombinationOfFilters_IsAnsweredByTheIndex(int combination)
    {
        bool Has(int bit) => (combination & (1 << bit)) != 0;
        var filter = new HistoryFilter
        {
            Text = Has(0) ? "hold timer" : null,
            Pair = Has(1) ? "web" : null,
            Node = Has(2) ? "web-1" : null,
            Kind = Has(3) ? "session-lost" : null,
            From = Has(4) ? Start : null,
            To = Has(4) ? Start.AddDays(3) : null,
            OperationId = Has(5) ? "op" : null,
        };
        await using HubDbContext db = _database.Factory.CreateDbContext();
        db.Events.Add(new EventEntity { AtMs = Start.AddDays(-1).ToUnixTimeMilliseconds(), RecordedAtMs = 0, Kind = "k", Severity = EventSeverity.Info, Text = "x" });
        db.Events.Add(new EventEntity { AtMs = Start.AddDays(9).ToUnixTimeMilliseconds(), RecordedAtMs = 0, Kind = "k", Severity = EventSeverity.Info, Text = "x" });
        db.Audit.Add(HistoryRecords.ToEntity(Checkpoints.Chains.Draft(), 1, Start.AddDays(-1), AuditChain.Root));
        await db.SaveChangesAsync(Stop);
        await using (HubDbContext other = _database.Factory.CreateDbContext())
        {
            var head = await other.Audit.SingleAsync(Stop);
            other.Audit.Add(HistoryRecords.ToEntity(Checkpoints.Chains.Draft(), 2, Start.AddDays(9), head.Hash));
            await other.SaveChangesAsync(Stop);
        }

        HistoryFilter ofEvents = filter with { MinimumSeverity = Has(6) ? EventSeverity.Critical : null };
        HistoryFilter ofAudit = filter with { Actor = Has(6) ? "alice" : null };
        AssertByIndex(await PlanAsync(db, (await SqliteSearch.EventQueryAsync(db, ofEvents, 1_000, 101, Stop))!.ToQueryString()), "EventTerms");
        AssertByIndex(await PlanAsync(db, (await SqliteSearch.AuditQueryAsync(db, ofAudit, 1_000, 101, Stop))!.ToQueryString()), "AuditTerms");
    }

    [Fact]
    public async Task EntriesOfAnOlderVersion_AreFoundAfterTheStart()
    {
        await using HubDbContext db = _database.Factory.CreateDbContext();
        db.Events.AddRange(Enumerable.Range(1, 2_500).Select(i => new EventEntity { AtMs = i, RecordedAtMs = i, Kind = "old", Severity = EventSeverity.Info, Text = string.Create(CultureInfo.InvariantCulture, $"entry {i}") }));
        await db.SaveChangesAsync(Stop);
        await RawSql.ExecuteAsync(db, "DELETE FROM EventTerms");
        var history = new SqliteHistory(_database.Factory, new HistoryChanges(), AuditMemory.OfThisProcess());
        Assert.Empty((await history.EventsAsync(new HistoryFilter { Text = "2500" }, null, 10, Stop)).Items);

        await history.StartAsync(Stop);

        Assert.Single((await history.EventsAsync(new HistoryFilter { Text = "2500" }, null, 10, Stop)).Items);
        Assert.Single((await history.EventsAsync(new HistoryFilter { Text = "1", Kind = "old" }, null, 10, Stop)).Items);
    }

    [Fact]
    public async Task Audit_ByActorPairAndNode_IsFound()
    {
        var audit = new AuditLog(_database.Factory, new HistoryChanges(), TimeProvider.System);
        foreach (string target in new[] { AuditTarget.Pair("web"), AuditTarget.NodeOfPair("web-1", "web"), AuditTarget.Node("web-1"), AuditTarget.Pair("shop"), "hub" })
        {
            await audit.WriteAsync(new AuditDraft { Actor = new Actor("alice", null, null), Action = "drain", Target = target, Outcome = "refused: SR-03 TargetReady: no" }, Stop);
        }

        var history = new SqliteHistory(_database.Factory, new HistoryChanges(), AuditMemory.OfThisProcess());
        async Task<IEnumerable<long>> Found(HistoryFilter filter) => (await history.AuditAsync(filter, null, 10, Stop)).Items.Select(a => a.Id);
        Assert.Equal([2, 1], await Found(new HistoryFilter { Pair = "web" }));
        Assert.Equal([3, 2], await Found(new HistoryFilter { Node = "web-1" }));
        Assert.Equal([2], await Found(new HistoryFilter { Node = "web-1", Pair = "web", Actor = "alice", Kind = "drain", Text = "SR-03 refused" }));
        Assert.Empty(await Found(new HistoryFilter { Actor = "Alice" }));
    }

    private static void AssertByIndex(List<string> plan, string index)
    {
        Assert.Contains(plan, line => line.StartsWith($"SCAN {index} VIRTUAL TABLE INDEX", StringComparison.Ordinal) && line.Contains('M', StringComparison.Ordinal));
        Assert.Contains(plan, line => line.StartsWith("SEARCH e USING INTEGER PRIMARY KEY", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, line => line.Contains("TEMP B-TREE", StringComparison.Ordinal) || line.StartsWith("SCAN e", StringComparison.Ordinal));
    }

    private static async Task<List<string>> PlanAsync(HubDbContext db, string query)
    {
        await db.Database.OpenConnectionAsync(Stop);
        await using var command = db.Database.GetDbConnection().CreateCommand();
        string[] lines = query.Split('\n');

        // EF shows parameters as ".param set @p0 'x'": the dot commands of the shell.
        string sql = string.Join('\n', lines.Where(l => !l.StartsWith(".param", StringComparison.Ordinal)));
        foreach (string[] parameter in lines.Where(l => l.StartsWith(".param", StringComparison.Ordinal)).Select(l => l.Split(' ', 4)))
        {
            var bound = command.CreateParameter();
            bound.ParameterName = parameter[2];
            string text = parameter[3].Trim();
            bound.Value = text.StartsWith('\'') ? text.Trim('\'') : long.Parse(text, CultureInfo.InvariantCulture);
            command.Parameters.Add(bound);
        }

        command.CommandText = $"EXPLAIN QUERY PLAN {sql}";
        var plan = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(Stop);
        while (await reader.ReadAsync(Stop))
        {
            plan.Add(reader.GetString(3));
        }

        return plan;
    }
}
