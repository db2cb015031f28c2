using FailoverHub.Protos.V1;
using FailoverHub.Web.Agents.Limits;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Tests.Identity;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using NodeLink = FailoverHub.Web.Fleet.NodeLink;
using Role = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Agents;

/// <summary>
/// A node with a good certificate and a broken or hostile agent, over TLS with a real client: each of its faults is in the log once a period, with a number for the rest, and
/// the node beside it notices nothing.
/// </summary>
[Trait("Kind", "Hub")]
public sealed class MisbehavingAgentTests : TlsHubTest
{
    private const int Times = 12;

    [Theory]
    [InlineData("bytes that are no message", StatusCode.InvalidArgument, nameof(NodeFault.Malformed))]
    [InlineData("bytes that are no message, first", StatusCode.InvalidArgument, nameof(NodeFault.Malformed))]
    [InlineData("a report that makes no sense", StatusCode.InvalidArgument, nameof(NodeFault.Malformed))]
    [InlineData("a report before Hello", StatusCode.InvalidArgument, nameof(NodeFault.Malformed))]
    [InlineData("a message that is too large", StatusCode.ResourceExhausted, nameof(NodeFault.Oversized))]
    public async Task WhatIsWrong_AgainAndAgain_IsLoggedOnceAPeriodWithTheNumber(string what, StatusCode status, string fault)
    {
        await using var other = await OtherAsync();
        var node = await JoinedAsync("web-1");
        using var channel = node.Channel(Url);
        for (var i = 0; i < Times; i++)
        {
            Assert.Equal(status, (await SendAsync(channel, what)).StatusCode);
        }

        var told = Assert.Single(Faults());
        Assert.StartsWith($"Warning: web-1: {fault}. ", told, StringComparison.Ordinal);

        // The clock stood still: they were all in one period, and nobody else has logged any of them.
        Time.Advance(NodeComplaints.Period);
        Assert.StartsWith($"Warning: web-1: {fault}, {Times - 1} times more within 10 minutes.", Assert.Single(Faults(), line => line != told), StringComparison.Ordinal);
        Assert.DoesNotContain(Hub.Log, line => line.StartsWith("Error", StringComparison.Ordinal));

        // Whoever goes on is told of at the end of each period, whoever has stopped is not told of again.
        await SendAsync(channel, what);
        Time.Advance(NodeComplaints.Period);
        Time.Advance(NodeComplaints.Period);
        Assert.Equal(3, Faults().Count);
        await ServedAsync(other);
    }

    [Fact]
    public async Task Flood_OverManyStreams_IsLoggedOnce()
    {
        await using var other = await OtherAsync();
        var node = await JoinedAsync("web-1");
        for (var stream = 0; stream < 3; stream++)
        {
            await using var agent = await node.ConnectAsync(Url);
            for (var i = 0u; i < MessagePace.Burst + 5; i++)
            {
                await agent.ReportAsync(r => r.Sessions[0].Flaps = i + 1);
            }

            // The clock stands still: what is over the burst waits.
            await Hub.UntilAsync(s => s.FindNode("web-1")!.Sessions is [{ } first, ..] && first.Flaps >= MessagePace.Burst - 1);
        }

        await ServedAsync(other);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.ConnectedSince is null);
        Assert.Single(Faults(), line => line.StartsWith("Warning: web-1: Flood. It sends more than", StringComparison.Ordinal));
        Time.Advance(NodeComplaints.Period);

        // Of the last stream it may have been gone before the hub had read as much.
        Assert.Matches("^Warning: web-1: Flood, [12] times more within 10 minutes\\.", Assert.Single(Faults().Skip(1)));
    }

    [Fact]
    public async Task AgentThatNeverReads_IsDroppedBeforeMuchWaitsForIt_AndWhoeverReadsGetsEverything()
    {
        await using var other = await OtherAsync();

        // It says nothing to what it reads: the clock stands still, and its answers would be a flood.
        other.Obedience = Obedience.IsDeaf;
        var node = await JoinedAsync("web-1");
        using var channel = node.Channel(Url);
        using var call = new AgentLink.AgentLinkClient(channel).Connect(cancellationToken: Stop);
        await call.RequestStream.WriteAsync(new AgentMessage { Hello = new Hello { Node = "web-1", BootId = "boot-1", AgentVersion = "1.2.3" } }, Stop);
        var report = FakeAgent.State(Role.Primary);
        report.Sequence = 1;
        await call.RequestStream.WriteAsync(new AgentMessage { Report = report }, Stop);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);

        // Each is read by the one before the next is made, so that only not reading fills anything.
        const int Octets = 500;
        long offered = 0;
        while (Hub.Fleet.Current.FindNode("web-1")!.ConnectedSince is not null)
        {
            offered++;
            Assert.True(offered < 4_000, "Nobody drops it.");
            foreach (var name in new[] { "web-1", "web-2" })
            {
                await Hub.Fleet.PostAsync(new FleetMessage.IntentReleased(name, new IntentFacts { Revision = offered, Drained = false, Roles = IntentFacts.RolesFrom([]), Reason = new string('x', Octets) }), Stop);
            }

            Assert.Equal((ulong)offered, (await other.ReceiveIntentAsync()).Revision);
        }

        // The windows of HTTP/2 and what the hub buffers behind them are full, and the queue is.
        Assert.InRange(offered, 64, 1_000);
        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext(Stop))
            {
                // What had come as far as here.
            }
        });
        await Hub.LoggedAsync(line => line.Contains(": NeverReads", StringComparison.Ordinal));
        Assert.StartsWith("Warning: web-1: NeverReads. ", Assert.Single(Faults()), StringComparison.Ordinal);
        await ServedAsync(other);
    }

    [Fact]
    public void Faults_AreToldApartByNodeAndKind_AndBounded()
    {
        var lines = new LastLines();
        using (var complaints = new NodeComplaints(Time, new Logger<NodeComplaints>(LoggerFactory.Create(log => log.AddProvider(lines)))))
        {
            complaints.Note("a", NodeFault.Flood, "one");
            complaints.Note("a", NodeFault.Malformed, new string('y', 5_000));
            complaints.Note("b", NodeFault.Flood, "one");
            Assert.Equal(3, lines.Lines.Count());
            Assert.All(lines.Lines, line => Assert.InRange(line.Length, 1, 400));

            for (var i = 0; i < 2 * NodeComplaints.Most; i++)
            {
                complaints.Note($"n{i}", NodeFault.Flood, "one");
                complaints.Note($"n{i}", NodeFault.Flood, "two");
            }

            Assert.DoesNotContain(lines.Lines, line => line.Contains($"n{NodeComplaints.Most}:", StringComparison.Ordinal));
            complaints.Note("a", NodeFault.Flood, "two");
        }

        // What was counted is not lost when the hub stops.
        Assert.Contains(lines.Lines, line => line.Contains($"n{NodeComplaints.Most - 4}: Flood, 1 times more", StringComparison.Ordinal));
    }

    private List<string> Faults() => [.. Hub.Log.Where(line => Enum.GetNames<NodeFault>().Any(fault => line.Contains($": {fault}", StringComparison.Ordinal)))];

    private async Task<FakeAgent> OtherAsync()
    {
        var other = await (await JoinedAsync("web-2")).ConnectAsync(Url, role: Role.Secondary);
        await Hub.UntilAsync(s => s.FindNode("web-2")?.Link == NodeLink.Connected);
        return other;
    }

    private async Task ServedAsync(FakeAgent other)
    {
        await other.ReportAsync(r => r.Drained = true);
        await Hub.UntilAsync(s => s.FindNode("web-2") is { ConnectedSince: not null, Drained: true });
    }

    /// <summary>Opens a stream, does it, and says how the hub ended that.</summary>
    private static async Task<RpcException> SendAsync(Grpc.Net.Client.GrpcChannel channel, string what)
    {
        var raw = new Method<byte[], byte[]>(MethodType.DuplexStreaming, "failoverhub.v1.AgentLink", "Connect", Marshallers.Create(b => b, b => b), Marshallers.Create(b => b, b => b));
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(raw, null, new CallOptions(cancellationToken: Stop));
        var hello = new AgentMessage { Hello = new Hello { Node = "web-1", BootId = "boot-1", AgentVersion = "1.2.3" } };
        var senseless = new AgentMessage { Report = new NodeReport { Sequence = 1 } };
        senseless.Report.Prefixes.Add(new PrefixReport { Prefix = "not a prefix" });
        byte[][] messages = what switch
        {
            "bytes that are no message" => [Bytes(hello), [0xFF, 0xFF, 0xFF, 0xFF, 0x07]],
            "bytes that are no message, first" => [[0xFF, 0xFF, 0xFF, 0xFF, 0x07]],
            "a report that makes no sense" => [Bytes(hello), Bytes(senseless)],
            "a report before Hello" => [Bytes(senseless)],
            _ => [Bytes(hello), new byte[5 * 1024 * 1024]],
        };
        foreach (byte[] message in messages)
        {
            // The hub may have ended the call before all of it is written.
            _ = await Record.ExceptionAsync(() => call.RequestStream.WriteAsync(message, Stop));
        }

        return await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext(Stop))
            {
                // A welcome.
            }
        });
    }

    private static byte[] Bytes(AgentMessage message) => Google.Protobuf.MessageExtensions.ToByteArray(message);
}
