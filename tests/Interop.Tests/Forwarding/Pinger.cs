using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Interop.Tests.Forwarding;

/// <summary>
/// Sends a numbered datagram to each of some addresses every 10 ms, and notes which node answered it and when. A machine that is busy makes it late and
/// nothing else: what it did not send is not lost, and an echo that comes late is an echo.
/// </summary>
internal sealed class Pinger
{
    /// <summary>Port that <see cref="Responder"/> answers at.</summary>
    public const int Port = 7777;

    /// <summary>Between two datagrams to the same address.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan Stragglers = TimeSpan.FromSeconds(3);

    private readonly Lock _lock = new();
    private readonly Socket _socket;
    private readonly SocketAddress[] _targets;
    private readonly List<Ping>[] _pings;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;

    private Pinger(Socket socket, IReadOnlyList<IPAddress> targets)
    {
        _socket = socket;
        _targets = [.. targets.Select(target => new IPEndPoint(target.MapToIPv6(), Port).Serialize())];
        _pings = [.. targets.Select(_ => new List<Ping>(4096))];
    }

    /// <summary>Begins, on a thread of its own.</summary>
    /// <param name="socket">Of IPv6 with both families, in the client's network; the pinger closes it.</param>
    /// <param name="targets">Who is asked.</param>
    public static Pinger Start(Socket socket, IReadOnlyList<IPAddress> targets)
    {
        var pinger = new Pinger(socket, targets);
        new Thread(pinger.Run) { IsBackground = true, Name = "pinger", Priority = ThreadPriority.AboveNormal }.Start();
        return pinger;
    }

    /// <summary>What it has seen so far.</summary>
    public PingLog Seen
    {
        get
        {
            lock (_lock)
            {
                return new PingLog([.. _pings.Select(pings => pings.ToArray())]);
            }
        }
    }

    /// <summary>Sends no more, waits for the last echoes, and ends.</summary>
    /// <returns>All that it has seen.</returns>
    public async Task<PingLog> StopAsync()
    {
        _stopping = true;
        await _ended.Task;
        return Seen;
    }

    private void Run()
    {
        try
        {
            var step = (long)(Period.TotalSeconds * Stopwatch.Frequency);
            for (var due = Stopwatch.GetTimestamp(); !_stopping;)
            {
                Send();
                // Fallen far behind, it goes on from now: a burst of what it missed would measure something else.
                var now = Stopwatch.GetTimestamp();
                due = now - due > 5 * step ? now + step : due + step;
                ReceiveUntil(due, () => false);
            }

            ReceiveUntil(Stopwatch.GetTimestamp() + (long)(Stragglers.TotalSeconds * Stopwatch.Frequency), AllOfTheEndAnswered);
            _ended.SetResult();
        }
        catch (SocketException exception)
        {
            _ended.SetException(exception);
        }
        finally
        {
            _socket.Dispose();
        }
    }

    private void Send()
    {
        Span<byte> datagram = stackalloc byte[8];
        for (var target = 0; target < _targets.Length; target++)
        {
            int number;
            lock (_lock)
            {
                number = _pings[target].Count;
                _pings[target].Add(new Ping(Stopwatch.GetTimestamp(), 0, '\0'));
            }

            BinaryPrimitives.WriteInt32BigEndian(datagram, target);
            BinaryPrimitives.WriteInt32BigEndian(datagram[4..], number);
            _socket.SendTo(datagram, SocketFlags.None, _targets[target]);
        }
    }

    private void ReceiveUntil(long end, Func<bool> enough)
    {
        Span<byte> echo = stackalloc byte[64];
        var from = new SocketAddress(AddressFamily.InterNetworkV6);
        while (!enough())
        {
            // Whole milliseconds, upwards: with the rest it would look again and again.
            var left = Math.Max(0, (int)Math.Ceiling(Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), end).TotalMilliseconds));
            if (!_socket.Poll(left * 1000, SelectMode.SelectRead))
            {
                return;
            }

            var length = _socket.ReceiveFrom(echo, SocketFlags.None, from);
            var at = Stopwatch.GetTimestamp();
            if (length == 9)
            {
                Note(BinaryPrimitives.ReadInt32BigEndian(echo[1..]), BinaryPrimitives.ReadInt32BigEndian(echo[5..]), at, (char)echo[0]);
            }
        }
    }

    private void Note(int target, int number, long at, char by)
    {
        lock (_lock)
        {
            if (_pings[target][number].By == '\0')
            {
                _pings[target][number] = _pings[target][number] with { AnsweredAt = at, By = by };
            }
        }
    }

    private bool AllOfTheEndAnswered()
    {
        lock (_lock)
        {
            return _pings.All(pings => pings.TakeLast(100).All(ping => ping.By != '\0'));
        }
    }
}

/// <summary>One datagram. Times are of <see cref="Stopwatch"/>.</summary>
/// <param name="SentAt">Just before it was sent.</param>
/// <param name="AnsweredAt">When its echo was read.</param>
/// <param name="By">The node that answered; '\0': none has.</param>
internal readonly record struct Ping(long SentAt, long AnsweredAt, char By);
