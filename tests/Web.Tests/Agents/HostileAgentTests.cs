using System.Net;
using System.Net.Sockets;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Access.Refusals;
using FailoverHub.Web.Agents;
using FailoverHub.Web.Agents.Limits;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Tests.Identity;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Agents;

/// <summary>Bad input on the agents' port: each costs its sender something, and the others nothing.</summary>
[Trait("Kind", "Hub")]
public sealed class HostileAgentTests : TlsHubTest
{
    [Fact]
    public async Task TenThousandWrongTokens_AreRefusedLoggedOnceAuditedALittleAndHarmNobody()
    {
        var good = await JoinedAsync("web-1");
        await using var agent = await good.ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
        var request = new JoinRequest { Node = "web-2", CertificateRequest = ByteString.CopyFrom(NewNode().Request) };
        using var channel = NewNode().Channel(Url);
        var client = new Enrollment.EnrollmentClient(channel);
        var codes = new System.Collections.Concurrent.ConcurrentDictionary<StatusCode, int>();

        await Parallel.ForEachAsync(Enumerable.Range(0, 10_000), new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Stop }, async (_, stop) =>
        {
            var wrong = request.Clone();
            wrong.Token = JoinToken.New(null).ToString();
            var fault = await Assert.ThrowsAsync<RpcException>(async () => await client.JoinAsync(wrong, cancellationToken: stop));
            codes.AddOrUpdate(fault.StatusCode, 1, (_, n) => n + 1);
        });

        // Those that were under way when the limit was reached are looked up too.
        Assert.Equal(10_000, codes[StatusCode.Unauthenticated] + codes[StatusCode.ResourceExhausted]);
        Assert.InRange(codes[StatusCode.Unauthenticated], WrongTokens.PerAddressAndMinute, WrongTokens.PerAddressAndMinute + 32);
        Assert.InRange((await AuditAsync("node-joined")).Count(a => a.Outcome.StartsWith("refused", StringComparison.Ordinal)), WrongTokens.PerAddressAndMinute, RefusalTally.OneByOne);
        Assert.Single(Hub.Log, l => l.Contains("wrong join tokens", StringComparison.Ordinal));
        await agent.ReportAsync(r => r.Drained = true);
        await Hub.UntilAsync(s => s.FindNode("web-1") is { Link: NodeLink.Connected, Drained: true });

        // A good one from the same address is good meanwhile: whoever guesses behind a router keeps no neighbour out. It is good once, as ever.
        var token = await TokenAsync();
        await NewNode().JoinAsync(Url, token, "web-2");
        Time.Advance(OpenJoinTokens.ReadEvery);
        Assert.Equal(StatusCode.ResourceExhausted, (await NewNode().FailToJoinAsync(Url, token, "web-3")).StatusCode);

        // None is lost: those that have no entry of their own are in a number.
        string[] told = [.. (await ToldAsync()).Select(a => a.Outcome)];
        Assert.Equal(10_001, told.Sum(outcome => outcome.StartsWith("refused: ", StringComparison.Ordinal) && outcome.Split(' ') is [_, var number, "more", ..] ? int.Parse(number, System.Globalization.CultureInfo.InvariantCulture) : outcome.StartsWith("refused", StringComparison.Ordinal) ? 1 : 0));
    }

    [Fact]
    public async Task BytesThatAreNoMessage_EndTheirStreamOnly()
    {
        var (one, two) = (await JoinedAsync("web-1"), await JoinedAsync("web-2"));
        await using var other = await two.ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-2")?.Link == NodeLink.Connected);
        using var channel = one.Channel(Url);
        var method = new Method<byte[], byte[]>(MethodType.DuplexStreaming, "failoverhub.v1.AgentLink", "Connect", Marshallers.Create(b => b, b => b), Marshallers.Create(b => b, b => b));
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(method, null, new CallOptions(cancellationToken: Stop));

        await call.RequestStream.WriteAsync([0xFF, 0xFF, 0xFF, 0xFF, 0x07], Stop);

        Assert.NotEqual(StatusCode.OK, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Stop))).StatusCode);
        await other.ReportAsync(r => r.Drained = true);
        await Hub.UntilAsync(s => s.FindNode("web-2") is { Link: NodeLink.Connected, Drained: true });
    }

    [Fact]
    public async Task AgentThatFloods_IsReadAtItsPaceAndTheOthersAreServed()
    {
        var (one, two) = (await JoinedAsync("web-1"), await JoinedAsync("web-2"));
        await using var flooding = await one.ConnectAsync(Url);
        await using var other = await two.ConnectAsync(Url, role: Protos.V1.Role.Secondary);
        await Hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);

        // The clock stands still: what is over the burst waits, and so does everything after it.
        for (var i = 0u; i < MessagePace.Burst + 50; i++)
        {
            await flooding.ReportAsync(r => r.Sessions[0].Flaps = i + 1);
        }

        await Hub.UntilAsync(s => s.FindNode("web-1")!.Sessions[0].Flaps >= MessagePace.Burst - 1);
        await other.ReportAsync(r => r.Drained = true);
        await Hub.UntilAsync(s => s.FindNode("web-2")!.Drained);
        Assert.InRange(Hub.Fleet.Current.FindNode("web-1")!.Sessions[0].Flaps, MessagePace.Burst - 1, MessagePace.Burst);

        // Who waits may begin to after the clock has moved; so it moves until the next message is there.
        var next = Hub.UntilAsync(s => s.FindNode("web-1")!.Sessions[0].Flaps > MessagePace.Burst);
        while (!next.IsCompleted)
        {
            Time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        await next;
    }

    [Fact]
    public void Pace_IsABurstAndThenSoManyASecond()
    {
        var time = new FakeTimeProvider();
        var pace = new MessagePace(time);

        Assert.All(Enumerable.Range(0, MessagePace.Burst), _ => Assert.Equal(TimeSpan.Zero, pace.Next()));
        Assert.Equal(TimeSpan.FromSeconds(1.0 / MessagePace.PerSecond), pace.Next());
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2 * MessagePace.PerSecond - 1, Enumerable.Range(0, 1_000).TakeWhile(_ => pace.Next() == TimeSpan.Zero).Count());
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(MessagePace.Burst, Enumerable.Range(0, 1_000).TakeWhile(_ => pace.Next() == TimeSpan.Zero).Count());
    }

    [Fact]
    public async Task AgentThatNeverReads_LosesItsStreamWhenItsQueueIsFull()
    {
        using var stream = new AgentStream(1, "1.0", null, Stop);
        var wire = new Stuck();
        var writing = stream.WriteAllAsync(wire);

        for (var i = 1; i < 100 && !stream.Ended.IsCancellationRequested; i++)
        {
            stream.Offer(new IntentFacts { Revision = i, Drained = false, Roles = IntentFacts.RolesFrom([]) });
        }

        Assert.Equal(StatusCode.ResourceExhausted, stream.Why!.StatusCode);
        await writing.WaitAsync(Stop);
    }

    [Fact]
    public async Task ConnectionThatSaysNothing_IsClosedWhenItsSecondsAreOver()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(Url).Port, Stop);
        var ended = ReadToEndAsync(socket);
        while (!ended.IsCompleted)
        {
            // The hub may not have taken the connection when the clock moves; so it moves until it has.
            Time.Advance(UnprovenConnections.FirstOctetWithin);
            await Task.Yield();
        }

        Assert.Equal(0, await ended);
    }

    [Fact]
    public void ConnectionsWithoutACertificate_AreSoManyFromOneAddressAndThoseOfOthersAreTaken()
    {
        var open = new UnprovenConnections(Time, NullLogger<UnprovenConnections>.Instance);
        var places = Enumerable.Range(0, UnprovenConnections.PerAddress).Select(_ => open.TryEnter(IPAddress.Parse("192.0.2.1"), () => { })).ToList();

        Assert.DoesNotContain(null, places);
        Assert.Null(open.TryEnter(IPAddress.Parse("192.0.2.1"), () => { }));
        Assert.NotNull(open.TryEnter(IPAddress.Parse("192.0.2.2"), () => { }));

        // One that has shown a certificate counts no more, and leaves but once.
        places[0]!.Leave();
        places[0]!.Leave();
        Assert.NotNull(open.TryEnter(IPAddress.Parse("192.0.2.1"), () => { }));
        Assert.Null(open.TryEnter(IPAddress.Parse("192.0.2.1"), () => { }));
    }

    [Fact]
    public void EightAddressesThatTakeEveryPlace_KeepNobodyOut()
    {
        var open = new UnprovenConnections(Time, NullLogger<UnprovenConnections>.Instance);
        var closed = new List<int>();
        for (var i = 0; i < UnprovenConnections.All; i++)
        {
            var number = i;
            Assert.NotNull(open.TryEnter(IPAddress.Parse($"192.0.2.{1 + (i / UnprovenConnections.PerAddress)}"), () => closed.Add(number)));
        }

        var first = open.TryEnter(IPAddress.Parse("198.51.100.1"), () => closed.Add(-1));
        var second = open.TryEnter(IPAddress.Parse("198.51.100.2"), () => closed.Add(-2));

        // The oldest of two of them; whoever was pushed out does not push out in turn.
        Assert.All([first, second], Assert.NotNull);
        Assert.Equal(2, closed.Count);
        Assert.All(closed, number => Assert.Equal(0, number % UnprovenConnections.PerAddress));
        Assert.Null(open.TryEnter(IPAddress.Parse($"192.0.2.{1 + (closed[0] / UnprovenConnections.PerAddress)}"), () => { }));

        // One that leaves makes room; the pushed out one does not, a second time.
        first!.Leave();
        Assert.NotNull(open.TryEnter(IPAddress.Parse("198.51.100.1"), () => { }));
        Assert.Equal(2, closed.Count);
    }

    [Fact]
    public void ConnectionWithoutACertificate_HasSecondsForItsFirstOctetAndThenAMinute()
    {
        var open = new UnprovenConnections(Time, NullLogger<UnprovenConnections>.Instance);
        var closed = new List<string>();
        using var silent = open.TryEnter(IPAddress.Parse("192.0.2.1"), () => closed.Add("silent"));
        using var slow = open.TryEnter(IPAddress.Parse("192.0.2.1"), () => closed.Add("slow"));
        slow!.HasSpoken();

        Time.Advance(UnprovenConnections.FirstOctetWithin);
        Assert.Equal(["silent"], closed);
        Time.Advance(UnprovenConnections.Within);
        Assert.Equal(["silent", "slow"], closed);
    }

    private async Task<IReadOnlyList<AuditEntry>> ToldAsync()
    {
        while (true)
        {
            IReadOnlyList<AuditEntry> entries = await AuditAsync("node-joined");
            if (entries.Any(a => a.Outcome.Contains("not written down one by one", StringComparison.Ordinal)))
            {
                return entries;
            }

            // Whoever tells it may not have begun to wait for the minute's end when the clock moves; so it moves until it is told.
            Time.Advance(RefusalTally.Window);
            await Task.Yield();
        }
    }

    private static async Task<int> ReadToEndAsync(TcpClient socket)
    {
        try
        {
            return await socket.GetStream().ReadAsync(new byte[1], Stop);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>A connection whose other end takes nothing.</summary>
    private sealed class Stuck : IServerStreamWriter<HubMessage>
    {
        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(HubMessage message) => WriteAsync(message, CancellationToken.None);

        public Task WriteAsync(HubMessage message, CancellationToken cancellationToken) => new TaskCompletionSource().Task.WaitAsync(cancellationToken);
    }
}
