using FailoverHub.Web.Configuration;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
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

    private HubUnderTest(WebApplication app) => _app = app;

    public string AgentUrl => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public FleetStore Fleet => _app.Services.GetRequiredService<FleetStore>();

    public OperationDesk Operations => _app.Services.GetRequiredService<OperationDesk>();

    public IHistory History => _app.Services.GetRequiredService<IHistory>();

    public HubWriter Writer => _app.Services.GetRequiredService<HubWriter>();

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public HubDbContext OpenDatabase() => _app.Services.GetRequiredService<IDbContextFactory<HubDbContext>>().CreateDbContext();

    public static async Task<HubUnderTest> StartAsync(string dataFolder, TimeProvider? time = null, Action<IServiceCollection>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(k => k.ListenLocalhostHttp2());
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddHubCore(dataFolder);
        configure?.Invoke(builder.Services);
        var app = builder.Build();
        app.MapAgentLink();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new HubUnderTest(app);
    }

    /// <summary>Waits until the fleet is so; the safety time-out only ends a test that hangs.</summary>
    public async Task<FleetSnapshot> UntilAsync(Func<FleetSnapshot, bool> holds)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        return (await Fleet.WaitUntilAsync(s => holds(s.Snapshot), safety.Token)).Snapshot;
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

internal static class KestrelForTests
{
    public static void ListenLocalhostHttp2(this KestrelServerOptions kestrel) =>
        kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
}

/// <summary>A folder of its own for one test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("failoverhub-").FullName;

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(Path, recursive: true);
    }
}
