using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;

namespace FailoverHub.Bench.Peers;

/// <summary>
/// One session as a route server has it: it listens, answers, keeps the session alive, and notes when each message arrived. Two threads touch it: its own,
/// which reads, and the one of <see cref="RouteServers"/>, which sends keepalives.
/// </summary>
/// <param name="server">1 to 4.</param>
/// <param name="socket">Accepted.</param>
/// <param name="board">Of the subject that dialled.</param>
internal sealed class PeerSession(int server, Socket socket, Board board)
{
    private const byte Open = 1;
    private const byte Update = 2;
    private const byte Notification = 3;
    private const byte Keepalive = 4;
    private const int HeaderLength = 19;

    private static readonly byte[] _keepalive = [.. Enumerable.Repeat((byte)0xff, 16), 0, HeaderLength, Keepalive];

    private readonly List<long> _keepalives = [];
    private readonly Lock _gate = new();
    private bool _mayKeepAlive;
    private bool _ceased;

    /// <summary>1 to 4.</summary>
    public int Server => server;

    /// <summary>What the subject has announced here. Read under <see cref="Board"/>'s lock.</summary>
    public PeerTable Table { get; } = new();

    /// <summary>When the kernel's handshake was seen to be done, in the clock of <see cref="Stopwatch"/>.</summary>
    public long AcceptedAt { get; } = Stopwatch.GetTimestamp();

    /// <summary>When the first KEEPALIVE came, 0: not yet.</summary>
    public long EstablishedAt { get; private set; }

    /// <summary>Arrivals of KEEPALIVEs, oldest first.</summary>
    public IReadOnlyList<long> Keepalives
    {
        get
        {
            lock (_gate)
            {
                return [.. _keepalives];
            }
        }
    }

    /// <summary>Reads until the subject closes. On a thread of its own.</summary>
    public void Run()
    {
        var buffer = new byte[512 * 1024];
        var filled = 0;
        try
        {
            int count;
            while ((count = socket.Receive(buffer, filled, buffer.Length - filled, SocketFlags.None)) > 0)
            {
                var now = Stopwatch.GetTimestamp();
                filled += count;
                var had = Table.Total > 0;
                var taken = board.Take(this, now, () => TakeAll(buffer.AsSpan(0, filled), now));
                buffer.AsSpan(taken, filled - taken).CopyTo(buffer);
                filled -= taken;
                if (_ceased || (had && Table.Total == 0))
                {
                    board.Left(this, now);
                }
            }
        }
        catch (SocketException)
        {
            // The subject was killed; what is wrong about that, a row says that waits for it.
        }
        catch (InvalidDataException exception)
        {
            board.Complain($"route server {server}: {exception.Message}");
        }
        finally
        {
            _mayKeepAlive = false;
            board.Left(this, Stopwatch.GetTimestamp());
            socket.Dispose();
            board.Lost(this);
        }
    }

    /// <summary>Sends a KEEPALIVE, if the session has come so far.</summary>
    public void KeepAlive()
    {
        if (!_mayKeepAlive)
        {
            return;
        }

        try
        {
            socket.Send(_keepalive);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It has ended meanwhile; Run says so.
        }
    }

    private int TakeAll(ReadOnlySpan<byte> bytes, long now)
    {
        var taken = 0;
        while (bytes.Length - taken >= HeaderLength)
        {
            var message = bytes[taken..];
            var length = BinaryPrimitives.ReadUInt16BigEndian(message[16..]);
            if (length < HeaderLength)
            {
                throw new InvalidDataException("A message is shorter than its header.");
            }

            if (message.Length < length)
            {
                break;
            }

            Take(message[18], message[HeaderLength..length], now);
            taken += length;
        }

        return taken;
    }

    private void Take(byte type, ReadOnlySpan<byte> body, long now)
    {
        switch (type)
        {
            case Open:
                socket.Send(OurOpen(board.HoldTime));
                socket.Send(_keepalive);
                break;
            case Keepalive:
                EstablishedAt = EstablishedAt == 0 ? now : EstablishedAt;
                _mayKeepAlive = true;
                lock (_gate)
                {
                    _keepalives.Add(now);
                }

                break;
            case Update:
                Table.Apply(body);
                break;
            case Notification when body is [6, ..]:
                // A goodbye.
                _ceased = true;
                break;
            case Notification:
                throw new InvalidDataException($"The subject sent NOTIFICATION {body[0]}/{body[1]}.");
            default:
                break;
        }
    }

    // AS 65000, identifier 10.255.34.n; capabilities: IPv4 and IPv6 unicast, route refresh, four-octet AS numbers.
    private byte[] OurOpen(int holdTime)
    {
        byte[] capabilities = [1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1, 2, 0, 65, 4, 0, 0, 0xfd, 0xe8];
        byte[] body = [4, 0xfd, 0xe8, 0, (byte)holdTime, 10, 255, 34, (byte)server, (byte)(capabilities.Length + 2), 2, (byte)capabilities.Length, .. capabilities];
        return [.. Enumerable.Repeat((byte)0xff, 16), 0, (byte)(HeaderLength + body.Length), Open, .. body];
    }
}
