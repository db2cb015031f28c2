using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace FailoverHub.Agent.Speaker.Sockets;

/// <summary>
/// What protects a session below BGP, as options of its socket: TCP MD5 (RFC 2385), TCP-AO (RFC 5925) and GTSM (RFC 5082). Set before the
/// dial, so that the first segment has it already.
/// </summary>
internal static class SocketSecurity
{
    /// <summary>Octets of the kernel's <c>struct tcp_md5sig</c>.</summary>
    public const int Md5OptionLength = 216;

    /// <summary>Octets of the kernel's <c>struct tcp_ao_add</c>.</summary>
    public const int AoOptionLength = 288;

    private const int IpLevel = 0; // IPPROTO_IP
    private const int TcpLevel = 6; // IPPROTO_TCP
    private const int Ipv6Level = 41; // IPPROTO_IPV6
    private const int MinimumTtl = 21; // IP_MINTTL
    private const int MinimumHopCount = 73; // IPV6_MINHOPCOUNT
    private const int Md5Signature = 14; // TCP_MD5SIG
    private const int AoAddKey = 38; // TCP_AO_ADD_KEY

    // RFC 5926 3.2: both algorithms are cut to 96 bits.
    private const byte MacLength = 12;
    private const int AddressLength = 128; // sizeof(struct sockaddr_storage)

    /// <summary>Sets what the options ask for. Null: done. Else why the kernel does not, in words that say what to do.</summary>
    public static string? Apply(Socket socket, PeerOptions options)
    {
        if (options.TtlSecurity is { } hops && LimitTtl(socket, options.Neighbor.Address.AddressFamily, hops) is { } problem)
        {
            return problem;
        }

        return options.Authentication switch
        {
            null => null,
            TcpMd5 md5 => Set(socket, Md5Signature, Md5Option(options.Neighbor.Address, md5), md5),
            TcpAo ao => Set(socket, AoAddKey, AoOption(options.Neighbor.Address, ao), ao),
            var other => throw new InvalidOperationException($"Nobody sets {other.Name}."),
        };
    }

    /// <summary>What else may be behind a dial without an answer: behind each of these the kernels drop what does not fit, in silence.</summary>
    public static string SilenceMayMean(PeerOptions options)
    {
        var words = "";
        if (options.Authentication is { } authentication)
        {
            words += $"; {authentication.Name} is configured: a neighbor with another key or with none gives no answer, so compare the keys";
        }

        if (options.TtlSecurity is { } hops)
        {
            words += $"; TTL security is configured: an answer from more than {hops} {(hops == 1 ? "hop" : "hops")} away, or from a neighbor that does not send with TTL 255, is dropped";
        }

        return words;
    }

    /// <summary>Why the kernel does not sign, in words that say what to do. .NET shows its ENOENT as an address that is not available.</summary>
    public static string Refused(PeerAuthentication authentication, SocketException exception) => (authentication, exception.SocketErrorCode) switch
    {
        (TcpMd5, SocketError.ProtocolOption) => "this kernel has no TCP MD5 (CONFIG_TCP_MD5SIG), so the session cannot be signed: use another kernel, or remove the key on both sides",
        (TcpAo, SocketError.ProtocolOption) => "this kernel has no TCP-AO (it needs Linux 6.7 or later with CONFIG_TCP_AO), so the session cannot be signed: use another kernel, TCP MD5, or no key on both sides",
        (TcpAo ao, SocketError.AddressNotAvailable) => $"this kernel does not know {KernelName(ao.Algorithm)}, so the session cannot be signed: load its module or choose the other algorithm on both sides",
        _ => $"the kernel refuses the {authentication.Name} key, so the session cannot be signed: {exception.Message}",
    };

    // 0                   128     129         130       132     136
    // | address of the    | flags | prefix    | length  | zero  | key, filled up with zeros |
    // | neighbor          |       | length    | of key  |       | to 80                     |
    public static byte[] Md5Option(IPAddress neighbor, TcpMd5 md5)
    {
        var option = NewOption(Md5OptionLength, neighbor);
        MemoryMarshal.Write(option.AsSpan(130), (ushort)md5.Key.Length);
        md5.Key.CopyTo(option.AsSpan(136));
        return option;
    }

    // 0             128                192       196     200    202      203      204     205   206    207      208
    // | address of  | algorithm, ends  | inter-  | bits  | zero | prefix | SendID | Recv- | MAC | key  | length | key, filled up |
    // | neighbor    | with a zero      | face    |       |      | length |        | ID    | len | flags| of key | to 80          |
    // No bit is set: the only key is the one that is used. The port of the address stays zero, the kernel takes no other.
    public static byte[] AoOption(IPAddress neighbor, TcpAo ao)
    {
        var option = NewOption(AoOptionLength, neighbor);
        Encoding.ASCII.GetBytes(KernelName(ao.Algorithm), option.AsSpan(AddressLength));
        option[202] = (byte)(neighbor.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
        option[203] = ao.SendId;
        option[204] = ao.ReceiveId;
        option[205] = MacLength;
        option[207] = (byte)ao.Key.Length;
        ao.Key.CopyTo(option.AsSpan(208));
        return option;
    }

    private static string KernelName(TcpAoAlgorithm algorithm) => algorithm switch
    {
        TcpAoAlgorithm.HmacSha1 => "hmac(sha1)",
        TcpAoAlgorithm.AesCmac128 => "cmac(aes128)",
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "The algorithms are those of RFC 5926."),
    };

    // With the address at its front, as struct sockaddr_in or sockaddr_in6: family in the machine's order, port, then
    // the address (IPv4), or flow label, address and scope (IPv6).
    private static byte[] NewOption(int length, IPAddress neighbor)
    {
        // Pinned: the key will be in it, and the garbage collector shall leave no copy.
        var option = GC.AllocateArray<byte>(length, pinned: true);
        var isIpv6 = neighbor.AddressFamily == AddressFamily.InterNetworkV6;
        MemoryMarshal.Write(option, (ushort)(isIpv6 ? 10 : 2));
        neighbor.TryWriteBytes(option.AsSpan(isIpv6 ? 8 : 4), out _);
        if (isIpv6)
        {
            MemoryMarshal.Write(option.AsSpan(24), (uint)neighbor.ScopeId);
        }

        return option;
    }

    private static string? Set(Socket socket, int name, byte[] option, PeerAuthentication authentication)
    {
        try
        {
            socket.SetRawSocketOption(TcpLevel, name, option);
            return null;
        }
        catch (SocketException exception)
        {
            return Refused(authentication, exception);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(option);
        }
    }

    private static string? LimitTtl(Socket socket, AddressFamily family, int hops)
    {
        var (level, name) = family == AddressFamily.InterNetworkV6 ? (Ipv6Level, MinimumHopCount) : (IpLevel, MinimumTtl);
        Span<byte> least = stackalloc byte[sizeof(int)];
        MemoryMarshal.Write(least, 256 - hops);
        try
        {
            socket.Ttl = 255;
            socket.SetRawSocketOption(level, name, least);
            return null;
        }
        catch (SocketException exception)
        {
            return $"the kernel refuses TTL security, so the session is not dialled: {exception.Message}";
        }
    }
}
