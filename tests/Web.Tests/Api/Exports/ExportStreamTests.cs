using System.Collections.Immutable;
using System.Globalization;
using System.Threading.Channels;
using FailoverHub.Web.Access;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Api.Exports;

/// <summary>An export is on its way while the past is still being read, and takes the memory of some pages, however many there are.</summary>
[Trait("Kind", "Hub")]
public sealed class ExportStreamTests : IAsyncLifetime
{
    private const int Page = 500;
    private const int Rows = 12 * Page + 7;

    private PacedHistory _history = null!;
    private WholeHub _hub = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _hub = await WholeHub.StartAsync(builder => builder.Services.AddSingleton<IHistory>(p => _history = new PacedHistory(p.GetRequiredService<SqliteHistory>())));
        _ = _hub.Get<IHistory>();
    }

    public async ValueTask DisposeAsync()
    {
        _history.LetAll();
        await _hub.DisposeAsync();
    }

    [Theory]
    [InlineData("events", "csv")]
    [InlineData("events", "json")]
    [InlineData("audit", "csv")]
    [InlineData("audit", "json")]
    public async Task RowsOfAPage_ArriveBeforeTheNextIsAskedFor_AndNoPageIsKept(string what, string format)
    {
        HttpClient script = await _hub.ScriptAsync(ApiScope.Read);
        int rows = await FillAsync(what);
        using HttpResponseMessage answer = await script.GetAsync($"/api/v1/{what}/export?format={format}&text=streamed", HttpCompletionOption.ResponseHeadersRead, Stop);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(Stop));
        int header = 1;
        int read = 0;
        for (int page = 1; read < header + rows - 1; page++)
        {
            _history.LetOne();

            // The end of a row of JSON is the beginning of the next one.
            int there = header + Math.Min(rows, page * Page) - (format == "json" ? 1 : 0);
            for (; read < there; read++)
            {
                Assert.NotNull(await lines.ReadLineAsync(Stop).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Stop));
            }

            Assert.Equal(page, _history.Read);
            Assert.InRange(_history.Alive(), 0, 3);
        }

        string rest = await lines.ReadToEndAsync(Stop).WaitAsync(TimeSpan.FromSeconds(60), Stop);
        Assert.Equal(format == "json" ? 1 : 0, rest.Split('\n').Count(line => line.StartsWith('{')));
        Assert.Equal((rows + Page - 1) / Page, _history.Read);
    }

    private async Task<int> FillAsync(string what)
    {
        await using HubDbContext db = await _hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(Stop);
        if (what == "events")
        {
            db.Events.AddRange(Enumerable.Range(1, Rows).Select(i => new EventEntity { AtMs = i, RecordedAtMs = i, Kind = "k", Severity = EventSeverity.Info, Text = string.Create(CultureInfo.InvariantCulture, $"streamed {i}") }));
            await db.SaveChangesAsync(Stop);
            return Rows;
        }

        // A chain as ever; no transaction is so long that a busy server ends it.
        const int entries = 3 * Page + 7;
        foreach (int[] some in Enumerable.Range(0, entries).Chunk(100))
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Stop);
            foreach (int i in some)
            {
                await AuditLog.AddAsync(db, new AuditDraft { Actor = WholeHub.Tester, Action = "streamed", Target = "hub", Outcome = "accepted" }, DateTimeOffset.UnixEpoch.AddSeconds(i), Stop);
            }

            await db.SaveChangesAsync(Stop);
            await transaction.CommitAsync(Stop);
        }

        return entries;
    }

    /// <summary>Reads a page when the test lets it, and knows which of those that it gave are still held by somebody.</summary>
    private sealed class PacedHistory(IHistory inner) : IHistory
    {
        private readonly Channel<bool> _allowed = Channel.CreateUnbounded<bool>();
        private readonly List<WeakReference> _pages = [];

        /// <summary>Pages that were read to their end.</summary>
        public int Read
        {
            get
            {
                lock (_pages)
                {
                    return _pages.Count;
                }
            }
        }

        public void LetOne() => _allowed.Writer.TryWrite(true);

        public void LetAll()
        {
            for (int i = 0; i < 1_000; i++)
            {
                LetOne();
            }
        }

        public int Alive()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            lock (_pages)
            {
                return _pages.Count(p => p.IsAlive);
            }
        }

        public async Task<HistoryPage<EventRecord>> EventsAsync(HistoryFilter filter, string? cursor, int limit, CancellationToken cancellationToken) =>
            Noted(await PacedAsync(() => inner.EventsAsync(filter, cursor, limit, cancellationToken), cancellationToken));

        public async Task<HistoryPage<AuditEntry>> AuditAsync(HistoryFilter filter, string? cursor, int limit, CancellationToken cancellationToken) =>
            Noted(await PacedAsync(() => inner.AuditAsync(filter, cursor, limit, cancellationToken), cancellationToken));

        public Task<HistoryPage<AuditCheckpoint>> CheckpointsAsync(string? cursor, int limit, CancellationToken cancellationToken) => inner.CheckpointsAsync(cursor, limit, cancellationToken);

        public Task<AuditVerification> VerifyAuditAsync(CancellationToken cancellationToken) => inner.VerifyAuditAsync(cancellationToken);

        public Task<ImmutableArray<IntentRecord>> IntentsAsync(string operationId, CancellationToken cancellationToken) => inner.IntentsAsync(operationId, cancellationToken);

        public IAsyncEnumerable<HistoryAppended> WatchAsync(CancellationToken cancellationToken) => inner.WatchAsync(cancellationToken);

        private async Task<T> PacedAsync<T>(Func<Task<T>> read, CancellationToken cancellationToken)
        {
            await _allowed.Reader.ReadAsync(cancellationToken);
            return await read();
        }

        private HistoryPage<T> Noted<T>(HistoryPage<T> page)
        {
            lock (_pages)
            {
                _pages.Add(new WeakReference(page.Items[0]));
            }

            return page;
        }
    }
}
