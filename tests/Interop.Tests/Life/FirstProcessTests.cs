using System.Globalization;
using System.Text.Json.Nodes;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Life;

/// <summary>
/// Process 1 of a container inherits every process that outlives its parent. A check whose command leaves one each time fills the table of processes, unless somebody takes them.
/// </summary>
public sealed class FirstProcessTests : DataCenterTest
{
    private const string Configuration = "/run/agent.json";
    private const int Runs = 12;

    [Fact]
    public async Task InAContainer_WhatCommandsLeaveBehindIsTaken_AndTheirOwnEndsAreStillKnown()
    {
        var center = await StartOneAsync(RouteServerKind.Bird);
        await ConfigureAsync(center);
        var agent = Agent.StartUnder(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"], center, "a", Flags(center));

        var verdict = await RanAsync(agent);

        Assert.Equal("healthy", verdict);
        Assert.Equal("1", await NumberInsideAsync(agent));

        // One that has just ended is taken behind the next run.
        await Eventually.SeeAsync("no more than two that ended", EndedAsync, ended => ended <= 2, Cancellation);
        await center.SeeRoutesAsync("a", Expected.These([Addresses.SharedIpv4], Addresses.Primary), Cancellation);
    }

    [Fact]
    public async Task ElsewhereTheyAreSomebodyElses()
    {
        // The first process here takes nobody, so each of them is still to be seen: the command does leave one.
        var center = await StartOneAsync(RouteServerKind.Bird);
        await ConfigureAsync(center);
        var agent = Agent.StartAlone(center, "a", Flags(center));

        await RanAsync(agent);

        Assert.NotEqual("1", await NumberInsideAsync(agent));
        await Eventually.SeeAsync($"{Runs} that ended", EndedAsync, ended => ended >= Runs, Cancellation);
    }

    private static string[] Flags(DataCenter center) =>
        ["--neighbor", center.RouteServers[0].Address, "--primary", "--announce", Addresses.SharedIpv4, "--config", Configuration];

    // Its child outlives it by a moment, in a session of its own.
    private static Task ConfigureAsync(DataCenter center) => center.Sandbox.WriteAsync(
        Configuration, """{ "checks": [{ "name": "leaving", "command": { "run": "setsid sleep 0.2 >/dev/null 2>&1 & exit 0" }, "interval": 0.3, "rise": 1 }] }""", Cancellation);

    private static async Task<string> RanAsync(Agent agent)
    {
        var check = await Eventually.SeeAsync(
            $"{Runs} runs of the check", async c => JsonNode.Parse(await agent.StatusAsync(c, "--json"))!["checks"]!.AsArray()[0]!, check => (long)check["runs"]! >= Runs, Cancellation);
        return (string)check["verdict"]!;
    }

    // As it says itself.
    private static async Task<string> NumberInsideAsync(Agent agent) => ((int)JsonNode.Parse(await agent.StatusAsync(Cancellation, "--json"))!["processId"]!).ToString(CultureInfo.InvariantCulture);

    // Zombies of the command's program, whoever has them.
    private async Task<int> EndedAsync(CancellationToken cancellation) => int.Parse(
        (await Center.Sandbox.RunAsync(null, ["sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null | grep -c '(sleep) Z' || true"], cancellation)).Checked(), CultureInfo.InvariantCulture);
}
