using System.Collections.Concurrent;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Web.Tests.Agents;

/// <summary>The hub's core on a loopback port, on a data folder that outlives it: start another one on the same folder to restart it.</summary>
internal sealed class HubUnderTest : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly LastLines _log;

    private HubUnderTest(WebApplication app, LastLines log) => (_app, _log) = (app, log);

    public string AgentUrl => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public FleetStore Fleet => _app.Services.GetRequiredService<FleetStore>();

    public OperationDesk Operations => _app.Services.GetRequiredService<OperationDesk>();

    public IHistory History => _app.Services.GetRequiredService<IHistory>();

    public HubWriter Writer => _app.Services.GetRequiredService<HubWriter>();

    public IEnumerable<string> Log => _log.Lines;

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public HubDbContext OpenDatabase() => _app.Services.GetRequiredService<IDbContextFactory<HubDbContext>>().CreateDbContext();

    public static async Task<HubUnderTest> StartAsync(string dataFolder, TimeProvider? time = null, Action<IServiceCollection>? configure = null, AgentsEndpoint? tls = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var log = new LastLines();
        builder.Logging.ClearProviders().AddProvider(log);
        HubApplication.Quieten(builder.Logging);
        builder.WebHost.UseKestrel(k => k.ListenLocalhostHttp2(tls is not null));
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddHubCore(dataFolder, TestDatabases.For(dataFolder), endpoint: tls);
        configure?.Invoke(builder.Services);
        var app = builder.Build();
        app.MapAgents();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new HubUnderTest(app, log);
    }

    /// <summary>Waits until the fleet is so; the safety time-out only ends a test that hangs.</summary>
    public async Task<FleetSnapshot> UntilAsync(Func<FleetSnapshot, bool> holds)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        try
        {
            return (await Fleet.WaitUntilAsync(s => holds(s.Snapshot), safety.Token)).Snapshot;
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The fleet did not become so. {Describe()}");
        }
    }

    /// <summary>Waits until the hub has logged so: it does so behind whatever ended a call, so that the caller may know of its end before.</summary>
    public async Task LoggedAsync(Func<string, bool> isIt)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        await _log.UntilAsync(isIt, safety.Token);
    }

    /// <summary>What a test that waited in vain needs to say.</summary>
    public string Describe()
    {
        var facts = Fleet.State.Facts;
        var nodes = facts.Nodes.Values.Select(n => $"{n.Name}: {Fleet.Current.FindNode(n.Name)?.Link}, stream {n.Stream}, intent {n.Intent?.Revision}, answer {n.Answer}, report {n.Report?.Sequence} of stream {n.Report?.StreamId} at {n.Report?.ReceivedAt}, revision {n.Report?.IntentRevision}, flaps {n.Report?.Sessions.FirstOrDefault()?.Flaps}");
        return string.Join(Environment.NewLine, [$"Snapshot {Fleet.Current.Version} of {Fleet.Current.At:HH:mm:ss.fff}", .. nodes, "Log:", .. _log.Lines]);
    }

    public async Task<OperationView> UntilAsync(string operationId, Func<OperationView, bool> holds)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(safety.Token);
        var watch = Operations.WatchAsync(stop.Token).GetAsyncEnumerator(stop.Token);
        await using (watch)
        {
            var next = watch.MoveNextAsync();
            var now = await Operations.FindAsync(operationId, safety.Token);
            if (now is not null && holds(now))
            {
                await stop.CancelAsync();
                await next;
                return now;
            }

            while (await next)
            {
                if (watch.Current.Id == operationId && holds(watch.Current))
                {
                    return watch.Current;
                }

                next = watch.MoveNextAsync();
            }
        }

        throw new TimeoutException($"The operation stayed at {(await Operations.FindAsync(operationId, CancellationToken.None))?.Status}.");
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }
}

/// <summary>The last log lines of a hub: they are read when a test waited in vain.</summary>
internal sealed class LastLines : ILoggerProvider, ILogger
{
    private const int Kept = 200;
    private readonly ConcurrentQueue<string> _lines = new();
    private TaskCompletionSource _added = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IEnumerable<string> Lines => _lines;

    public async Task UntilAsync(Func<string, bool> isIt, CancellationToken cancellationToken)
    {
        while (true)
        {
            var added = Volatile.Read(ref _added).Task;
            if (_lines.Any(isIt))
            {
                return;
            }

            await added.WaitAsync(cancellationToken);
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _lines.Enqueue($"{logLevel}: {formatter(state, exception)} {exception}");
        while (_lines.Count > Kept)
        {
            _lines.TryDequeue(out _);
        }

        Interlocked.Exchange(ref _added, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    public void Dispose()
    {
    }
}

internal static class KestrelForTests
{
    /// <summary>With TLS the very one of the hub.</summary>
    public static void ListenLocalhostHttp2(this KestrelServerOptions kestrel, bool tls = false) => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen =>
    {
        listen.Protocols = HttpProtocols.Http2;
        if (tls)
        {
            FailoverHub.Web.Agents.AgentsTls.Use(listen);
        }
    });
}

/// <summary>A folder of its own for one test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("failoverhub-").FullName;

    public void Dispose()
    {
        TestDatabases.Release(Path);
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(Path, recursive: true);
    }
}
