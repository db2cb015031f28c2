using System.Net;
using System.Net.Sockets;
using FailoverHub.Interop.Tests.Harness;

namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>
/// The real hub stands where the client stands and asks the shared addresses who answers there: its questions are forwarded by FRR's choice, to the machine that really has
/// the traffic.
/// </summary>
public sealed class WhoAnswersTests : HubAtTheClientTest
{
    private const int Port = 5444;

    // The kernel's, less the fabric's own hop.
    private const int Ttl = 63;

    [Fact]
    public async Task Switchover_TheHubSeesWhoAnswers_BeforeAndAfter()
    {
        await StartFabricAsync();
        var hub = await StartHubAtTheClientAsync();
        var a = await JoinAsync(hub, "a", "--primary");
        var b = await JoinAsync(hub, "b", "--secondary");
        var before = await SeesAsync(hub, "web-a", "observed");
        Assert.All(before["answers"]!.AsArray(), answer => Assert.Equal(("web-a", Ttl), ((string?)answer!["node"], (int?)answer["ttl"])));
        Assert.Equal(2, before["answers"]!.AsArray().Count);

        await a.OrderAsync(["drain", "--reason", "a test"], Cancellation);
        await SeesAsync(hub, "web-b", "observed");
        await a.OrderAsync(["undrain", "--reason", "a test"], Cancellation);
        await SeesAsync(hub, "web-a", "observed");

        // Both moves were moves, and nothing else.
        Assert.Empty(await hub.EventsAsync(Cancellation, "answers-split", "answers-elsewhere", "answers-forged"));

        // Nobody is asked any more of what is not answered: then it is inferred, and says so.
        await b.TerminateAsync(Cancellation);
        await a.Process.SignalAsync("STOP", Cancellation);
        await Eventually.SeeAsync("no answer that is old", c => hub.PairAsync(c), pair => pair?["answers"]?.AsArray().Count == 0 && (string?)pair["activeNodeBasis"] != "observed", Cancellation);
        await a.Process.SignalAsync("CONT", Cancellation);
        await SeesAsync(hub, "web-a", "observed");
    }

    /// <summary>Each half of the route servers hears one node only, both are primary, and the network shares the traffic out: that is what no node can see.</summary>
    [Fact]
    public async Task BothPrimary_AndTheNetworkSharesThemOut_IsASplit_UntilOneOfThemGoes()
    {
        await StartFabricAsync(shares: true);
        var hub = await StartHubAtTheClientAsync();
        await JoinAsync(hub, "a", "--primary", [1, 2]);
        var b = await JoinAsync(hub, "b", "--primary", [3, 4]);

        var pair = await Eventually.SeeAsync(
            "the split", c => hub.PairAsync(c), pair => pair?["answers"]?.AsArray().Any(answer => (string?)answer!["problem"] == "split") == true, Cancellation);
        Assert.NotEqual("observed", (string?)pair!["activeNodeBasis"]);
        await Eventually.SeeAsync(
            "the event of the split",
            c => hub.EventsAsync(c, "answers-split"),
            events => events.Any(text => text.StartsWith("web-a and web-b answer on ", StringComparison.Ordinal)),
            Cancellation);

        await b.OrderAsync(["drain", "--reason", "a test"], Cancellation);
        await SeesAsync(hub, "web-a", "observed");
        await Eventually.SeeAsync("that it is over", c => hub.EventsAsync(c, "answers-settled"), events => events.Any(text => text.Contains("only web-a answers there now", StringComparison.Ordinal)), Cancellation);
    }

    /// <summary>The network has a route of its own: everybody announces as he should, and the traffic is at the other node. No node can see that.</summary>
    [Fact]
    public async Task NetworkThatDoesNotFollow_IsElsewhere_UntilItDoes()
    {
        await StartFabricAsync();
        var hub = await StartHubAtTheClientAsync();
        await JoinAsync(hub, "a", "--primary");
        await JoinAsync(hub, "b", "--secondary");
        await SeesAsync(hub, "web-a", "observed");

        await ForceAsync("add");
        var pair = await SeesAsync(hub, "web-b", "observed");
        Assert.Equal("web-a", (string?)pair["preferredNode"]);
        Assert.All(pair["answers"]!.AsArray(), answer => Assert.Equal(("web-b", "elsewhere"), ((string?)answer!["node"], (string?)answer["problem"])));
        await Eventually.SeeAsync(
            "the event of it", c => hub.EventsAsync(c, "answers-elsewhere"), events => events.Any(text => text.Contains("web-b", StringComparison.Ordinal) && text.Contains("web-a", StringComparison.Ordinal)), Cancellation);

        await ForceAsync("del");
        await SeesAsync(hub, "web-a", "observed");
        await Eventually.SeeAsync("that it is over", c => hub.EventsAsync(c, "answers-settled"), events => events.Count > 0, Cancellation);
    }

    /// <summary>A node may have a whole range by a route, with hardly an address of it on an interface: the hub asks the range's first host, and is answered from there.</summary>
    [Fact]
    public async Task RangeThatIsTheNodesByARoute_IsAnsweredFromTheAddressThatWasAsked()
    {
        await StartFabricAsync();
        var (network, asked) = (Addresses.NodeNetwork("a"), Addresses.SharedHosts[1]);
        await Center.Sandbox.ScriptAsync(
            $"ip -n {network} -6 addr del {asked}/64 dev lo; ip -n {network} -6 addr add 2001:db8:e001:1b8c::5/128 dev lo nodad; ip -n {network} -6 route add local {Addresses.SharedRange64} dev lo", Cancellation);
        var hub = await StartHubAtTheClientAsync();
        await JoinAsync(hub, "a", "--primary");
        await JoinAsync(hub, "b", "--secondary");

        var pair = await SeesAsync(hub, "web-a", "observed");

        Assert.Contains(pair["answers"]!.AsArray(), answer => (string?)answer!["prefix"] == Addresses.SharedRange64 && (string?)answer["node"] == "web-a");
        Assert.Empty(await hub.EventsAsync(Cancellation, "answers-split", "answers-elsewhere", "answers-forged"));
    }

    /// <summary>Node a has the traffic, and somebody else than its agent answers there, as whom he likes.</summary>
    [Fact]
    public async Task SomebodyAnswersWithAFalseDigest_IsTold_AndNeverShownAsActive()
    {
        await StartFabricAsync();
        using var liar = Native.BindDatagramIn(Center.Sandbox.NamespaceFile(Addresses.NodeNetwork("a")), new IPEndPoint(IPAddress.Parse(Addresses.SharedHosts[0]), Port));
        using var end = new CancellationTokenSource();
        var lying = LieAsync(liar, end.Token);
        var hub = await StartHubAtTheClientAsync();
        await JoinAsync(hub, "a", "--primary", null, "--identity-port", "0");
        await JoinAsync(hub, "b", "--secondary");

        var pair = await Eventually.SeeAsync(
            "the lie", c => hub.PairAsync(c), pair => pair?["answers"]?.AsArray().Any(answer => (string?)answer!["problem"] == "forged" && answer["node"] is null) == true, Cancellation);
        Assert.Equal(("web-a", "inferred"), ((string?)pair!["activeNode"], (string?)pair["activeNodeBasis"]));
        await Eventually.SeeAsync(
            "the event of the lie",
            c => hub.EventsAsync(c, "answers-forged"),
            events => events.Any(text => text.Contains("cannot prove it", StringComparison.Ordinal)),
            Cancellation);
        await end.CancelAsync();
        await lying;
    }

    // Before what the route servers chose, to node b.
    private Task ForceAsync(string what) => Center.Sandbox.ScriptAsync(
        $"ip -n {Addresses.RouteServerNetwork} route {what} {Addresses.SharedIpv4} via {Addresses.NodeIpv4("b")} metric 1; ip -n {Addresses.RouteServerNetwork} -6 route {what} {Addresses.SharedRange64} via {Addresses.Node("b")} dev lan metric 1", Cancellation);

    private static async Task LieAsync(Socket socket, CancellationToken end)
    {
        var request = new byte[200];
        try
        {
            while (true)
            {
                var asked = await socket.ReceiveFromAsync(request, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), end);
                byte[] answer = [.. "FHA1"u8, .. request[4..20], .. new byte[32], 5, .. "web-b"u8];
                await socket.SendToAsync(answer, SocketFlags.None, asked.RemoteEndPoint, end);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
