using FailoverHub.Web.Data;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Storage;
using FailoverHub.Web.Reachability.Vantages;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Reachability.Storage;

/// <summary>The store of probes over a real database, with a clock that a test moves and lives of the hub that end well or badly.</summary>
internal sealed class StoreRig(DateTimeOffset start) : IAsyncDisposable
{
    private static readonly TimeSpan HandOverEvery = TimeSpan.FromSeconds(5);

    private readonly string _folder = WholeHub.NewFolder();
    private ServiceProvider? _services;
    private HubWriter? _writer;
    private ProbeSampleStore? _store;
    private ProbeHistory? _history;
    private Disk? _disk;
    private TimeSpan _untidied;

    public FakeTimeProvider Clock { get; } = new(start);

    public ProbeSampleStore Store => _store!;

    public ProbeHistory History => _history!;

    /// <summary>A table without nodes: every vantage point is called by its id.</summary>
    public VantageNames Names { get; } = new(new NodeRegister());

    public HubWriter Writer => _writer!;

    public string Folder => _folder;

    public IDbContextFactory<HubDbContext> Database => _services!.GetRequiredService<IDbContextFactory<HubDbContext>>();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask StartAsync()
    {
        _services = new ServiceCollection().AddHubDatabase(_folder, TestDatabases.For(_folder)).BuildServiceProvider();
        await HubDatabase.MigrateAsync(Database, Stop);
        await BeginAsync();
    }

    public void Add(ProbeSeries series, ProbeSample sample) => Store.Add(series, TimeSpan.FromSeconds(1), sample);

    public Task<IReadOnlyList<ProbeSample>> ReadAsync(ProbeSeries series, DateTimeOffset from, DateTimeOffset to) => Store.ReadAsync(series, from, to, 10_000, Stop);

    /// <summary>Lets time pass in the loop's own turns; each has what it hands over on the disk before the next.</summary>
    /// <param name="span">How long.</param>
    public async Task PassAsync(TimeSpan span)
    {
        for (TimeSpan passed = TimeSpan.Zero; passed < span;)
        {
            TimeSpan turn = span - passed < HandOverEvery ? span - passed : HandOverEvery;
            Clock.Advance(turn);
            passed += turn;
            _untidied += turn;
            if ((Clock.GetUtcNow() - start).Ticks % HandOverEvery.Ticks == 0)
            {
                await TurnAsync();
            }
        }
    }

    /// <summary>A minute passes in one turn of the loop.</summary>
    public async Task MinuteAsync()
    {
        Clock.Advance(TimeSpan.FromMinutes(1));
        await EndMinuteAsync();
    }

    /// <summary>The turn of the loop at the end of a minute, which has passed.</summary>
    public Task EndMinuteAsync()
    {
        _untidied += TimeSpan.FromMinutes(1);
        return TurnAsync();
    }

    /// <summary>A long time passes at once, in which the hub was asleep.</summary>
    public async Task JumpAsync(TimeSpan span)
    {
        Clock.Advance(span);
        for (int i = 0; i < 3; i++)
        {
            Store.HandOver();
            Store.Tidy();
            for (int step = 0; step < 40; step++)
            {
                await Writer.FlushAsync(Stop);
            }
        }
    }

    /// <summary>This life of the hub ends, and another begins on the same database.</summary>
    public async Task RestartAsync(bool killed)
    {
        if (killed)
        {
            _disk!.Left = 0;
        }
        else
        {
            await Store.StopAsync(Stop);
        }

        _store!.Dispose();
        await Writer.DisposeAsync();
        await BeginAsync();
    }

    /// <summary>The hub's next turn brings one batch to the disk; then it is killed, and started again.</summary>
    public async Task DieAfterACommitAsync()
    {
        var committed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Writer.BatchCommitted += () => committed.TrySetResult();
        _disk!.Left = 1;
        Clock.Advance(HandOverEvery);
        Store.HandOver();
        await committed.Task.WaitAsync(TimeSpan.FromSeconds(60), Stop);
        await RestartAsync(killed: true);
    }

    public async Task<(int First, int Second)> CountAsync<TFirst, TSecond>(Func<HubDbContext, IQueryable<TFirst>> first, Func<HubDbContext, IQueryable<TSecond>> second)
    {
        await using HubDbContext db = await Database.CreateDbContextAsync(Stop);
        return (await first(db).CountAsync(Stop), await second(db).CountAsync(Stop));
    }

    public async ValueTask DisposeAsync()
    {
        _store?.Dispose();
        if (_writer is not null)
        {
            await _writer.DisposeAsync();
        }

        if (_services is not null)
        {
            await _services.DisposeAsync();
        }

        TestDatabases.Release(_folder);
        Directory.Delete(_folder, recursive: true);
    }

    private async Task BeginAsync()
    {
        _disk = new Disk(Database);
        _writer = new HubWriter(_disk, Clock, NullLogger<HubWriter>.Instance);
        _ = _writer.Start();
        _store = new ProbeSampleStore(Database, _writer, Clock, NullLogger<ProbeSampleStore>.Instance);
        _history = new ProbeHistory(Database, _store, Names);

        // Its loop would run on the same clock beside the test: what it does is called turn by turn.
        await _store.RecoverAsync(Stop);
    }

    private async Task TurnAsync()
    {
        Store.HandOver();
        if (_untidied >= TimeSpan.FromMinutes(1))
        {
            _untidied = TimeSpan.Zero;
            Store.Tidy();
        }

        // Each step asks for the next one once it is on disk.
        do
        {
            await Writer.FlushAsync(Stop);
        }
        while (Writer.Waiting > 0);
    }

    /// <summary>The way of the writer to the disk, which a killed hub no longer has.</summary>
    private sealed class Disk(IDbContextFactory<HubDbContext> real) : IDbContextFactory<HubDbContext>
    {
        /// <summary>Transactions that still come to it.</summary>
        public int Left { get; set; } = int.MaxValue;

        public HubDbContext CreateDbContext() => Left-- > 0 ? real.CreateDbContext() : throw new IOException("The hub is dead.");
    }
}
