using System.Net.Sockets;
using FailoverHub.Bench.GoBgpApi;
using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Peers;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;

namespace FailoverHub.Bench.Subjects;

/// <summary>gobgpd, commanded through its gRPC API, as gobgp does it, without a gobgp.</summary>
internal sealed class GoBgpSubject(NodeNetwork network, Board board) : Subject("GoBGP", network, board)
{
    private const int PathsPerMessage = 500;

    private static readonly Family _ipv6Unicast = new() { Afi = 2, Safi = 1 };
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(20);

    private GrpcChannel? _channel;

    private string Configuration => $"{Folder}/gobgpd.toml";

    private string ApiSocket => $"{Folder}/api";

    public override IReadOnlyList<string> IdleToolCommand => ["gobgp", "--target", $"unix://{ApiSocket}", "global"];

    protected override async Task<Launch> PrepareStartAsync(CancellationToken cancellation)
    {
        File.Delete(ApiSocket);
        await File.WriteAllTextAsync(Configuration, Text(), cancellation);
        return new Launch(["gobgpd", "-f", Configuration, "--api-hosts", $"unix://{ApiSocket}", "--pprof-disable"]);
    }

    // Its configuration has no routes of its own: they are given as soon as its API answers, long before it dials.
    protected override async Task AfterStartAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(_period);
        while (!File.Exists(ApiSocket) && !Process.HasExited)
        {
            await timer.WaitForNextTickAsync(cancellation);
        }

        _channel = GrpcChannel.ForAddress("http://gobgp", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, token) =>
                {
                    var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(ApiSocket), token);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            },
        });
        while (true)
        {
            try
            {
                await AnnounceAsync(Messages(Route.Primary), cancellation);
                return;
            }
            catch (RpcException exception) when (exception.StatusCode is StatusCode.Unavailable or StatusCode.Unknown && !Process.HasExited)
            {
                // It listens before its own AS is configured.
                await timer.WaitForNextTickAsync(cancellation);
            }
        }
    }

    protected override Task AfterStopAsync()
    {
        _channel?.Dispose();
        _channel = null;
        return Task.CompletedTask;
    }

    protected override Task<Func<Task>> PrepareCommandAsync(Route wanted, CancellationToken cancellation)
    {
        if (wanted == Route.None)
        {
            var everything = new DeletePathRequest { Family = _ipv6Unicast };
            return Task.FromResult<Func<Task>>(async () => await new GobgpApi.GobgpApiClient(_channel).DeletePathAsync(everything, cancellationToken: cancellation));
        }

        var messages = Messages(wanted);
        return Task.FromResult<Func<Task>>(() => AnnounceAsync(messages, cancellation));
    }

    private async Task AnnounceAsync(IEnumerable<AddPathStreamRequest> messages, CancellationToken cancellation)
    {
        using var call = new GobgpApi.GobgpApiClient(_channel).AddPathStream(cancellationToken: cancellation);
        foreach (var message in messages)
        {
            await call.RequestStream.WriteAsync(message, cancellation);
        }

        await call.RequestStream.CompleteAsync();
        await call.ResponseAsync;
    }

    private List<AddPathStreamRequest> Messages(Route role)
    {
        var origin = Packed(new OriginAttribute { Origin = 2 });
        var communities = Packed(new CommunitiesAttribute { Communities = { (65000u << 16) | (role == Route.Primary ? 1u : 2u) } });
        return
        [
            .. Enumerable.Range(1, PrefixCount).Chunk(PathsPerMessage).Select(numbers => new AddPathStreamRequest
            {
                Paths = { numbers.Select(number => PathOf(number, origin, communities)) },
            }),
        ];
    }

    private static GoBgpApi.Path PathOf(int number, Any origin, Any communities)
    {
        var nlri = Packed(new IPAddressPrefix { PrefixLen = Prefixes.Length, Prefix = Prefixes.Base(number) });
        return new GoBgpApi.Path
        {
            Family = _ipv6Unicast,
            Nlri = nlri,
            Pattrs = { origin, communities, Packed(new MpReachNLRIAttribute { Family = _ipv6Unicast, NextHops = { "::" }, Nlris = { nlri } }) },
        };
    }

    private static Any Packed(IMessage message) => Any.Pack(message);

    private string Text()
    {
        var neighbors = string.Concat(Servers.Select(n =>
            $"""
            [[neighbors]]
              [neighbors.config]
                neighbor-address = "{Networks.RouteServer(n)}"
                peer-as = 65000
              [neighbors.timers.config]
                connect-retry = 5
                hold-time = 9
                keepalive-interval = 3
              [neighbors.ebgp-multihop.config]
                enabled = true
                multihop-ttl = 16
              [neighbors.transport.config]
                local-address = "{Network.Address}"
              [[neighbors.afi-safis]]
                [neighbors.afi-safis.config]
                  afi-safi-name = "ipv6-unicast"

            """));
        return $"""
            [global.config]
              as = 65001
              router-id = "10.0.0.4"
              port = -1
            {neighbors}
            """;
    }
}
