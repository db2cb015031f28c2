using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Harness;

/// <summary>A test with a data center of its own, whose logs are kept when it fails, or always when FAILOVERHUB_KEEP_LOGS is set.</summary>
public abstract class DataCenterTest : IAsyncDisposable
{
    private DataCenter? _center;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected DataCenter Center => _center ?? throw new InvalidOperationException("Start it first.");

    /// <summary>With four route servers, as the platform has them.</summary>
    private protected Task<DataCenter> StartAsync(RouteServerKind kind) => StartAsync(new DataCenterOptions { Kind = kind });

    /// <summary>With one route server, where one shows as much as four.</summary>
    private protected Task<DataCenter> StartOneAsync(RouteServerKind kind, RouteServerOptions? server = null) =>
        StartAsync(new DataCenterOptions { Kind = kind, Count = 1, Servers = server ?? new RouteServerOptions() });

    private protected async Task<DataCenter> StartAsync(DataCenterOptions options) => _center = await DataCenter.StartAsync(options, Cancellation);

    /// <summary>Ends what a kind of test has beside its data center, which still runs.</summary>
    protected virtual ValueTask EndAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await EndAsync();
        if (_center is null)
        {
            return;
        }

        if (TestContext.Current.TestState?.Result == TestResult.Failed || Environment.GetEnvironmentVariable("FAILOVERHUB_KEEP_LOGS") is not null)
        {
            var name = string.Join('_', TestContext.Current.Test!.TestDisplayName.Split([.. Path.GetInvalidFileNameChars(), ' ', '"', ':', '(', ')'], StringSplitOptions.RemoveEmptyEntries));
            var folder = Path.Combine(BuiltPaths.TestResults, name);
            _center.Sandbox.Save(folder);
            TestContext.Current.TestOutputHelper?.WriteLine($"Logs and configurations of its data center: {folder}");
        }

        await _center.DisposeAsync();
    }
}
