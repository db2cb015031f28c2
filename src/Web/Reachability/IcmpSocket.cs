using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Web.Reachability;

/// <summary>
/// One open ICMP socket of one family and the loop that reads it ("icmp-receive"; ends when the socket is closed). Any number of requests
/// may wait at once; each ends with its reply or with its caller's timeout.
/// </summary>
internal sealed class IcmpSocket : IAsyncDisposable
{
    private readonly Socket _socket;
    private readonly bool _raw;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<ulong, Waiting> _waiting = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _receiving;
    // Starting anywhere keeps replies to an earlier process of ours from being taken for replies to us.
    private long _lastNumber = Random.Shared.NextInt64();

    private IcmpSocket(Socket socket, bool raw, TimeProvider time)
    {
        _socket = socket;
        _raw = raw;
        _time = time;
        _receiving = Task.Run(ReceiveAsync);
    }

    /// <summary>Tries the kind that needs no capability (ping_group_range), then the raw one (CAP_NET_RAW).</summary>
    public static bool TryOpen(AddressFamily family, TimeProvider time, [NotNullWhen(true)] out IcmpSocket? opened, [NotNullWhen(false)] out string? why)
    {
        ProtocolType protocol = family == AddressFamily.InterNetwork ? ProtocolType.Icmp : ProtocolType.IcmpV6;
        why = null;
        foreach (SocketType type in (ReadOnlySpan<SocketType>)[SocketType.Dgram, SocketType.Raw])
        {
            Socket? socket = null;
            try
            {
                socket = new Socket(family, type, protocol);
                socket.Bind(new IPEndPoint(family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));
                opened = new IcmpSocket(socket, type == SocketType.Raw, time);
                why = null;
                return true;
            }
            catch (SocketException exception)
            {
                socket?.Dispose();
                why = exception.Message;
            }
        }

        opened = null;
        why ??= "unknown";
        return false;
    }

    /// <summary>Sends one echo request and waits for its reply from that address.</summary>
    public async Task<ProbeReply> SendAsync(IPAddress address, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ulong number = (ulong)Interlocked.Increment(ref _lastNumber);
        var waiting = new Waiting(address, _time.GetTimestamp(), new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously));
        _waiting[number] = waiting;
        try
        {
            byte[] request = IcmpEcho.Request(_socket.AddressFamily, (ushort)Environment.ProcessId, number);
            await _socket.SendToAsync(request, SocketFlags.None, new IPEndPoint(address, 0), cancellationToken);
            return ProbeReply.Answered(await waiting.Reply.Task.WaitAsync(timeout, _time, cancellationToken));
        }
        catch (TimeoutException)
        {
            return ProbeReply.Silent(timeout);
        }
        catch (SocketException exception)
        {
            return ProbeReply.Failed(SocketWords.Of(exception, "it"));
        }
        finally
        {
            _waiting.TryRemove(number, out _);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _receiving;
        _socket.Dispose();
        _closing.Dispose();
    }

    private async Task ReceiveAsync()
    {
        // Larger than any reply to what we send; what is cut off is not ours.
        byte[] buffer = new byte[512];
        var from = new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, from, _closing.Token);
                if (IcmpEcho.TryReadReply(buffer.AsSpan(0, received.ReceivedBytes), _socket.AddressFamily, _raw, out ulong number)
                    && _waiting.TryGetValue(number, out Waiting? waiting)
                    && waiting.Address.Equals(((IPEndPoint)received.RemoteEndPoint).Address))
                {
                    waiting.Reply.TrySetResult(_time.GetElapsedTime(waiting.SentAt));
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                // An ICMP error about one request is reported once on the next receive; that request ends by its own timeout.
                continue;
            }
        }
    }

    private sealed record Waiting(IPAddress Address, long SentAt, TaskCompletionSource<TimeSpan> Reply);
}
