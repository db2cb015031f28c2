using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Configuration;

namespace FailoverHub.Agent.Tests.Speaker.Scripted;

/// <summary>A neighbor that does what the test says, line by line: a real listener on loopback, on a port of its own, and nothing behind it.</summary>
internal sealed class ScriptedPeer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly List<ScriptedConnection> _connections = [];

    /// <param name="address">Of loopback.</param>
    /// <param name="receiveBuffer">Octets that the kernel takes for connections that nobody reads; null: as many as it likes.</param>
    public ScriptedPeer(string address = "127.0.1.1", int? receiveBuffer = null)
    {
        _listener = new TcpListener(IPAddress.Parse(address), 0);
        if (receiveBuffer is { } octets)
        {
            // Before it listens: what is accepted inherits it.
            _listener.Server.ReceiveBufferSize = octets;
        }

        _listener.Start();
        var endpoint = (IPEndPoint)_listener.LocalEndpoint;
        Endpoint = new NeighborEndpoint(endpoint.Address, endpoint.Port);
    }

    public NeighborEndpoint Endpoint { get; }

    /// <summary>Nobody has dialled since the last <see cref="AcceptAsync"/>.</summary>
    public bool IsLeftAlone => !_listener.Pending();

    public async Task<ScriptedConnection> AcceptAsync()
    {
        var connection = new ScriptedConnection(await Safety.BoundAsync(cancellation => _listener.AcceptSocketAsync(cancellation).AsTask()));
        _connections.Add(connection);
        return connection;
    }

    public ValueTask DisposeAsync()
    {
        _connections.ForEach(connection => connection.Dispose());
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>One connection of a <see cref="ScriptedPeer"/>. It knows where a message ends, and no more.</summary>
internal sealed class ScriptedConnection : IDisposable
{
    private readonly Socket _socket;

    public ScriptedConnection(Socket socket)
    {
        _socket = socket;
        _socket.NoDelay = true;
    }

    public Task SendAsync(params byte[] octets) => Safety.BoundAsync(async cancellation =>
    {
        var sent = 0;
        while (sent < octets.Length)
        {
            sent += await _socket.SendAsync(octets.AsMemory(sent), cancellation);
        }

        return sent;
    });

    /// <summary>Each octet in a segment of its own.</summary>
    public async Task SendSinglyAsync(byte[] octets)
    {
        foreach (var octet in octets)
        {
            await SendAsync(octet);
        }
    }

    /// <summary>The next message, whole.</summary>
    /// <exception cref="EndOfStreamException">The connection has ended.</exception>
    public async Task<byte[]> ReadAsync()
    {
        var header = await ReadAsync(19);
        return [.. header, .. await ReadAsync(BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(16)) - 19)];
    }

    /// <summary>The next message, which must be of this type.</summary>
    public async Task<byte[]> ReadAsync(byte type, string what)
    {
        var message = await ReadAsync();
        Assert.True(message[18] == type, $"{what} was expected and {Convert.ToHexString(message)} came");
        return message;
    }

    /// <summary>The next message of this type; others before it are passed over.</summary>
    public async Task<byte[]> ReadOnToAsync(byte type)
    {
        while (true)
        {
            var message = await ReadAsync();
            if (message[18] == type)
            {
                return message;
            }
        }
    }

    /// <summary>The next message must be a NOTIFICATION, and the end of the stream must follow it.</summary>
    /// <returns>Code, subcode and data in hexadecimal digits: <c>02 06</c>, <c>01 02 0012</c>.</returns>
    public async Task<string> ReadNotificationAsync()
    {
        var message = await ReadAsync(Octets.NotificationType, "A NOTIFICATION");
        Assert.Empty(await ReadRestAsync());
        return $"{message[19]:x2} {message[20]:x2} {Convert.ToHexStringLower(message.AsSpan(21))}".TrimEnd();
    }

    /// <summary>Everything up to the end of the stream; a reset is an end as well.</summary>
    public async Task<byte[]> ReadRestAsync()
    {
        var rest = new List<byte>();
        var buffer = new byte[64 * 1024];
        try
        {
            while (await Safety.BoundAsync(cancellation => _socket.ReceiveAsync(buffer, cancellation).AsTask()) is > 0 and var count)
            {
                rest.AddRange(buffer.AsSpan(0, count));
            }
        }
        catch (SocketException)
        {
            // Reset: whoever is interested in what came before it has it.
        }

        return [.. rest];
    }

    /// <summary>Ends with FIN.</summary>
    public void Close() => _socket.Dispose();

    /// <summary>Ends with RST.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>So many octets, whatever they belong to.</summary>
    public Task ReadOctetsAsync(int count) => ReadAsync(count);

    private async Task<byte[]> ReadAsync(int count)
    {
        var octets = new byte[count];
        for (var read = 0; read < count;)
        {
            var more = await Safety.BoundAsync(cancellation => _socket.ReceiveAsync(octets.AsMemory(read), cancellation).AsTask());
            read += more > 0 ? more : throw new EndOfStreamException($"The stream ends after {Convert.ToHexString(octets, 0, read)}.");
        }

        return octets;
    }
}

/// <summary>Nothing that a test awaits lasts for ever.</summary>
internal static class Safety
{
    public static async Task<T> BoundAsync<T>(Func<CancellationToken, Task<T>> act)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        return await act(patience.Token);
    }
}
