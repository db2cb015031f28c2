using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace FailoverHub.Agent.Control.Claims;

/// <summary>Whose TCP connections there are in this network namespace, as <c>/proc/net/tcp</c> has them (proc(5)): to be read by everybody, of everybody.</summary>
internal static class OpenConnections
{
    // TCP_ESTABLISHED, in hexadecimal digits as it stands there.
    private const string Established = "01";

    private static readonly string[] _tables = ["/proc/net/tcp", "/proc/net/tcp6"];

    /// <summary>Whether a process of this user has a connection with that address and port; false also when it is not to be known.</summary>
    public static bool Has(uint user, IPEndPoint remote)
    {
        try
        {
            var wanted = Comparable(remote);
            return _tables
                .Where(File.Exists)
                .SelectMany(path => Parse(File.ReadLines(path)))
                .Any(connection => connection.User == user && Comparable(connection.Remote).Equals(wanted));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // An IPv4 address of a socket that speaks both families stands there as an IPv6 one.
    private static IPEndPoint Comparable(IPEndPoint end) => new(end.Address.MapToIPv6(), end.Port);

    /// <summary>Those that are established. Lines that are none are passed over.</summary>
    internal static IEnumerable<(IPEndPoint Remote, uint User)> Parse(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            // Number, own end, other end, state, queues, timer, repeats, user, …
            var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length > 7 && columns[3] == Established && ParseEnd(columns[2]) is { } remote && uint.TryParse(columns[7], NumberStyles.None, CultureInfo.InvariantCulture, out var user))
            {
                yield return (remote, user);
            }
        }
    }

    // 0100007F:0050: the address in words of the machine's own order, the port as a number.
    private static IPEndPoint? ParseEnd(string text)
    {
        if (text.Split(':') is not [{ Length: 8 or 32 } digits, var port]
            || !ushort.TryParse(port, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }

        var address = new byte[digits.Length / 2];
        for (var word = 0; word < address.Length; word += sizeof(uint))
        {
            if (!uint.TryParse(digits.AsSpan(2 * word, 2 * sizeof(uint)), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value))
            {
                return null;
            }

            BinaryPrimitives.WriteUInt32LittleEndian(address.AsSpan(word), BitConverter.IsLittleEndian ? value : BinaryPrimitives.ReverseEndianness(value));
        }

        return new IPEndPoint(new IPAddress(address), number);
    }
}
