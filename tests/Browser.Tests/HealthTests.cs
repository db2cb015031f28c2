using FailoverHub.Browser.Tests.Trial;
using static Microsoft.Playwright.Assertions;

namespace FailoverHub.Browser.Tests;

/// <summary>A health check of the real agent, from the file that it looks for to the page that says which check fails and why.</summary>
public sealed class HealthTests(TrialRun trial) : BrowserTest(trial)
{
    [Fact]
    public async Task FailingCheck_MovesTheAddressAndIsNamedOnThePages()
    {
        var folder = Directory.CreateTempSubdirectory("failoverhub-health-").FullName;
        var alive = Path.Combine(folder, "alive");
        await File.WriteAllTextAsync(alive, "", Cancelled);
        var configuration = Path.Combine(folder, "agent.json");
        await File.WriteAllTextAsync(
            configuration,
            $$"""{ "checks": [{ "name": "service", "command": { "run": ["/bin/ls", "{{alive}}"] }, "interval": 0.2, "fastInterval": 0.1, "rise": 1, "fall": 1 }] }""",
            Cancelled);
        try
        {
            await RestartAsync(new() { ["FAILOVERHUB_AGENT_CONFIG"] = configuration, ["FAILOVERHUB_AGENT_FAILBACK"] = "immediate" });
            var page = await OperatorAsync("/nodes/node-a");
            var check = page.GetByTestId("check-row");
            await Expect(check).ToHaveAttributeAsync("data-verdict", "Healthy", new() { Timeout = 30_000 });

            File.Delete(alive);

            await Expect(check).ToHaveAttributeAsync("data-verdict", "Unhealthy", new() { Timeout = 30_000 });
            await Expect(page.GetByTestId("check-output")).ToContainTextAsync("alive");
            await page.GotoAsync(new Uri(Trial.HubUrl, PairPath).AbsoluteUri);
            await Expect(page.GetByTestId("active-node")).ToHaveAttributeAsync("data-node", "node-b", new() { Timeout = 30_000 });
            await Expect(page.GetByTestId("pair-state")).ToHaveAttributeAsync("data-state", "FailedOver");
            await Expect(page.GetByTestId("member-node-a").GetByTestId("failing-check")).ToContainTextAsync("service");
            Assert.Equal("node-b", await SharedAddressClient.AskAsync(Trial.SharedAddress, Cancelled));

            // A move to a node whose service does not answer is refused, and says why.
            await Expect(page.GetByTestId("action-failback-why")).ToContainTextAsync("check 'service' fails");
        }
        finally
        {
            await RestartAsync([]);
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task RestartAsync(Dictionary<string, string> settings)
    {
        await Trial.KillAsync("node-a", Cancelled);
        await Trial.StartComponentAsync("node-a", settings, Cancelled);
        await Waiting.UntilAsync(
            () => Trial.Api.PairAsync(Cancelled),
            pair => pair?.Member("node-a") is { Link: "Connected", Established: 4 },
            "node-a is back",
            Cancelled);
    }
}
