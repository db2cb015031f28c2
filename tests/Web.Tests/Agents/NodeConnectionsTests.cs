using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using FailoverHub.Web.Agents.Limits;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Tests.Identity;

namespace FailoverHub.Web.Tests.Agents;

/// <summary>What a certificate is worth to a connection that asks for nothing: one that opens nothing any more has a minute, as none at all, and one that does has so many places and no more.</summary>
[Trait("Kind", "Hub")]
public sealed class NodeConnectionsTests : TlsHubTest
{
    // And empty SETTINGS.
    private static readonly byte[] Preface = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CertificateThatIsRevokedOrOfARemovedNode_ProvesNothing(bool removed)
    {
        var (gone, good) = (await JoinedAsync("web-1"), await JoinedAsync("web-2"));
        var changes = Hub.Get<NodeChanges>();
        Assert.IsType<NodeChange.Done>(removed ? await changes.RemoveAsync("web-1", "sold", Admin, Stop) : await changes.RevokeAsync("web-1", "stolen", Admin, Stop));
        await using var worthless = await OpenAsync(gone);
        await using var valid = await OpenAsync(good);
        var stays = ReadToEndAsync(valid);

        var ended = ReadToEndAsync(worthless);
        while (!ended.IsCompleted)
        {
            // The hub may not have taken the connection when the clock moves; so it moves until it is closed.
            Time.Advance(UnprovenConnections.Within / 10);
            await Task.Yield();
        }

        Assert.False(stays.IsCompleted);
    }

    [Fact]
    public async Task ConnectionsOfOneNode_AreSoManyAndThoseOfOthersAreTaken()
    {
        var (one, two) = (await JoinedAsync("web-1"), await JoinedAsync("web-2"));
        var open = new List<(SslStream Stream, Task Ended)>();
        for (var i = 0; i <= NodeConnections.PerNode; i++)
        {
            var stream = await OpenAsync(one);
            open.Add((stream, ReadToEndAsync(stream)));
        }

        var closed = await Task.WhenAny(open.Select(o => o.Ended)).WaitAsync(TimeSpan.FromSeconds(60), Stop);

        Assert.Equal([closed], open.Where(o => o.Ended.IsCompleted).Select(o => o.Ended));
        Assert.Contains(Hub.Log, l => l.Contains("A connection with the certificate of web-1 is closed", StringComparison.Ordinal));
        await using var other = await two.ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-2")?.Link == NodeLink.Connected);

        // One that ends makes room for another.
        await open.First(o => !o.Ended.IsCompleted).Stream.DisposeAsync();
        await using var agent = await ConnectedAsync(one);
        foreach (var (stream, _) in open)
        {
            await stream.DisposeAsync();
        }
    }

    // The hub may not have seen yet that the place is free.
    private async Task<FakeAgent> ConnectedAsync(TestNode node)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var agent = await node.ConnectAsync(Url);
                await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected).WaitAsync(TimeSpan.FromSeconds(2), Stop);
                return agent;
            }
            catch (Exception e) when (attempt < 30 && e is not OperationCanceledException)
            {
                // Again.
            }
        }
    }

    private async Task<SslStream> OpenAsync(TestNode node)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(Url).Port, Stop);
        var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                ApplicationProtocols = [SslApplicationProtocol.Http2],
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
                ClientCertificateContext = SslStreamCertificateContext.Create(node.Certificate!, null, offline: true),
            },
            Stop);

        // The hub answers when it has seen the certificate, or closes; only then may its clock move.
        _ = await Record.ExceptionAsync(async () =>
        {
            await tls.WriteAsync(Preface, Stop);
            await tls.ReadExactlyAsync(new byte[9], Stop);
        });
        return tls;
    }

    private static async Task ReadToEndAsync(SslStream stream)
    {
        try
        {
            var buffer = new byte[1_024];
            while (await stream.ReadAsync(buffer, Stop) > 0)
            {
                // Settings of HTTP/2.
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Closed without a word.
        }
    }
}
