using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Harness;

/// <summary>A test with a data center of its own, whose logs are kept when it fails, or always when FAILOVERHUB_KEEP_LOGS is set.</summary>
public abstract class DataCenterTest : IAsyncDisposable
{
    private DataCenter? _center;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected DataCenter Center => _center ?? throw new InvalidOperationException("Start it first.");

    private protected async Task<DataCenter> StartAsync(RouteServerKind kind) => _center = await DataCenter.StartAsync(kind, Cancellation);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
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
