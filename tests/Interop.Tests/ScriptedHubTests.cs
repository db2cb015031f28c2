using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;

namespace FailoverHub.Interop.Tests;

/// <summary>A hub that was killed is gone, and another one can take its place.</summary>
public sealed class ScriptedHubTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Killed_NobodyListensUntilItIsStartedAgain()
    {
        await using var sandbox = await Sandbox.StartAsync(Cancellation);
        var network = Addresses.NodeNetwork("a");
        await sandbox.ScriptAsync($"ip netns add {network}; ip -n {network} link set lo up", Cancellation);
        await using var hub = new ScriptedHub(sandbox, "a");

        await hub.StartAsync(Cancellation);
        Assert.Single(await ListenersAsync());

        await hub.KillAsync();
        Assert.Empty(await ListenersAsync());

        await hub.StartAsync(Cancellation);
        Assert.Single(await ListenersAsync());

        async Task<string[]> ListenersAsync() =>
            (await sandbox.RunAsync(network, ["ss", "-Hltn"], Cancellation)).Checked().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
