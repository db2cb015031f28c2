using System.Net;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Operations;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using ProtoRole = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Data.Postgres;

/// <summary>One server of its own for the tests that stop it.</summary>
public sealed class OwnServer : IDisposable
{
    internal PostgresServer Server { get; } = PostgresServer.Start();

    public void Dispose() => Server.Dispose();
}

/// <summary>What only a database on a server has: it can go away, and several machines can reach it.</summary>
[Trait("Kind", "Process")]
public sealed class PostgresTests(OwnServer own) : IClassFixture<OwnServer>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ServerThatIsRestarted_OperationsAreRefusedMeanwhileAndNothingIsLost()
    {
        using var folder = new TemporaryFolder();
        TestDatabases.Put(folder.Path, own.Server);
        await using HubUnderTest hub = await HubUnderTest.StartAsync(folder.Path);
        await using FakeAgent a = await FakeAgent.StartAsync(hub.AgentUrl, "web-1", ProtoRole.Primary);
        await using FakeAgent b = await FakeAgent.StartAsync(hub.AgentUrl, "web-2", ProtoRole.Secondary);
        await hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
        await hub.Writer.FlushAsync(Stop).WaitAsync(Patience, Stop);

        own.Server.Stop();
        for (int i = 0; i < 50; i++)
        {
            hub.Get<EventLog>().Append("told-while-away", $"number {i}");
        }

        SubmitResult refused = await hub.Operations.SubmitAsync(OperationRig.Switchover(), OperationRig.Alice, Stop);
        string? inFlight = hub.Fleet.Current.FindPair("web")!.OperationId;
        own.Server.StartAgain();
        await hub.Writer.FlushAsync(Stop).WaitAsync(Patience, Stop);

        Assert.IsType<SubmitResult.Unavailable>(refused);
        Assert.Null(inFlight);
        Assert.Empty(a.Intents.Concat(b.Intents));
        HistoryPage<EventRecord> told = await hub.History.EventsAsync(new HistoryFilter { Kind = "told-while-away" }, null, 500, Stop);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"number {i}"), told.Items.Reverse().Select(e => e.Text));

        // They have been silent for longer than a fresh report lasts.
        await a.ReportAsync();
        await b.ReportAsync();
        await hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
        string id = Assert.IsType<SubmitResult.Accepted>(await hub.Operations.SubmitAsync(OperationRig.Switchover(), OperationRig.Alice, Stop)).OperationId;
        Assert.Equal(OperationStatus.Succeeded, (await hub.UntilAsync(id, o => o.IsFinished)).Status);
        Assert.True((await hub.History.VerifyAuditAsync(Stop)).Intact);
    }

    [Fact]
    public async Task Readiness_WhileTheServerIsAway_SaysSo()
    {
        string folder = WholeHub.NewFolder();
        TestDatabases.Put(folder, own.Server);
        await using WholeHub hub = await WholeHub.StartAsync(data: folder);
        HttpClient anybody = hub.Browser();

        HttpStatusCode before = (await anybody.GetAsync("/healthz/ready", Stop)).StatusCode;
        own.Server.Stop();
        using HttpResponseMessage away = await anybody.GetAsync("/healthz/ready", Stop);
        HttpStatusCode alive = (await anybody.GetAsync("/healthz/live", Stop)).StatusCode;
        own.Server.StartAgain();
        HttpStatusCode after = (await anybody.GetAsync("/healthz/ready", Stop)).StatusCode;

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable), (before, away.StatusCode));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (alive, after));
    }

    [Fact]
    public async Task SecondHubOnTheSameDatabase_IsRefusedWhereverItsFolderIs()
    {
        using var one = new TemporaryFolder();
        using var two = new TemporaryFolder();
        TestDatabases.Put(one.Path, own.Server);
        TestDatabases.Put(two.Path, own.Server, asFolder: one.Path);
        await using (await HubUnderTest.StartAsync(one.Path))
        {
            DataFolderException fault = await Assert.ThrowsAsync<DataFolderException>(() => HubUnderTest.StartAsync(two.Path));

            Assert.Contains("Another hub is running on the PostgreSQL database", fault.Message, StringComparison.Ordinal);
        }

        // Whoever moves a hub takes its keys along.
        foreach (string key in Directory.GetFiles(one.Path, "*.pem"))
        {
            File.Copy(key, Path.Combine(two.Path, Path.GetFileName(key)), overwrite: true);
        }

        await (await HubUnderTest.StartAsync(two.Path)).DisposeAsync();
    }

    [Fact]
    public async Task LockGivenBackTwiceAtOnce_IsFreeWhenEitherIsDone()
    {
        using var folder = new TemporaryFolder();
        NpgsqlConnectionStringBuilder database = TestDatabases.Put(folder.Path, own.Server);
        await using ServiceProvider services = LockServices(folder.Path, database, new LastLines());
        await using var another = new NpgsqlConnection(database.ConnectionString);
        await another.OpenAsync(Stop);

        for (int i = 0; i < 10; i++)
        {
            IAsyncDisposable held = await services.GetRequiredService<HubLock>().TakeAsync(Stop);
            Assert.NotEqual(0, await HolderAsync(another));
            Task first = held.DisposeAsync().AsTask();
            Task second = held.DisposeAsync().AsTask();

            await Task.WhenAny(first, second).WaitAsync(Patience, Stop);
            Assert.Equal(0, await HolderAsync(another));
            await Task.WhenAll(first, second).WaitAsync(Patience, Stop);
        }
    }

    [Fact]
    public async Task LockOfAHubThatIsJustEnding_IsWaitedForAndSaid()
    {
        using var folder = new TemporaryFolder();
        NpgsqlConnectionStringBuilder database = TestDatabases.Put(folder.Path, own.Server);
        var log = new LastLines();
        await using ServiceProvider services = LockServices(folder.Path, database, log);
        var ending = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString);
        await ending.OpenAsync(Stop);
        await using (var take = new NpgsqlCommand($"SELECT pg_advisory_lock({PostgresHubLock.LockClass}, {PostgresHubLock.LockId})", ending))
        {
            await take.ExecuteNonQueryAsync(Stop);
        }

        Task<IAsyncDisposable> waiting = services.GetRequiredService<HubLock>().TakeAsync(Stop);
        await UntilWaitingAsync(database, "application_name LIKE 'failoverhub-lock-%'");
        Assert.False(waiting.IsCompleted);
        await ending.DisposeAsync();

        await (await waiting.WaitAsync(Patience, Stop)).DisposeAsync();
        Assert.Contains(log.Lines, l => l.Contains("this one waits for up to 5 s", StringComparison.Ordinal));
    }

    [Fact]
    public async Task HubThatIsStoppedTwice_EndsQuietlyAndTheNextOneStartsAtOnce()
    {
        using var folder = new TemporaryFolder();
        TestDatabases.Put(folder.Path, own.Server);
        for (int i = 0; i < 3; i++)
        {
            await using HubUnderTest hub = await HubUnderTest.StartAsync(folder.Path);
            HubLifetime lifetime = hub.Get<IEnumerable<IHostedService>>().OfType<HubLifetime>().Single();

            await lifetime.StopAsync(Stop);
            await lifetime.StopAsync(Stop);

            Assert.DoesNotContain(hub.Log, l => l.Contains("this one waits", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task SessionOfTheLockLost_IsTakenAgain_AndAnotherHubThatWasQuickerEndsThisOne()
    {
        using var folder = new TemporaryFolder();
        NpgsqlConnectionStringBuilder database = TestDatabases.Put(folder.Path, own.Server);
        await using HubUnderTest hub = await HubUnderTest.StartAsync(folder.Path);
        await using var another = new NpgsqlConnection(database.ConnectionString);
        await another.OpenAsync(Stop);

        int first = await HolderAsync(another);
        own.Server.Execute($"SELECT pg_terminate_backend({first}, 10000)");
        using var patience = new CancellationTokenSource(Patience);
        int second = 0;
        while (second == 0 && !patience.IsCancellationRequested)
        {
            second = await HolderAsync(another);
        }

        Assert.NotEqual(0, second);
        Assert.NotEqual(first, second);
        CancellationToken stopping = hub.Get<IHostApplicationLifetime>().ApplicationStopping;
        Assert.False(stopping.IsCancellationRequested);

        // The server gives the lock to who waits for it when its session ends.
        await using var wait = new NpgsqlCommand($"SET application_name = 'another hub'; SELECT pg_advisory_lock({PostgresHubLock.LockClass}, {PostgresHubLock.LockId})", another);
        Task<int> taken = wait.ExecuteNonQueryAsync(Stop);
        await UntilWaitingAsync(database, "application_name = 'another hub'");
        own.Server.Execute($"SELECT pg_terminate_backend({second}, 10000)");
        await taken.WaitAsync(Patience, Stop);

        var stopped = new TaskCompletionSource();
        await using CancellationTokenRegistration registration = stopping.Register(stopped.SetResult);
        await stopped.Task.WaitAsync(Patience, Stop);
    }

    [Fact]
    public async Task TextThatPostgresCannotKeep_IsDroppedAndTheOthersArrive()
    {
        using var folder = new TemporaryFolder();
        TestDatabases.Put(folder.Path, own.Server);
        await using HubUnderTest hub = await HubUnderTest.StartAsync(folder.Path);
        var bad = new Setting("zero\0octet");

        hub.Writer.Enqueue(new Setting("one"));
        hub.Writer.Enqueue(bad);
        hub.Writer.Enqueue(new Setting("two"));
        await hub.Writer.FlushAsync(Stop).WaitAsync(Patience, Stop);

        await using HubDbContext db = hub.OpenDatabase();
        Assert.Equal(["one", "two"], await db.Settings.Where(s => s.Value == "test").OrderBy(s => s.Key).Select(s => s.Key).ToListAsync(Stop));
        Assert.NotNull(bad.Why);
    }

    [Fact]
    public async Task DatabaseThatIsNotThere_SaysWhichAndWhatToLookAt()
    {
        using var folder = new TemporaryFolder();
        NpgsqlConnectionStringBuilder nowhere = own.Server.Database("nowhere");
        nowhere.Password = "s3cret";
        await using ServiceProvider services = new ServiceCollection().AddHubDatabase(folder.Path, DatabaseSetting.Postgres(nowhere)).BuildServiceProvider();

        DataFolderException fault = await Assert.ThrowsAsync<DataFolderException>(() => HubDatabase.MigrateAsync(services, Stop));

        Assert.Contains("'nowhere'", fault.Message, StringComparison.Ordinal);
        Assert.Contains("does the database exist", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", fault.ToString(), StringComparison.Ordinal);
    }

    private static ServiceProvider LockServices(string folder, NpgsqlConnectionStringBuilder database, LastLines log) => new ServiceCollection()
        .AddLogging(logging => logging.AddProvider(log))
        .AddSingleton(TimeProvider.System)
        .AddSingleton<IHostApplicationLifetime, Microsoft.Extensions.Hosting.Internal.ApplicationLifetime>()
        .AddHubDatabase(folder, DatabaseSetting.Postgres(database))
        .BuildServiceProvider();

    /// <summary>The session that has the lock; 0: nobody has.</summary>
    private static async Task<int> HolderAsync(NpgsqlConnection another)
    {
        await using var ask = new NpgsqlCommand("SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted", another);
        return await ask.ExecuteScalarAsync(Stop) is int pid ? pid : 0;
    }

    private static async Task UntilWaitingAsync(NpgsqlConnectionStringBuilder database, string who)
    {
        await using var watcher = new NpgsqlConnection(database.ConnectionString);
        await watcher.OpenAsync(Stop);
        await using var ask = new NpgsqlCommand($"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {who} AND wait_event_type = 'Lock'", watcher);
        using var patience = new CancellationTokenSource(Patience);
        while (await ask.ExecuteScalarAsync(Stop) is 0L)
        {
            Assert.False(patience.IsCancellationRequested, "Nobody waits for the lock.");
        }
    }

    private sealed class Setting(string key) : HubWrite
    {
        public Exception? Why { get; private set; }

        public override Task ApplyAsync(HubDbContext db, CancellationToken cancellationToken)
        {
            db.Add(new SettingEntity { Key = key, Value = "test" });
            return Task.CompletedTask;
        }

        public override void Dropped(Exception why) => Why = why;
    }
}
