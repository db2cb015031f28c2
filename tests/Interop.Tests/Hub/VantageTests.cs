using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;
using FailoverHub.Protos.V1;

namespace FailoverHub.Interop.Tests.Hub;

/// <summary>A node asks for its hub over a real network: an address behind a link that is cut and mended, and one that the node has itself.</summary>
public sealed class VantageTests : DataCenterTest
{
    private const uint Other = 1;
    private const uint Moving = 2;

    // Node a has it at first, and does not speak from it (preferred_lft 0).
    private const string MovingAddress = "2600:3c0f:18:1::77";

    /// <summary>Once as root, over a raw socket; once as the kernel permits everybody's group to ping.</summary>
    [Theory]
    [InlineData("net_admin", "1 0")]
    [InlineData("net_raw", "0 0")]
    public async Task LinkIsCut_IsLostAndAnsweredAgain_AndNoSessionHearsOfIt(string without, string groups)
    {
        var center = await StartOneAsync(RouteServerKind.Bird);
        (await center.Sandbox.RunAsync(Addresses.NodeNetwork("a"), ["sh", "-ec", $"echo '{groups}' >/proc/sys/net/ipv4/ping_group_range; ip addr add {MovingAddress}/64 dev eth0 nodad preferred_lft 0"], Cancellation)).Checked();
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        Agent.StartWithout(without, center, "a", Addresses.Shared, "--primary", "--hub", ScriptedHub.Url);
        await center.SeeRoutesAsync("a", Expected.All(Addresses.Primary), Cancellation);
        var sessions = await center.IdentitiesAsync("a", Cancellation);

        await hub.PlanAsync(Plan(), Cancellation);
        var first = await hub.BatchAsync("an answer", 0, Answers, Cancellation);
        Assert.Contains("this node has the address itself", Assert.Single(first.Problems, problem => problem.Task == Moving).Text, StringComparison.Ordinal);

        await center.CutAsync("b", Cancellation);
        var lost = await hub.BatchAsync("the loss", 0, batch => batch.Results.Any(result => result is { Task: Other, Answered: false }), Cancellation);
        Assert.All(lost.Results.Where(result => !result.Answered), result => Assert.Equal(0u, result.RoundTripUs));

        var behind = hub.Batches;
        await center.MendAsync("b", Cancellation);
        await hub.BatchAsync("an answer again", behind, Answers, Cancellation);

        // The address goes to the other node, and is asked from now on.
        behind = hub.Batches;
        await center.Sandbox.ScriptAsync($"ip -n {Addresses.NodeNetwork("a")} addr del {MovingAddress}/64 dev eth0; ip -n {Addresses.NodeNetwork("b")} addr add {MovingAddress}/64 dev eth0 nodad", Cancellation);
        var moved = await hub.BatchAsync("an answer of what was its own", behind, batch => batch.Results.Any(result => result is { Task: Moving, Answered: true }), Cancellation);
        Assert.Empty(moved.Problems);

        Assert.Equal(sessions, await center.IdentitiesAsync("a", Cancellation));
    }

    [Fact]
    public async Task NeitherGroupNorCapability_IsSaidWithWhatHelps_AndTcpIsAskedAllTheSame()
    {
        var center = await StartOneAsync(RouteServerKind.Bird);
        await using var hub = new ScriptedHub(center.Sandbox, "a");
        await hub.StartAsync(Cancellation);
        var agent = Agent.StartWithout("net_raw", center, "a", Addresses.Shared, "--primary", "--hub", ScriptedHub.Url);

        var plan = Plan();
        plan.Tasks.Add(new ProbeTask { Id = 3, Address = Addresses.RouteServer(1), IntervalMs = 1000, TimeoutMs = 900, Tcp = new TcpConnect { Port = 179 } });
        await hub.PlanAsync(plan, Cancellation);

        var batch = await hub.BatchAsync("an answer over TCP", 0, batch => batch.Results.Any(result => result is { Task: 3, Answered: true }), Cancellation);
        var problem = Assert.Single(batch.Problems, problem => problem.Task == Other).Text;
        Assert.Contains("ping_group_range", problem, StringComparison.Ordinal);
        Assert.Contains("CAP_NET_RAW", problem, StringComparison.Ordinal);
        await agent.SayAsync("Addresses that the hub wants pinged are not", Cancellation);
    }

    private static bool Answers(ProbeBatch batch) => batch.Results.Any(result => result is { Task: Other, Answered: true, RoundTripUs: > 0 });

    private static ProbePlan Plan() => new()
    {
        Revision = 1,
        Tasks =
        {
            new ProbeTask { Id = Other, Address = Addresses.Node("b"), IntervalMs = 100, TimeoutMs = 500, Icmp = new IcmpEcho() },
            new ProbeTask { Id = Moving, Address = MovingAddress, IntervalMs = 1000, TimeoutMs = 500, Icmp = new IcmpEcho() },
        },
    };
}
