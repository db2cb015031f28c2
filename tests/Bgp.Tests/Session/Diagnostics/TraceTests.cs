using FailoverHub.Bgp.Messages;
using FailoverHub.Bgp.Session;
using FailoverHub.Bgp.Session.Diagnostics;
using FailoverHub.Bgp.Tests.Wire;
using FailoverHub.Bgp.Wire;

namespace FailoverHub.Bgp.Tests.Session.Diagnostics;

public sealed class TraceTests
{
    [Fact]
    public void Trace_HasBothDirectionsInOrder()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Announce(Announcements.Ipv4());

        Assert.Equal(
            [
                (MessageDirection.Sent, BgpMessageType.Open),
                (MessageDirection.Received, BgpMessageType.Open),
                (MessageDirection.Sent, BgpMessageType.Keepalive),
                (MessageDirection.Received, BgpMessageType.Keepalive),
                (MessageDirection.Sent, BgpMessageType.Update),
            ],
            neighbor.Trace.Select(entry => (entry.Direction, entry.Type)));
        Assert.All(neighbor.Trace, entry => Assert.Equal((1, 1L), (entry.Connection, entry.Count)));
    }

    [Fact]
    public void Body_IsWhatWasOnTheWire()
    {
        var neighbor = new ScriptedNeighbor().InOpenConfirm();

        var received = neighbor.Trace.Single(entry => entry is { Direction: MessageDirection.Received, Type: BgpMessageType.Open });

        var wire = Codec.Encode(ScriptedNeighbor.Open);
        Assert.Equal(wire.Length, received.Length);
        Assert.Equal(wire[19..], received.Body.ToArray());
        Assert.Contains("65000", received.Text(), StringComparison.Ordinal);
    }

    [Fact]
    public void Batch_IsOneRowForEachMessageInIt()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();

        neighbor.Announce(Announcements.Ipv4(), Announcements.Ipv6());

        var updates = neighbor.Trace.Where(entry => entry.Type == BgpMessageType.Update).ToList();
        Assert.Equal(2, updates.Count);
        Assert.Contains("203.0.113.57/32", updates[0].Text(), StringComparison.Ordinal);
        Assert.Contains("2001:db8:e001:1b8c::/64", updates[1].Text(), StringComparison.Ordinal);
    }

    [Fact]
    public void RunOfKeepalives_IsOneRowForEachDirection()
    {
        var pair = SessionPair.Up();
        pair.Run(TimeSpan.FromHours(1));
        pair.Agent.Announce(Announcements.Ipv4());
        pair.Run(TimeSpan.FromHours(1));

        var trace = pair.Agent.Trace;

        Assert.Equal(7, trace.Length);
        var (first, second) = (trace[2..4], trace[5..]);
        Assert.Equal(BgpMessageType.Update, trace[4].Type);
        foreach (var run in (TraceEntry[])[.. first, .. second])
        {
            Assert.Equal(BgpMessageType.Keepalive, run.Type);
            Assert.InRange(run.Count, 1200, 1600);
            Assert.InRange((run.LastAt - run.At).TotalSeconds, 3590, 3601);
        }

        Assert.Equal(2, first.Select(run => run.Direction).Distinct().Count());
        Assert.Equal(pair.Agent.Diagnostics.Sent.Keepalive, trace.Where(entry => entry is { Direction: MessageDirection.Sent, Type: BgpMessageType.Keepalive }).Sum(entry => entry.Count));
    }

    [Fact]
    public void Trace_HasTheLast200MessagesAndForgetsTheOthers()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        for (var i = 0; i < 1000; i++)
        {
            neighbor.Announce(Announcements.Ipv4(new Community(65000, (ushort)i)));
        }

        var trace = neighbor.Trace;

        Assert.Equal(200, trace.Length);
        Assert.All(trace, entry => Assert.Equal(BgpMessageType.Update, entry.Type));
        Assert.Contains("cb007139", Convert.ToHexString(trace[^1].Body.Span), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("fde803e7", Convert.ToHexString(trace[^1].Body.Span), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("fde80320", Convert.ToHexString(trace[0].Body.Span), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void LargeMessages_StayWithinTheBound()
    {
        var trace = new MessageTrace();
        var body = new byte[5000];
        for (var i = 0; i < 500; i++)
        {
            trace.Message(MessageDirection.Sent, BgpMessageType.Update, body, default, TimeSpan.FromSeconds(i));
        }

        var entries = trace.Read();

        Assert.Equal(200, entries.Length);
        Assert.Equal(256 * 1024, entries.Sum(entry => entry.Body.Length));
        Assert.All(entries[^64..], entry => Assert.Equal(4096, entry.Body.Length));
        Assert.All(entries[..^64], entry => Assert.Equal("UPDATE, 5019 octets, no longer kept", entry.Text()));
        Assert.Equal("UPDATE, 5019 octets, the first 4096 octets of the body kept", entries[^1].Text());
    }

    [Fact]
    public void MixedSizes_StayWithinTheBoundAndKeepTheNewest()
    {
        var trace = new MessageTrace();
        var random = new Random(5);
        var last = new byte[300];
        for (var i = 0; i < 5000; i++)
        {
            trace.Message(MessageDirection.Received, BgpMessageType.Update, new byte[random.Next(3000, 8000)], default, TimeSpan.Zero);
            trace.Keepalive(MessageDirection.Sent, TimeSpan.Zero);
            trace.Message(MessageDirection.Received, BgpMessageType.Update, last, default, TimeSpan.Zero);
            Assert.Equal(last.Length, trace.Read()[^1].Body.Length);
            Assert.InRange(trace.Read().Sum(entry => entry.Body.Length), 0, MessageTrace.MostOfAll);
        }
    }

    [Fact]
    public void MessageThatEndsTheSession_IsInTheTrace()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Says(Codec.Hex("ffffffffffffffffffffffffffffffff 0017 02 0009 0000").ToArray());

        Assert.Equal(
            [(MessageDirection.Received, BgpMessageType.Update), (MessageDirection.Sent, BgpMessageType.Notification)],
            neighbor.Trace[^2..].Select(entry => (entry.Direction, entry.Type)));
        Assert.Contains("cannot be read", neighbor.Trace[^2].Text(), StringComparison.Ordinal);
        Assert.Contains("Malformed Attribute List", neighbor.Trace[^1].Text(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00ffffffffffffffffffffffffffffff 0013 04", "Connection Not Synchronized")]
    [InlineData("ffffffffffffffffffffffffffffffff 0012 04", "Bad Message Length")]
    [InlineData("ffffffffffffffffffffffffffffffff 0013 09", "Bad Message Type")]
    public void HeaderThatIsRefused_IsInTheTrace_BeforeWhatWeSayOfIt(string header, string said)
    {
        foreach (var piece in (int[])[19, 7])
        {
            var neighbor = new ScriptedNeighbor().InEstablished();
            foreach (var part in Codec.Hex(header).Chunk(piece))
            {
                neighbor.Says(part);
            }

            var (refused, notification) = (neighbor.Trace[^2], neighbor.Trace[^1]);
            Assert.Equal((MessageDirection.Received, default, 19), (refused.Direction, refused.Type, refused.Length));
            Assert.Equal($"no message, cannot be read: its header is wrong; 19 octets: {header.Replace(" ", "", StringComparison.Ordinal)}", refused.Text());
            Assert.Equal(Codec.Hex(header), [.. refused.Body.Span]);
            Assert.Contains(said, notification.Text(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void KeepalivesBehindLargeMessages_AreStillKeepalives()
    {
        var trace = new MessageTrace();
        trace.Keepalive(MessageDirection.Sent, TimeSpan.Zero);
        for (var i = 0; i < 100; i++)
        {
            trace.Message(MessageDirection.Sent, BgpMessageType.Update, new byte[4096], default, TimeSpan.Zero);
        }

        Assert.Equal(["KEEPALIVE", "UPDATE, 4115 octets, no longer kept"], trace.Read()[..2].Select(entry => entry.Text()));
    }

    [Fact]
    public void SecondConnection_HasTheNumberTwo()
    {
        var neighbor = new ScriptedNeighbor().InEstablished();
        neighbor.Give(new SessionInput.Disconnected("connection closed by the neighbor"));
        neighbor.Wait(2);
        neighbor.Give(new SessionInput.Connected(neighbor.Local, neighbor.Remote));

        Assert.Equal((2, BgpMessageType.Open), (neighbor.Trace[^1].Connection, neighbor.Trace[^1].Type));
    }

    [Fact]
    public void AnyBytesAsABody_HaveAText()
    {
        var random = new Random(11);
        for (var i = 0; i < 20_000; i++)
        {
            var body = new byte[random.Next(0, 80)];
            random.NextBytes(body);
            var type = (BgpMessageType)random.Next(1, 6);

            var text = new TraceEntry(MessageDirection.Received, type, WireWriter.HeaderLength + body.Length, body, new UpdateContext(true, true, true))
            {
                Connection = 1,
                At = TimeSpan.Zero,
                LastAt = TimeSpan.Zero,
                Count = 1,
            }.Text();

            Assert.NotEmpty(text);
            Assert.DoesNotContain('\n', text);
        }
    }
}
