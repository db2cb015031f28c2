using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Web.Reachability;

/// <summary>A TCP connect to one port: answered when the connection is accepted.</summary>
internal sealed class TcpProbe(int port, TimeProvider time) : IProbe
{
    public ProbeMethod Method => ProbeMethod.Tcp;

    public int? Port => port;

    public string? ProblemFor(IPAddress address) => null;

    public async Task<ProbeReply> SendAsync(IPAddress address, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        long began = time.GetTimestamp();
        bool saidAtOnce = false;
        try
        {
            ValueTask connecting = socket.ConnectAsync(new IPEndPoint(address, port), either.Token);

            // A router's word takes its time; what connect(2) itself says is of this machine.
            saidAtOnce = connecting.IsCompleted;
            await connecting;
            return ProbeReply.Answered(time.GetElapsedTime(began));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ProbeReply.Silent(timeout);
        }
        catch (SocketException exception) when (saidAtOnce && SocketWords.IsOfSending(exception))
        {
            return ProbeReply.Unsent(SocketWords.OfSending(exception));
        }
        catch (SocketException exception)
        {
            return ProbeReply.Failed(SocketWords.Of(exception, $"port {port}"));
        }
    }
}
